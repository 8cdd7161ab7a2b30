"""Chats side by side: the line, the columns, and what colleagues do in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from crm.customers import identity
from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from crm.service import access as ticket_access
from crm.service import services
from crm.service.models import Ticket
from inbox.models import Conversation, Message, TicketSeen
from inbox.services import chats, presence, replies, ways_out
from inbox.services.submissions import once
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk, ticket_or_404
from inbox.workspace.deeds import Refused, _seen, number_in, refuse
from inbox.workspace.keys import shortcuts_of
from inbox.workspace.tickets import mark_seen
from inbox.workspace.words import words
from inbox.workspace.writing import client_id, files_sent, text_sent
from routing.models import Queue

COLUMNS = 4
"""Talks that stand side by side."""


@dataclass(frozen=True, slots=True)
class Line:
    """One talk in the list beside the columns."""

    talk: Conversation
    name: str
    heard: int
    """Sequence number of the visitor's last message."""
    unread: bool
    here: bool

    @property
    def ticket(self) -> Ticket:
        """Where it is kept."""
        return self.talk.ticket

    @property
    def since(self) -> datetime:
        """Since when he waits, for somebody to come or for an answer."""
        return self.ticket.waiting_since or self.talk.waiting_since


def person(talk: Conversation) -> str:
    """What a visitor is called: as his contact is, else as he calls himself."""
    return conversation.on_one_line(talk.ticket.contact.name or talk.visitor.name, 80) or _("Visitor")


def lines(user: User) -> tuple[list[Line], list[Line]]:
    """The talks that wait for somebody, and the colleague's own."""
    waiting, mine = chats.waiting(user), chats.open_for(user)
    keys = [talk.ticket_id for talk in (*waiting, *mine)]
    heard = dict(
        Message.objects.filter(ticket__in=keys, kind=Message.Kind.INBOUND).values_list("ticket").annotate(Max("seq"))
    )
    seen = dict(TicketSeen.objects.filter(user=user, ticket__in=keys).values_list("ticket", "seq"))

    def line(talk: Conversation) -> Line:
        last = heard.get(talk.ticket_id, 0)
        return Line(talk, person(talk), last, last > seen.get(talk.ticket_id, 0), chats.is_here(talk.visitor))

    return [line(talk) for talk in waiting], [line(talk) for talk in mine]


@desk("GET")
def page(request: AgentRequest) -> HttpResponse:
    """The view of chats. Which ones stand side by side the browser knows, and asks for each."""
    waiting, mine = lines(request.user)
    context = {
        "waiting": waiting,
        "mine": mine,
        "words": words(),
        "keys": shortcuts_of(request.user.shortcuts),
        "columns": COLUMNS,
    }
    return render(request, "inbox/chats.html", context)


@desk("GET")
def listing(request: AgentRequest) -> HttpResponse:
    """The list beside the columns."""
    waiting, mine = lines(request.user)
    return render(request, "inbox/chat_lines.html", {"waiting": waiting, "mine": mine})


@desk("GET")
def state(request: AgentRequest) -> HttpResponse:
    """What every page of the desk wants to know of chats: to tell of new ones, and to show whether one takes any."""
    waiting, mine = lines(request.user)

    def told(line: Line) -> dict[str, Any]:
        return {
            "ticket": line.ticket.pk,
            "number": line.ticket.number,
            "name": line.name,
            "heard": line.heard,
            "unread": line.unread,
            "text": conversation.on_one_line(line.ticket.preview, 120),
        }

    return JsonResponse(
        {
            "presence": presence.state_of(request.user),
            "waiting": [told(line) for line in waiting],
            "mine": [told(line) for line in mine],
        }
    )


@desk("POST")
def set_presence(request: AgentRequest) -> HttpResponse:
    """Take chats, or not."""
    try:
        presence.set_state(request.user, request.POST.get("state", ""))
    except ValueError:
        return HttpResponse(status=400)
    return state_now(request)


def state_now(request: AgentRequest) -> HttpResponse:
    """What was chosen."""
    return JsonResponse({"presence": presence.state_of(request.user)})


def _talk(request: AgentRequest, number: int) -> tuple[Ticket, Conversation]:
    """A chat that the colleague sees. Raises Http404."""
    ticket = ticket_or_404(request, number)
    talk = chats.of(ticket)
    if talk is None:
        raise Http404
    talk.ticket = ticket
    return ticket, talk


def _shown(request: AgentRequest, ticket: Ticket, talk: Conversation, entries: Sequence[Any]) -> dict[str, Any]:
    """What a column shows besides its messages."""
    card = chats.card_of(talk)
    mine = ticket.assignee_id == request.user.pk
    mark_seen(request, ticket)
    return {
        "ticket": ticket,
        "talk": talk,
        "card": card,
        "name": person(talk),
        "mine": mine,
        "entries": entries,
        "claimed": claimed_contact(request.user, ticket, card),
    }


