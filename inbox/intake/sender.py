"""Who wrote it: the address in From, and never any other header (S-43)."""

from __future__ import annotations

from crm.customers.identity import normalise_email
from crm.customers.models import Contact
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def identify(draft: Draft, _batch: Batch) -> None:
    """Normalise the address. Several or none in From: nobody is proved, and the message is marked unverified."""
    if draft.raw.facts.get("contact"):
        # Our own door (the portal) knows who is logged in.
        draft.contact = Contact.objects.select_related("customer__region").get(pk=draft.raw.facts["contact"])
    inbound = draft.inbound
    if inbound.sender is not None:
        draft.sender = normalise_email(inbound.sender.address)
    draft.unverified = inbound.ambiguous_sender or (not draft.sender and draft.contact is None)
    if draft.contact is None:
        draft.contact_key = draft.sender
