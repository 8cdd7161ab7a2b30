"""What intake knows of one message while it decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from crm.customers.models import Contact
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox.channels import registry
from inbox.channels.base import Inbound
from inbox.models import Channel, Delivery, Message, RawMessage


@dataclass(slots=True)
class Draft:
    """One message on its way in. Steps fill it in; nothing is written before all have decided."""

    raw: RawMessage
    channel: Channel
    inbound: Inbound
    fingerprint: str = ""
    outcome: str = ""
    """Set by the step that settles it; the steps after it are skipped."""
    reason: str = ""
    sender: str = ""
    """The normalised address of the sender; empty when there is none to trust."""
    contact: Contact | None = None
    contact_key: str = ""
    """The address the contact is found or made by; of the kind that the channel's people are known by."""
    change: Change | None = None
    """The ticket it goes to: a locked one, or a new one."""
    linked: Ticket | None = None
    """The ticket it claims, or seems, to belong to."""
    unverified: bool = False
    answer: str = ""
    """Why it gets no automatic answer, or `queued`; empty while nobody objects."""
    delivery: Delivery | None = None
    """The delivery that a report is about."""
    message: Message | None = None
    also_queues: set[int] = field(default_factory=set)

    @property
    def point(self) -> str:
        """What the people of this channel are known by, see `Adapter.point`."""
        return registry.adapter(self.channel.kind).point

    @property
    def joins(self) -> timedelta | None:
        """How long the sender's unfinished ticket of such a channel takes this message in, see `Adapter.joins`."""
        if self.inbound.alone:
            return None
        return getattr(registry.adapter(self.channel.kind), "joins", None)

    @property
    def automatic(self) -> str:
        """Why it was written by a machine; empty for people."""
        return self.inbound.automatic

    def settle(self, outcome: str, reason: str = "") -> None:
        """Decide what becomes of it."""
        self.outcome, self.reason = outcome, reason

    @property
    def own_addresses_written(self) -> list[str]:
        """Every address it was sent to, as written: To, Cc and what the receiving server noted."""
        inbound = self.inbound
        return [*(a.address for a in (*inbound.to, *inbound.cc)), *inbound.delivered_to]
