"""Who may keep a socket open. One pass of a few statements answers for all sockets of a process (S-35)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from crm.organisation import access
from crm.organisation.models import User
from crm.service.models import Ticket
from routing.models import Queue, QueueMember


@dataclass(frozen=True)
class Holder:
    """One socket: whose it is, by which session, and which tickets it watches."""

    user: int
    session: str
    password_mark: str
    tickets: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Grant:
    """What a socket may hear."""

    name: str
    queues: frozenset[int]
    tickets: frozenset[int]
    """Those of the watched ones that he sees."""


def grants(holders: Collection[Holder]) -> dict[Holder, Grant]:
    """What each socket may hear now. Whoever is missing in the answer has lost the right to any socket."""
    users = {user.pk: user for user in User.objects.filter(pk__in={h.user for h in holders}, is_active=True)}
    roles: dict[int, set[str]] = defaultdict(set)
    for pk, name in Group.objects.filter(user__in=users).values_list("user__pk", "name"):
        roles[pk].add(name)
    queues: dict[int, set[int]] = defaultdict(set)
    for pk, queue in QueueMember.objects.filter(user__in=users).values_list("user_id", "queue_id"):
        queues[pk].add(queue)
    alive = set(
        Session.objects.filter(
            session_key__in={h.session for h in holders}, expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    everything: frozenset[int] | None = None
    answer: dict[Holder, Grant] = {}
    for holder in holders:
        user = users.get(holder.user)
        if user is None or holder.session not in alive:
            continue
        if not constant_time_compare(user.get_session_auth_hash(), holder.password_mark):
            continue
        if not user.is_superuser:
            user.__dict__["roles"] = frozenset(roles[user.pk])
        if not access.works_tickets(user):
            continue
        if access.sees_all_tickets(user):
            everything = everything if everything is not None else frozenset(Queue.objects.values_list("pk", flat=True))
            seen = everything
        else:
            seen = frozenset(queues[user.pk])
        sees: frozenset[int] = frozenset()
        if holder.tickets:
            visible = Ticket.objects.visible_to(user).filter(pk__in=holder.tickets)
            sees = frozenset(visible.values_list("pk", flat=True))
        answer[holder] = Grant(str(user), seen, sees)
    return answer
