"""The Date field as it is really written."""

from __future__ import annotations

import pytest

from inbox.channels.email.reading.dates import read
from inbox.channels.email.reading.message import read as read_mail

WRITTEN = {
    "Mon, 2 Mar 2026 08:05:09 +0100": "2026-03-02T08:05:09+01:00",
    "Mon, 2 Mar 126 08:05:09 -0500": "2026-03-02T08:05:09-05:00",
    "Mon, 2 Mar 2026 08:05:09 +01:00": "2026-03-02T08:05:09+01:00",
    "Mon, 2 Mar 2026 08:05:09 GMT+0200": "2026-03-02T08:05:09+02:00",
    "Mon, 2 Mar 2026 08:05:09 + 0800": "2026-03-02T08:05:09+08:00",
    "Mon, 2 Mar 2026 08:05:09 \u22120800": "2026-03-02T08:05:09-08:00",
    "Mon, 2 Mar 2026 08:05:09 +1": "2026-03-02T08:05:09+01:00",
    "2 Mar 2026 08:05:09-03": "2026-03-02T08:05:09-03:00",
    "Mon, 02-Mar-2026 08:05:09": "2026-03-02T08:05:09+00:00",
    "Mon, 2 Mar 2026 08:05:09.250 +0000": "2026-03-02T08:05:09+00:00",
    "Mon, 2 Mar 2026 08 :05:09 +0000": "2026-03-02T08:05:09+00:00",
    "Mon, 2 Mar 2026 08:05:09 PM +0900": "2026-03-02T20:05:09+09:00",
    "Mon, 2 Mar 2026 8:0:0 PM +0100": "2026-03-02T20:00:00+01:00",
    "Mon, 2 Mar 2026 8:5 +0100": "2026-03-02T08:05:00+01:00",
    "Monday, March 2, 2026 12:05 AM": "2026-03-02T00:05:00+00:00",
    "Mon, 2 Mar 2026 08:05:09 CET": "2026-03-02T08:05:09+01:00",
    "Mon Mar  2 08:05:09 JST 2026": "2026-03-02T08:05:09+09:00",
    "Mon Mar  2 08:05:09 2026": "2026-03-02T08:05:09+00:00",
    "2026/03/02 08:05:09 +0100": "2026-03-02T08:05:09+01:00",
    "2026-03-02 08:05:09 +0100": "2026-03-02T08:05:09+01:00",
    "Mo, 2 März 2026 08:05:09 +0100": "2026-03-02T08:05:09+01:00",
    "lun., 2 févr. 2026 08:05:09 +0100": "2026-02-02T08:05:09+01:00",
    "周一, 2 3月 2026 08:05:09 +0800": "2026-03-02T08:05:09+08:00",
    "Mon, 2 (second (really)) Mar 2026 08:05:09 +0100": "2026-03-02T08:05:09+01:00",
    "Mon, 2 Mar 2026 08:05:60 GMT": "2026-03-02T08:05:59+00:00",
    "3/2/2026 10:05:09 PM": "2026-03-02T22:05:09+00:00",
    "23/2/2026 10:05:09 +0100": "2026-02-23T10:05:09+01:00",
    "lun., 5 janv. 2026 10:00:00 +0100": "2026-01-05T10:00:00+01:00",
    "星期一, 5 一月 2026 10:00:00 +0800": "2026-01-05T10:00:00+08:00",
    "星期五, 4 十二月 2026 10:00:00 +0800": "2026-12-04T10:00:00+08:00",
}


@pytest.mark.parametrize(("written", "moment"), WRITTEN.items())
def test_a_date_is_understood_as_it_was_meant(written, moment):
    found = read(written)
    assert found is not None
    assert found.isoformat() == moment


@pytest.mark.parametrize(
    "written", ["", "soon", "13 13月 2026 08:05:09", "Mon, 32 Mar 2026 08:05:09 +0100", "12:99", ":"]
)
def test_what_names_no_moment_is_none(written):
    assert read(written) is None


@pytest.mark.parametrize(
    "written",
    ["Sat, 31 Feb 2026 10:00:00 +0100", "Mon, 2 Mar 2026 25:61:00 +0100", "yesterday, or so", "=?utf-8?q?=C3=A4?="],
)
def test_a_date_that_names_no_moment_is_none_and_the_rest_is_read(written: str) -> None:
    """The time of arrival stands in for it: nothing that the sender said is missing, so it is no fault of the mail."""
    mail = read_mail(f"From: a@b.example\nDate: {written}\n\nHello\n".encode())
    assert (mail.sent_at, mail.text, mail.errors) == (None, "Hello", ())


@pytest.mark.parametrize("header", ["", "Date:\n", "Date: Mon, 2 Mar 2026 08:05:09 +0100\n"])
def test_a_date_that_is_missing_or_good_is_no_error(header: str) -> None:
    assert read_mail(f"From: a@b.example\n{header}\nHello\n".encode()).errors == ()
