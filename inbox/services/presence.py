"""Who of the colleagues is here, and who of them has room for a chat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.utils import timezone

from core import durability
from crm.organisation.models import User
from crm.service.models import Ticket
from crm.service.rules import Board
from inbox.models import Conversation, Presence
from routing import hours
from routing.models import Queue, QueueMember

HERE = timedelta(seconds=45)
"""Somebody is here so long after his last sign of life: an open socket or a request of the workspace."""
BEAT = timedelta(seconds=10)
"""Signs of life that come sooner are not written."""
TALKING = (Ticket.Status.NEW, Ticket.Status.OPEN, Ticket.Status.PENDING)
"""States of a ticket whose chat takes up a place of its assignee."""


def beat(user: User) -> None:
    """Note that `user` is here. Cheap to call often; the first beat after an absence gives him waiting chats."""
    now = timezone.now()
    known = Presence.objects.filter(user=user).values_list("state", "seen_at").first()
    if known and now - known[1] < BEAT:
        return
    came = known is None or now - known[1] > HERE
    with durability.relaxed():
        Presence.objects.update_or_create(user=user, defaults={"seen_at": now, **({"since": now} if came else {})})
    if known is None or (known[0] == Presence.State.ONLINE and came):
        _room_for_chats()


def set_state(user: User, state: str) -> None:
    """Take chats (`online`) or not (`away`). Going away takes no chat from anybody. Raises ValueError."""
    state, now = Presence.State(state), timezone.now()
    Presence.objects.update_or_create(user=user, defaults={"state": state, "since": now, "seen_at": now})
    if state == Presence.State.ONLINE:
        _room_for_chats()


def gone(user: User) -> None:
    """Note that `user` closed his last window: he is not here any more, at once."""
    Presence.objects.filter(user=user).update(seen_at=timezone.now() - HERE)


def state_of(user: User) -> str:
    """What the colleague chose; online for whoever never chose."""
    return Presence.objects.filter(user=user).values_list("state", flat=True).first() or Presence.State.ONLINE


def is_here(user: User) -> bool:
    """A sign of life came lately."""
    return Presence.objects.filter(user=user, seen_at__gt=timezone.now() - HERE).exists()


def takers(queue: Queue) -> QuerySet[User]:
    """The people of the queue who are here and take chats, whether they have room or not."""
    return User.objects.filter(
        queue_memberships__queue=queue,
        is_active=True,
        is_available=True,
        chats_at_once__gt=0,
        presence__state=Presence.State.ONLINE,
        presence__seen_at__gt=timezone.now() - HERE,
    )


def loads(users: Iterable[int]) -> dict[int, int]:
    """How many open chats each of these people has; whoever has none is missing."""
    talks = Conversation.objects.filter(
        ended_at=None, ticket__assignee_id__in=list(users), ticket__status__in=TALKING
    ).order_by()
    return dict(talks.values_list("ticket__assignee_id").annotate(Count("pk")))


def duty(queue: Queue, at: datetime | None = None) -> str:
    """`open`: somebody has room. `busy`: all who are here are full. `closed`: out of hours, or nobody is here."""
    if not hours.is_open(hours.calendar(queue.hours), at or timezone.now()):
        return "closed"
    people = dict(takers(queue).values_list("pk", "chats_at_once"))
    if not people:
        return "closed"
    busy = loads(people)
    return "open" if any(busy.get(pk, 0) < most for pk, most in people.items()) else "busy"


class ChatBoard(Board):
    """As Board, for chats: only people who are here count, and a chat takes one of their places for chats."""

    def _members(self, queue: Queue) -> QuerySet[QueueMember]:
        return (
            super()
            ._members(queue)
            .filter(user__presence__state=Presence.State.ONLINE, user__presence__seen_at__gt=timezone.now() - HERE)
        )

    def loads(self, people: Iterable[int]) -> dict[int, int]:
        """Their open chats."""
        return loads(people)

    def _capacity(self, user: User) -> int:
        return user.chats_at_once


def _room_for_chats() -> None:
    from inbox.services import waiting_chats

    waiting_chats.assign()