def claimed_contact(user: User, ticket: Ticket, card: chats.VisitorCard) -> Contact | None:
    """The contact whose address the visitor says is his, while that is not proved and not linked."""
    if not card.claimed_email or card.identified:
        return None
    known = ContactPoint.objects.filter(
        kind=ContactPoint.Kind.EMAIL, value=card.claimed_email, contact__in=Contact.objects.visible_to(user)
    ).select_related("contact__customer")
    point = known.exclude(contact_id=ticket.contact_id).first()
    return point.contact if point else None


@desk("GET")
def column(request: AgentRequest, number: int) -> HttpResponse:
    """One talk, for its column."""
    ticket, talk = _talk(request, number)
    window = conversation.window(ticket, request.user, 0)
    context = {**_shown(request, ticket, talk, window.entries), "earlier": window.earlier}
    return render(request, "inbox/chat_column.html", context)


def changes(request: AgentRequest, number: int, after: int) -> HttpResponse:
    """What a column that has all up to `after` shows now."""
    ticket, talk = _talk(request, number)
    entries = conversation.since(ticket, after, request.user)
    return render(request, "inbox/chat_after.html", _shown(request, ticket, talk, entries))


@desk("GET")
def after(request: AgentRequest, number: int, seq: int) -> HttpResponse:
    """Everything after sequence number `seq`."""
    return changes(request, number, seq)


@desk("POST")
def say(request: AgentRequest, number: int) -> HttpResponse:
    """Answer the visitor. Whoever answers a chat that nobody has, has it.

    While there is something that the column has not shown, the answer is held and that is shown (409).
    """
    ticket, talk = _talk(request, number)
    try:
        way = _way_to(ticket, talk)
        text, files = text_sent(request), files_sent(request)
        answer = partial(replies.reply, ticket, author=request.user, text=text, attached=files, seen=_seen(request))
        with transaction.atomic():
            if ticket.assignee_id is None:
                chats.take_over(ticket, request.user)
            once(request.user, client_id(request), partial(answer, channel=way.channel, to=way.recipient))
    except replies.UnseenMessages:
        response = changes(request, number, _seen(request))
        response.status_code = 409
        return response
    except (ValueError, ValidationError, replies.NoWayOut) as fault:
        return refuse(request, fault)
    return changes(request, number, _seen(request))


def _way_to(ticket: Ticket, talk: Conversation) -> ways_out.Way:
    for way in ways_out.ways(ticket):
        if way.recipient in talk.visitor.addresses:
            return way
    raise replies.NoWayOut(_("This chat cannot be answered here any more."))


def _take(ticket: Ticket, value: str, by: User) -> None:
    chats.take_over(ticket, by)


def _end(ticket: Ticket, value: str, by: User) -> None:
    chats.end(ticket, by)


def _queue(ticket: Ticket, value: str, by: User) -> None:
    queue = Queue.objects.filter(pk=number_in(value), active=True).first()
    if queue is None:
        raise Refused(_("There is no such queue."))
    chats.hand_over(ticket, queue, by)


def _colleague(ticket: Ticket, value: str, by: User) -> None:
    user = User.objects.filter(pk=number_in(value), is_active=True).first()
    if user is None or not ticket_access.may_be_assigned(user, ticket):
        raise Refused(_("This colleague does not work the queue of the ticket."))
    services.assign(ticket, user, by=by, why="chat")


def _link(ticket: Ticket, value: str, by: User) -> None:
    card = chats.visitor_of(ticket)
    found = claimed_contact(by, ticket, card) if card else None
    if found is None or str(found.pk) != value:
        raise Http404
    try:
        with transaction.atomic():
            identity.link(found, ticket.contact, by=by)
    except identity.LinkImpossible as fault:
        text = _("These two cannot be made one: both have a login, or one of them is linked already.")
        raise Refused(text) from fault


ACTS: dict[str, Callable[[Ticket, str, User], None]] = {
    "take": _take,
    "end": _end,
    "queue": _queue,
    "colleague": _colleague,
    "link": _link,
}
"""What can be done to a chat with one value; the only names that a URL may hold."""


@desk("POST")
def act(request: AgentRequest, number: int, deed: str) -> HttpResponse:
    """One act. A chat that the colleague does not see any more answers with 204."""
    ticket, _found = _talk(request, number)
    done = ACTS.get(deed)
    if done is None:
        raise Http404
    try:
        done(ticket, request.POST.get("value", "")[:100], request.user)
    except ValueError as fault:
        return refuse(request, fault)
    if not Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists():
        return HttpResponse(status=204)
    return changes(request, number, _seen(request))
