"""Who of the colleagues is here, and how many chats each has: for those who answer for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crm.organisation import access
from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR, AGENT, SUPERVISOR
from crm.service.models import Ticket
from inbox.models import Presence
from inbox.services import presence
from inbox.workspace.access import AgentRequest, desk


@dataclass(frozen=True, slots=True)
class Post:
    """One colleague at the window."""

    user: User
    state: str
    """`online`, `away`, or `gone` for who has no page of the desk open."""
    since: datetime | None
    chats: int


def colleagues(ticket: Ticket | None = None) -> list[User]:
    """Who may be given tickets; for one ticket, those who see its queue, its members first."""
    people = User.objects.filter(is_active=True, is_staff=True, groups__name__in=(ADMINISTRATOR, SUPERVISOR, AGENT))
    found = list(people.distinct().order_by("name", "email").prefetch_related("groups")[:200])
    for user in found:
        user.__dict__["roles"] = frozenset(group.name for group in user.groups.all())
    if ticket:
        members = set(ticket.queue.members.values_list("user_id", flat=True))
        found = [user for user in found if user.pk in members or user.roles & {ADMINISTRATOR, SUPERVISOR}]
        found.sort(key=lambda user: user.pk not in members)
    return found


def posts(ticket: Ticket | None = None) -> list[Post]:
    """Everybody who works tickets, or this one: who is here first."""
    people = colleagues(ticket)
    signs = {sign.user_id: sign for sign in Presence.objects.filter(user__in=people)}
    loads = presence.loads([user.pk for user in people])
    found = []
    for user in people:
        sign = signs.get(user.pk)
        here = sign is not None and sign.seen_at > timezone.now() - presence.HERE
        state = sign.state if here and sign else "gone"
        since = (sign.since if here else sign.seen_at) if sign else None
        found.append(Post(user, state, since, loads.get(user.pk, 0)))
    order = {"online": 0, "away": 1, "gone": 2}
    return sorted(found, key=lambda post: order[post.state])


@desk("GET")
def duty(request: AgentRequest) -> HttpResponse:
    """The page; for agents it does not exist."""
    if not access.sees_all_tickets(request.user):
        raise Http404
    return render(request, "inbox/duty.html", {"posts": posts()})
