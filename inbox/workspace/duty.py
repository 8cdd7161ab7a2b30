"""Who of the colleagues is here, and how many chats each has: for those who answer for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crm.organisation import access
from crm.organisation.models import User
from inbox.models import Presence
from inbox.services import presence
from inbox.workspace.access import AgentRequest, desk
from inbox.workspace.deeds import colleagues


@dataclass(frozen=True, slots=True)
class Post:
    """One colleague at the window."""

    user: User
    state: str
    """`online`, `away`, or `gone` for who has no page of the desk open."""
    since: datetime | None
    chats: int


def posts() -> list[Post]:
    """Everybody who works tickets: who is here first."""
    people = colleagues()
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
    return sorted(found, key=lambda post: (order[post.state], str(post.user).casefold()))


@desk("GET")
def duty(request: AgentRequest) -> HttpResponse:
    """The page; for agents it does not exist."""
    if not access.sees_all_tickets(request.user):
        raise Http404
    return render(request, "inbox/duty.html", {"posts": posts()})
