"""Whether the sender is who he says, as far as our own mail server checked it (RFC 8601)."""

from __future__ import annotations

from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def weigh(draft: Draft, _batch: Batch) -> None:
    """A failed DMARC check means the domain's owner disowns the mail: it proves nobody and gets no answer."""
    if draft.inbound.authentication.dmarc == "fail":
        draft.unverified = True
        draft.answer = "sender failed authentication"
