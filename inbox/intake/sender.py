"""Who wrote it: the address or number that the channel names as sender, and never anything else (S-43)."""

from __future__ import annotations

from crm.customers.identity import AddressInvalid, normalise
from crm.customers.models import ContactPoint
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def identify(draft: Draft, batch: Batch) -> None:
    """Bring the address into its one spelling. Several or none: nobody is proved, and the message is unverified."""
    if draft.raw.facts.get("contact"):
        # Our own door (the portal, the chat) knows who is there.
        draft.contact = batch.known(int(draft.raw.facts["contact"]))
    inbound = draft.inbound
    if inbound.sender is not None:
        draft.sender = _spelled(draft, inbound.sender.address)
    draft.unverified = inbound.ambiguous_sender or (not draft.sender and draft.contact is None)
    if draft.contact is None:
        draft.contact_key = draft.sender


def _spelled(draft: Draft, address: str) -> str:
    """In its one spelling; empty when it is no address of its kind (a withheld number, an extension)."""
    if draft.point not in ContactPoint.Kind.values:
        return address
    try:
        return normalise(draft.point, address, draft.channel.settings.get("region", ""))
    except AddressInvalid:
        return ""
