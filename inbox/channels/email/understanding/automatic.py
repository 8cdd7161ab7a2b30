"""Mail that no person wrote to us: automatic replies, lists, reports, machine senders."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.channels.email.reading.parsed import ParsedMail


def why_automatic(parsed: ParsedMail, text: str) -> str:
    """Why this mail counts as automatic (a short word), or an empty string for a person's mail."""
    return ""


def is_auto_reply(reason: str) -> bool:
    """True when the reason word of `why_automatic` means an automatic answer to a mail."""
    return reason in ("auto-reply", "out-of-office")
