"""Whether somebody may do this to a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.organisation import access
from crm.service.models import Ticket, TicketQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User


def tickets(user: User | AnonymousUser | None) -> TicketQuerySet:
    """What this person may see."""
    return Ticket.objects.visible_to(user)


def may_be_assigned(user: User, ticket: Ticket) -> bool:
    """True for an active colleague who would see the ticket by its queue, or sees every ticket."""
    if not access.works_tickets(user):
        return False
    return access.sees_all_tickets(user) or user.queue_memberships.filter(queue_id=ticket.queue_id).exists()
