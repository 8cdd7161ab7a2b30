"""The form as a channel: bytes in, message out, whatever the bytes."""

from __future__ import annotations

import json

import pytest

from inbox.channels.base import Address, Outbound, Outcome
from inbox.channels.webform.adapter import WebFormAdapter, pack

ADAPTER = WebFormAdapter()
FORM = {"name": "Mei Lin", "email": "Mei@Example.net", "subject": "Parcel", "text": "Where is my second parcel today?"}


def test_what_goes_in_comes_out() -> None:
    read = ADAPTER.read(pack(**FORM, topic="Delivery", files=[("收据.pdf", "application/pdf", b"%PDF\x00\xff")]), {})
    assert read.sender == Address("Mei@Example.net", "Mei Lin")
    assert (read.subject, read.text, read.reply_text) == ("Parcel", FORM["text"], FORM["text"])
    assert [(f.name, f.content_type, f.content) for f in read.files] == [
        ("收据.pdf", "application/pdf", b"%PDF\x00\xff")
    ]
    assert (dict(read.facts), read.language, read.errors) == ({"topic": "Delivery"}, "en", ())


@pytest.mark.parametrize(
    ("text", "page", "language"),
    [("A-20931?", "zh-hant", "zh-hant"), ("您好，请问我的订单什么时候发货？", "en", "zh-hans"), ("A-20931?", "", "")],
)
def test_the_pages_language_counts_when_the_text_is_too_short(text: str, page: str, language: str) -> None:
    assert ADAPTER.read(pack(**{**FORM, "text": text}, language=page), {}).language == language


def test_a_browsers_line_ends_are_ends_of_lines_and_no_signs() -> None:
    read = ADAPTER.read(pack(**{**FORM, "text": "It is cold.\r\n\r\nPlease help.\rThanks"}), {})
    assert read.text == read.reply_text == "It is cold.\n\nPlease help.\nThanks"


def test_a_subject_is_one_line() -> None:
    assert ADAPTER.read(pack(**{**FORM, "subject": "a\r\nBcc: x@y.test\x0b b"}), {}).subject == "a Bcc: x@y.test b"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"files": 1}', b"[" * 100_000])
def test_other_bytes_are_told_and_never_raise(raw: bytes) -> None:
    read = ADAPTER.read(raw, {})
    assert read.sender is None
    assert len(read.errors) == 1


def test_odd_values_do_not_stop_the_rest() -> None:
    files = [
        {"name": "good.txt", "content": "aGk="},
        {"name": "bad.txt", "content": "%%%"},
        {"name": "é", "content": "é"},
        {"content": "aGk="},
        7,
        None,
    ]
    read = ADAPTER.read(json.dumps({**FORM, "name": None, "text": ["x"], "files": files}).encode(), {})
    assert [(f.name, f.content, f.content_type) for f in read.files] == [
        ("good.txt", b"hi", "application/octet-stream"),
        ("file", b"hi", "application/octet-stream"),
    ]
    assert read.errors == ("A file could not be read.",) * 2
    assert read.text == "['x']"


def test_lone_surrogates_are_kept_out() -> None:
    assert ADAPTER.read(pack(**{**FORM, "text": "a\ud800b"}), {}).text == "a?b"


async def test_a_form_cannot_answer() -> None:
    receipt = await ADAPTER.send(None, Outbound(1, "a@b.test", "", b""))  # type: ignore[arg-type]
    assert receipt.outcome == Outcome.RECIPIENT_FAULT
    assert "send" not in ADAPTER.can


def test_settings_are_asked_for() -> None:
    form = ADAPTER.form({"guests": "on", "topics": "Delivery\nInvoice"})
    assert form.is_valid()
    assert form.settings() == {"guests": True, "topics": "Delivery\nInvoice"}
