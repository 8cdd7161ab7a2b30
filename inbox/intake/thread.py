"""Which ticket it belongs to. Joining one needs proof of the thread AND a sender who takes part in it (S-39 … S-44)."""

from __future__ import annotations

from collections.abc import Iterable

from crm.customers.identity import normalise_email
from crm.service.changes import Change
from crm.service.models import Ticket, TicketLink
from inbox.channels.email import tokens
from inbox.intake.batch import Batch, claimed_tickets, marked_tickets, named_ids
from inbox.intake.draft import Draft
from inbox.models import Message, RawMessage

COPIED_LIMIT = 200


def find(draft: Draft, batch: Batch) -> None:
    """Order: a visitor's talk, our own door, our signed mark, References; each only for participants."""
    change = batch.talks.find(draft, batch.changes)
    if change is not None:
        _join(draft, change, batch)
        return
    door = draft.raw.facts.get("ticket")
    if door and int(door) in batch.changes:
        _join(draft, batch.changes[int(door)], batch)
        return
    marked = [batch.changes[key] for key in marked_tickets(draft) if key in batch.changes]
    named = batch.named(draft)
    if not draft.unverified:
        answered = {id(change) for change in (*_by_mail(draft, batch), *named)}
        for change in _each_once((*marked, *named, *batch.awaiting(draft))):
            if batch.takes_part(draft, change) or (id(change) in answered and _was_copied(draft, change)):
                _join(draft, change, batch)
                return
    claimed = [batch.changes[key] for key in claimed_tickets(draft, batch.hooks) if key in batch.changes]
    # An ancestor that nobody has seen here says nothing: all who answer one newsletter name it.
    for change in (*marked, *batch.named(draft, ancestors=False), *claimed):
        draft.linked = change.ticket
        draft.unverified = True
        return


def join_recent(draft: Draft, batch: Batch) -> None:
    """A channel without threads: who calls again within a day means the same thing."""
    if draft.joins is None or draft.contact is None or draft.unverified or draft.linked is not None:
        return
    change = batch.unfinished.get((draft.channel.kind, draft.contact.pk))
    if change is not None and not change.ticket.is_finished:
        _join(draft, change, batch)


def open_new(draft: Draft, batch: Batch) -> None:
    """Nobody's thread: a new ticket in the channel's queue, linked to what it claims to belong to."""
    if draft.outcome or draft.contact is None:
        return
    inbound, name = draft.inbound, draft.contact.name
    change = Change.opening(
        subject=inbound.named_subject % {"name": name} if inbound.named_subject and name else inbound.subject,
        queue=batch.queue_of(draft),
        contact=draft.contact,
        origin=draft.channel.kind,
        language=inbound.language,
        at=batch.now,
    )
    batch.talks.begin(draft, change)
    draft.change = change
    change.board = batch.board(draft)
    draft.settle(RawMessage.Outcome.OPENED)
    if inbound.ambiguous_sender or inbound.authentication.dmarc == "fail":
        draft.reason = "unverified sender"
    if draft.linked is not None:
        draft.reason = f"unverified: claims to belong to #{draft.linked.number}"
        change.link(draft.linked, TicketLink.Kind.UNVERIFIED)
    batch.remember(draft)


def _join(draft: Draft, change: Change, batch: Batch) -> None:
    draft.change = change
    change.board = batch.board(draft)
    ticket = change.ticket
    reopens = ticket.is_finished and not draft.automatic and ticket.status != Ticket.Status.MERGED
    draft.settle(RawMessage.Outcome.REOPENED if reopens else RawMessage.Outcome.APPENDED)
    draft.answer = draft.answer or "not a new ticket"
    batch.remember(draft)


def _each_once(changes: Iterable[Change]) -> Iterable[Change]:
    return {id(change): change for change in changes}.values()


def _by_mail(draft: Draft, batch: Batch) -> list[Change]:
    """Tickets of mails of ours that it answers: as good as naming a customer's, unlike the mark in an address."""
    marks = (tokens.ticket_of_message_id(mail_id) for mail_id in named_ids(draft))
    return [batch.changes[key] for key in marks if key in batch.changes]


def _was_copied(draft: Draft, change: Change) -> bool:
    """True for a person who was in To or Cc of a message on the ticket, and now answers that thread.

    He joins for this mail only, and not as a participant. Machines never do: a code that some service mails to an
    address of ours must not reach whoever put the service's address into Cc (S-44).
    """
    if draft.automatic or not draft.sender or change.ticket.pk is None:
        return False
    rows = Message.objects.filter(ticket=change.ticket, kind__in=Message.PUBLIC, hidden=False, unverified=False)
    for to, cc in rows.order_by("-seq").values_list("to", "cc")[:COPIED_LIMIT]:
        if any(normalise_email(tokens.without_mark(a)) == draft.sender for a, _name in (*to, *cc)):
            return True
    return False
