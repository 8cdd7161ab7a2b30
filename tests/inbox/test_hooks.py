"""Which numbers in a subject claim to be a ticket of ours."""

from __future__ import annotations

import pytest

from inbox.channels.email.hooks import numbers_in

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "subject",
    [
        "Re: The machine leaks [Ticket#101492]",
        "Re: The machine leaks [Halden-101492]",
        "Re: The machine leaks [#101492]",
        "回复 [Ticket＃101492]",
        "About ticket #101492",
        "ticket 101492: still leaking",
    ],
)
def test_as_we_write_it_and_as_people_write_it_by_hand(subject: str) -> None:
    assert numbers_in(subject, ["Ticket#", "Halden-"]) == [101492]


@pytest.mark.parametrize(
    "subject",
    ["Invoice #101492", "Re: [Acme#101492]", "MyTicket#101492", "Ticket#1014921234567890", "Ticket#1", "101492", ""],
)
def test_numbers_of_others(subject: str) -> None:
    assert numbers_in(subject, ["Ticket#", "Halden-"]) == []
