"""How far a colleague has read."""

from __future__ import annotations

from crm.organisation.models import User
from crm.service.models import Ticket
from inbox.models import TicketSeen


def mark_seen(user: User, ticket: Ticket, seq: int) -> None:
    """Note that `user` has seen the ticket up to `seq`; an older number changes nothing."""
    changed = TicketSeen.objects.filter(user=user, ticket=ticket)
    if not changed.filter(seq__gte=seq).exists() and not changed.update(seq=seq):
        TicketSeen.objects.bulk_create([TicketSeen(user=user, ticket=ticket, seq=seq)], ignore_conflicts=True)
