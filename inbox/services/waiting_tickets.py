"""Tickets for which nobody had room, or was on duty, when they came: given out as soon as somebody has."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef

from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket, TicketEvent, TicketQuerySet

AT_ONCE = 50


def assign() -> int:
    """Give what waits in queues that give out by themselves to colleagues with room, the oldest first; how many.

    Chats that go on have a line of their own. A ticket that a colleague took from whoever had it is left to people.
    """
    queues = rules.queues_with_room()
    line = list(_waiting(queues).order_by("opened_at", "id").values_list("pk", flat=True)[:AT_ONCE]) if queues else []
    return _give(line) if line else 0


def _waiting(queues: set[int]) -> TicketQuerySet:
    freed = TicketEvent.objects.filter(ticket=OuterRef("pk"), what="assignee", new="", actor__isnull=False)
    waiting = Ticket.objects.filter(queue__in=queues, assignee=None, status__in=Ticket.WORKING)
    return waiting.filter(~Exists(freed)).exclude(chat__isnull=False, chat__ended_at=None)


@transaction.atomic
def _give(line: list[int]) -> int:
    changes = {change.ticket.pk: change for change in Change.lock_all(line)}
    board, given = rules.Board(), []
    for key in line:
        change = changes[key]
        if change.ticket.assignee_id is not None or change.ticket.status not in Ticket.WORKING:
            continue
        change.board = board
        if rules.assign_by_strategy(change, change.ticket.queue.strategy, why="queue") is not None:
            given.append(change)
    rules.run_changed(given)
    Change.save_all(given)
    return len(given)
