"""Delivery reports belong to the delivery they are about. They never open a ticket and never get an answer (S-47)."""

from __future__ import annotations

from inbox.intake.batch import Batch
from inbox.intake.draft import Draft
from inbox.models import RawMessage
from inbox.services import deliveries

_KINDS = {"success": "success", "receipt": "read receipt", "complaint": "abuse report"}


def recognise(draft: Draft, _batch: Batch) -> None:
    """No contact is looked up, and made, for a mail system that reports."""
    if draft.inbound.report is not None:
        draft.contact_key = ""
        draft.contact = None
        draft.answer = "delivery report"


def find_delivery(draft: Draft, batch: Batch) -> None:
    """Write it onto its delivery; a report about nothing of ours is kept and shown in the journal, nothing more."""
    report = draft.inbound.report
    if report is None:
        return
    draft.delivery = deliveries.bounced(report, delivered_to=draft.own_addresses_written)
    kind = _KINDS.get(report.kind) or ("permanent failure" if report.permanent else "temporary failure")
    if draft.delivery is None:
        about = "about no message of ours"
        draft.settle(RawMessage.Outcome.REPORT, about if report.kind == "failure" else f"{kind}, {about}")
        return
    draft.settle(RawMessage.Outcome.REPORT, f"{kind} for {draft.delivery.recipient}")
    if draft.delivery.message is not None:
        draft.raw.ticket_id = draft.delivery.message.ticket_id
