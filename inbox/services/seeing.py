"""How far a colleague has read."""

from __future__ import annotations

from django.db import connection

from core import durability
from crm.organisation.models import User
from crm.service.models import Ticket

_UPSERT = (
    "INSERT INTO inbox_ticketseen (user_id, ticket_id, seq) VALUES (%s, %s, %s) ON CONFLICT (ticket_id, user_id)"
    " DO UPDATE SET seq = excluded.seq WHERE inbox_ticketseen.seq < excluded.seq"
)
"""One statement, and two pages opened at once never put the mark back."""


def mark_seen(user: User, ticket: Ticket, seq: int) -> None:
    """Note that `user` has seen the ticket up to `seq`; an older number changes nothing."""
    with durability.relaxed(), connection.cursor() as cursor:
        cursor.execute(_UPSERT, [user.pk, ticket.pk, seq])
