"""What colleagues do in a chat, and what they see of it. What visitors do stands in `visitors` and `utterances`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils import timezone

from crm.organisation.models import User
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox import live
from inbox.models import Conversation, Message, Visitor
from inbox.services import waiting_chats
from inbox.services.presence import TALKING, ChatBoard
from routing.models import Queue


class NoChat(LookupError):
    """The ticket is no chat."""


@dataclass(frozen=True, slots=True)
class VisitorCard:
    """What colleagues see of a visitor. All of it but `identified` is what his browser or he himself claims."""

    visitor: Visitor
    here: bool
    """A sign of life came within the last minute."""
    page_url: str
    page_title: str
    referrer: str
    browser_language: str
    claimed_name: str
    claimed_email: str
    """Not proved: an address he typed. Never taken for the contact with that address by itself."""
    identified: str
    """Who the embedding site proved him to be; empty for strangers."""
    returning: bool
    attributes: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    """The ticket's sequence number up to which he has read."""
    ended_at: datetime | None = None
    ended_by: str = ""
    waiting_since: datetime | None = None
    clock: datetime | None = None
    """The time where he is, if his browser said so."""
    confirmed: bool = False
    """`claimed_email` was confirmed by a click in a mail."""


def open_for(user: User) -> list[Conversation]:
    """The open chats that `user` has, oldest first, with ticket, contact and visitor."""
    return list(_open().filter(ticket__assignee=user).order_by("opened_at", "id"))


def waiting(user: User) -> list[Conversation]:
    """Chats that wait for somebody in queues that `user` sees, in the order of the line."""
    mine = Ticket.objects.visible_to(user)
    return list(_open().filter(ticket__assignee=None, ticket__in=mine).order_by("waiting_since", "id")[:200])


def _open() -> Any:
    return Conversation.objects.filter(ended_at=None, ticket__status__in=TALKING).select_related(
        "visitor__channel", "ticket__queue", "ticket__contact", "ticket__assignee"
    )


def of(ticket: Ticket) -> Conversation | None:
    """The live side of this ticket, if it has one."""
    return Conversation.objects.select_related("visitor__channel", "ticket").filter(ticket=ticket).first()


def places_in_line(talks: Collection[Conversation]) -> dict[int, int]:
    """The place of each of these that waits, by its key: 1 for who is next. One statement, however many."""
    waits = {talk.pk for talk in talks if talk.ticket.assignee_id is None and talk.is_open}
    if not waits:
        return {}
    queues = {talk.ticket.queue_id for talk in talks if talk.pk in waits}
    line = Conversation.objects.filter(
        ended_at=None, ticket__assignee=None, ticket__status__in=TALKING, ticket__queue_id__in=queues
    ).order_by("waiting_since", "id")
    places: dict[int, int] = {}
    ahead: Counter[int] = Counter()
    for key, queue in line.values_list("pk", "ticket__queue_id")[:1000]:
        ahead[queue] += 1
        if key in waits:
            places[key] = ahead[queue]
    return places


def visitor_of(ticket: Ticket) -> VisitorCard | None:
    """Who talks in this ticket; None when it is no chat."""
    talk = of(ticket)
    return card_of(talk) if talk else None


def is_here(visitor: Visitor) -> bool:
    """A sign of life came within the last minute."""
    return timezone.now() - visitor.seen_at < waiting_chats.LEFT


def zone_of(visitor: Visitor) -> ZoneInfo | None:
    """The time zone that his browser named; None when it named none."""
    try:
        return ZoneInfo(visitor.zone) if visitor.zone else None
    except (ValueError, ZoneInfoNotFoundError):  # the machine that took it in knows more zones
        return None


def _clock(visitor: Visitor) -> datetime | None:
    zone = zone_of(visitor)
    return timezone.now().astimezone(zone) if zone else None


def card_of(talk: Conversation) -> VisitorCard:
    """As `visitor_of`, without asking the database."""
    visitor = talk.visitor
    return VisitorCard(
        visitor=visitor,
        here=is_here(visitor),
        page_url=visitor.page_url,
        page_title=visitor.page_title,
        referrer=visitor.referrer,
        browser_language=visitor.browser_language,
        claimed_name=visitor.name,
        claimed_email=visitor.email,
        identified=visitor.identifier,
        returning=visitor.visits > 1,
        attributes=visitor.attributes,
        seen=talk.visitor_seen,
        ended_at=talk.ended_at,
        ended_by=talk.ended_by,
        waiting_since=talk.waiting_since if talk.is_open and talk.ticket.assignee_id is None else None,
        clock=_clock(visitor),
        confirmed=visitor.email_state == Visitor.EmailState.CONFIRMED,
    )


