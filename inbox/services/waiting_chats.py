"""Chats that wait for a colleague: given out in order, taken back from who left, ended when the visitor is gone."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.service import rules
from crm.service.changes import Change
from crm.service.models import TicketEvent
from inbox.models import Conversation, Presence
from inbox.services.presence import HERE, TALKING, ChatBoard
from routing.models import Queue

LEFT = timedelta(seconds=60)
"""Without a sign of life of its assignee for so long, a chat goes back into the line."""
STAYED = timedelta(minutes=10)
"""A visitor who was here so lately still waits for somebody."""
IDLE = timedelta(minutes=30)
"""A talk ends when its visitor has been gone for so long. Its ticket goes on."""
AT_ONCE = 50
HANDED_OVER = "handed over"
"""Why a chat has nobody, in its history: somebody gave it to a queue."""


def assign() -> int:
    """Give waiting chats to colleagues with room, first come first served; how many were given."""
    waiting = (
        Conversation.objects.filter(ended_at=None, ticket__assignee=None, ticket__status__in=TALKING)
        .exclude(ticket__queue__strategy=Queue.Strategy.MANUAL)
        .order_by("waiting_since", "id")
    )
    line = list(waiting.values_list("ticket_id", flat=True)[:AT_ONCE])
    return _give(line) if line else 0


@transaction.atomic
def _give(line: list[int]) -> int:
    changes = {c.ticket.pk: c for c in Change.lock_all(line)}
    board, givers = ChatBoard(), _givers(line)
    given = []
    for key in line:
        change = changes[key]
        ticket = change.ticket
        if ticket.assignee_id is not None or ticket.status not in TALKING:
            continue
        change.board = board
        without = givers.get(ticket.pk)
        if rules.assign_by_strategy(change, ticket.queue.strategy, why="chat", without=without) is not None:
            given.append(change)
    if given:
        rules.run_changed(given)
        Change.save_all(given)
    return len(given)


def _givers(line: list[int]) -> dict[int, int | None]:
    """Who handed each of these over, where that is the last that became of it: it is not given back to him."""
    events = TicketEvent.objects.filter(ticket__in=line, what__in=("assignee", "queue")).order_by("seq")
    last = {ticket: (why, actor) for ticket, why, actor in events.values_list("ticket", "why", "actor")}
    return {ticket: actor for ticket, (why, actor) in last.items() if why == HANDED_OVER}


def take_back() -> int:
    """Put chats whose assignee left back into the line, at the place they had, and give them out; how many.

    None while nobody has been heard all the time: after an outage each finds his own chats when he comes back.
    """
    now = timezone.now()
    if not Presence.objects.filter(seen_at__gt=now - HERE, since__lte=now - LEFT).exists():
        return 0
    gone = Q(ticket__assignee__presence=None) | Q(ticket__assignee__presence__seen_at__lt=now - LEFT)
    left = Conversation.objects.filter(
        gone,
        ended_at=None,
        ticket__assignee__isnull=False,
        ticket__status__in=TALKING,
        visitor__seen_at__gt=now - STAYED,
    )
    line = list(left.values_list("ticket_id", flat=True)[:AT_ONCE])
    if not line:
        return 0
    with transaction.atomic():
        changes = [c for c in Change.lock_all(line) if c.ticket.assignee_id is not None]
        for change in changes:
            change.assign(None, why="left the chat")
        rules.run_changed(changes)
        Change.save_all(changes)
    assign()
    return len(changes)


def end_idle() -> int:
    """End talks whose visitors have been gone for long; how many. What was said stays a ticket."""
    now = timezone.now()
    idle = Conversation.objects.filter(ended_at=None, visitor__seen_at__lt=now - IDLE)
    keys = list(idle.values_list("pk", flat=True)[:500])
    changed = Conversation.objects.filter(pk__in=keys, ended_at=None).update(
        ended_at=now, ended_by=Conversation.Ended.IDLE
    )
    if changed:
        assign()
    return changed


def keep_line_moving() -> int:
    """All of it, for the clock."""
    return take_back() + end_idle() + assign()
