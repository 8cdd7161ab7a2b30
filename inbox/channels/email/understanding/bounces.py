"""Failure reports: which recipients did a mail server say it could not reach?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inbox.channels.base import DeliveryReport

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail


def find_report(parsed: ParsedMail) -> DeliveryReport | None:
    """The failure report that this mail is, or None when it is none."""
    return None