@transaction.atomic
def take_over(ticket: Ticket, by: User) -> Ticket:
    """`by` has the chat from now on, whoever had it. His own will counts, also beyond his number of chats."""
    change = Change.lock(ticket.pk, actor=by)
    # As the automatic assignment does: it must not count his places while he takes one (S-87).
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    change.assign(by, why="took over")
    if change.ticket.status == Ticket.Status.NEW:
        change.set_status(Ticket.Status.OPEN, why="took over")
    rules.run_changed([change])
    change.save()
    return change.ticket


def typing(ticket: Ticket, by: User, on: bool = True) -> None:
    """Show the visitor that `by` is typing, for a few seconds. Nothing is stored."""
    live.push([(live.public_group(ticket.pk), {"type": "chat.typing", "on": on})])


def seen(ticket: Ticket, by: User, seq: int) -> None:
    """A colleague has the chat open before his eyes up to this sequence number; the visitor sees it as read."""
    seq = min(seq, Ticket.objects.filter(pk=ticket.pk).values_list("sequence", flat=True).first() or 0)
    talk = Conversation.objects.filter(ticket=ticket, agent_seen__lt=seq)
    if talk.update(agent_seen=seq):
        hint = {"type": "chat.seen", "ticket": ticket.pk, "seq": seq}
        transaction.on_commit(lambda: live.push([(live.public_group(ticket.pk), hint)]), robust=True)


@transaction.atomic
def hand_over(ticket: Ticket, queue: Queue, by: User) -> Ticket:
    """Give the chat to another queue: to somebody there, else it waits at the place it had in the line.

    Who gave it away does not get it again by itself; he may take it.
    """
    change = Change.lock(ticket.pk, actor=by)
    change.move(queue, why=waiting_chats.HANDED_OVER)
    change.assign(None, why=waiting_chats.HANDED_OVER)
    if queue.strategy != Queue.Strategy.MANUAL:
        change.board = ChatBoard()
        rules.assign_by_strategy(change, queue.strategy, why="chat", without=by.pk)
    rules.run_changed([change])
    change.save()
    transaction.on_commit(waiting_chats.assign, robust=True)
    return change.ticket


@transaction.atomic
def end(ticket: Ticket, by: User | None) -> Ticket:
    """End the talk. `by` a colleague: the ticket is resolved. By the visitor (None): only when he had an answer."""
    change = Change.lock(ticket.pk, actor=by, merged=True)  # the visitor's talk goes on wherever its ticket went
    talk = Conversation.objects.select_for_update().filter(ticket=change.ticket).select_related("visitor").first()
    if talk is None:
        raise NoChat
    if talk.ended_at is not None:
        return change.ticket
    talk.ended_at = timezone.now()
    talk.ended_by = Conversation.Ended.AGENT if by else Conversation.Ended.VISITOR
    talk.save(update_fields=["ended_at", "ended_by"])
    with change.acting(str(by) if by else str(change.ticket.contact), by):
        change.record("chat-ended", new=talk.ended_by)
        answered = change.ticket.first_answered_at is not None and change.ticket.waiting_since is None
        if (by is not None or answered) and not change.ticket.is_finished:
            change.set_status(Ticket.Status.RESOLVED, why="chat ended")
    rules.run_changed([change])
    change.save()
    transaction.on_commit(waiting_chats.assign, robust=True)
    return change.ticket


def messages_for(talk: Conversation, rows: Sequence[Message]) -> list[Message]:
    """Those of `rows` that this visitor may see: his own words and what was written to him. Never notes (S-53).

    A ticket may hold more than the talk: mail of others, other chats that were merged into it.
    """
    own = talk.visitor.addresses
    return [m for m in rows if m.kind in Message.PUBLIC and not m.hidden and _is_between(m, own)]


def _is_between(message: Message, own: frozenset[str]) -> bool:
    if message.kind == Message.Kind.INBOUND:
        return message.from_address in own
    return any(pair and pair[0] in own for pair in message.to if isinstance(pair, list))
