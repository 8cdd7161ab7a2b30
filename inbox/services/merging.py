"""Two tickets that are one, and one that is two. Both can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crm.organisation.models import User
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket, TicketLink, TicketMerge, TicketParticipant
from inbox import search
from inbox.intake.batch import digest
from inbox.models import Attachment, Call, Message, ThreadKey
from inbox.models.message import preview
from inbox.past import PastMessage, keyword_sets
from inbox.services import call_journal
from routing.models import Rule


class MergeImpossible(ValueError):
    """These tickets cannot be merged, or this merge cannot be undone."""


@transaction.atomic
def merge(source: Ticket, target: Ticket, *, by: User) -> TicketMerge:
    """Put everything of `source` into `target`; what moved is kept for `undo_merge`. Raises MergeImpossible.

    The messages take new numbers at the end of the target's sequence, in their old order: a browser that asks for all
    after N gets them. Mail of a machine that has no part in the target stays hidden from its customer.
    """
    if source.pk == target.pk:
        raise MergeImpossible("a ticket cannot be merged with itself")
    changes = {c.ticket.pk: c for c in Change.lock_all([source.pk, target.pk], actor=by)}
    leaving, staying = changes[source.pk], changes[target.pk]
    if Ticket.Status.MERGED in (leaving.ticket.status, staying.ticket.status):
        raise MergeImpossible("one of them is merged already")
    rows = list(leaving.ticket.messages.order_by("seq"))
    moved, said = _move_messages(rows, staying), _said(rows)
    strange = _of_strange_machines(rows)
    Message.objects.filter(pk__in=[m.pk for m in strange]).update(hidden=True)
    before, until, waits = leaving.ticket.status, leaving.ticket.snoozed_until, leaving.ticket.waiting_since
    stood = _standing(staying.ticket)
    said_last = leaving.ticket.activity_at > staying.ticket.activity_at
    came = set(leaving.ticket.participants.values_list("contact_id", flat=True))
    came -= {m.contact_id for m in strange} - {m.contact_id for m in rows if m not in strange}
    own = set(staying.ticket.participants.values_list("contact_id", flat=True))
    staying.participants |= came
    # The keys stay with the source: answers to its mails follow `merged_into`, and after an undo they find it again.
    leaving.record("merged", new=f"#{staying.ticket.number}")
    leaving.set_status(Ticket.Status.MERGED)
    leaving.ticket.merged_into = staying.ticket
    staying.record("absorbed", old=f"#{leaving.ticket.number}")
    staying.ticket.message_count += said
    staying.ticket.activity_at = max(staying.ticket.activity_at, leaving.ticket.activity_at)
    if said_last:
        staying.ticket.preview = leaving.ticket.preview
    if before in Ticket.WORKING and staying.ticket.status not in Ticket.WORKING:
        staying.set_status(Ticket.Status.OPEN, why="merged")
    waited = staying.ticket.waiting_since
    staying.waits_since(min(filter(None, (waited, waits)), default=None))
    leaving.ticket.message_count -= said
    record = TicketMerge.objects.create(
        source=leaving.ticket,
        target=staying.ticket,
        by=by,
        moved={
            "messages": moved,
            "hidden": [m.pk for m in strange],
            "status": before,
            "snoozed_until": until.isoformat() if until else None,
            "waiting_since": waits.isoformat() if waits else None,
            "waited": waited.isoformat() if waited else None,
            "participants": sorted(came - own),
            "stood": stood if staying.ticket.status != stood["status"] else None,
        },
    )
    rules.run_changed([staying])
    Change.save_all([leaving, staying])
    return record


@transaction.atomic
def undo_merge(record: TicketMerge, *, by: User) -> None:
    """Take the two apart again: what came with the source goes back, what was written since stays where it is.

    Does nothing the second time. Raises MergeImpossible when the target itself was merged further.
    """
    record = TicketMerge.objects.select_for_update(of=("self",)).get(pk=record.pk)
    if record.undone_at:
        return
    changes = {c.ticket.pk: c for c in Change.lock_all([record.source_id, record.target_id], actor=by)}
    back, stays = changes[record.source_id], changes[record.target_id]
    if stays.ticket.status == Ticket.Status.MERGED:
        raise MergeImpossible("the other ticket was merged further; undo that first")
    keys = record.moved["messages"]
    messages = list(Message.objects.filter(pk__in=keys, ticket=stays.ticket).order_by("seq"))
    Message.objects.filter(pk__in=record.moved.get("hidden", ()), ticket=stays.ticket).update(hidden=False)
    back.ticket.merged_into = None
    back.set_status(record.moved["status"], why="merge-undone")
    back.ticket.snoozed_until = _moment(record.moved.get("snoozed_until"))
    _move_messages(messages, back)
    later = list(stays.ticket.messages.filter(at__gt=record.at).order_by("seq"))
    if waits := _moment(record.moved.get("waiting_since")):
        back.waits_since(waits)
        if stays.ticket.waiting_since == waits:
            stays.waits_since(_moment(record.moved.get("waited")) or _unanswered(later))
    _stand_again(stays, record, worked_on=bool(_said(later)))
    back.record("merge-undone", old=f"#{stays.ticket.number}")
    stays.record("merge-undone", old=f"#{back.ticket.number}")
    back.ticket.message_count += _said(messages)
    stays.ticket.message_count -= _said(messages)
    _show_last([back, stays])
    still = set(Message.objects.filter(ticket=stays.ticket).values_list("contact_id", flat=True))
    gone = [p for p in record.moved["participants"] if p not in still]
    TicketParticipant.objects.filter(ticket=stays.ticket, contact_id__in=gone).delete()
    record.undone_at = timezone.now()
    record.save(update_fields=["undone_at"])
    rules.run_changed([back, stays])
    Change.save_all([back, stays])


STANDING = ("snoozed_until", "resolved_at", "closed_at")
"""Dates that belong to a ticket's status."""


def _standing(ticket: Ticket) -> dict[str, str | None]:
    """Its status with the dates that belong to it, to be kept in JSON."""
    dates = {name: getattr(ticket, name) for name in STANDING}
    return {"status": ticket.status, **{name: date.isoformat() if date else None for name, date in dates.items()}}


def _stand_again(change: Change, record: TicketMerge, *, worked_on: bool) -> None:
    """Take back that the merge opened the ticket, unless somebody wrote in it or set its status since."""
    stood = record.moved.get("stood")
    if not stood or worked_on or change.ticket.status != Ticket.Status.OPEN:
        return
    if change.ticket.events.filter(what="status", at__gt=record.at).exists():
        return
    change.set_status(stood["status"], why="merge-undone")
    for name in STANDING:
        setattr(change.ticket, name, _moment(stood[name]))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@transaction.atomic
def split(ticket: Ticket, messages: Sequence[Message], *, by: User) -> Ticket:
    """Move some messages of a ticket into a new one of the same contact and queue.

    The rules for opened tickets see the first of them, as they would have, had it come alone; nobody is answered again.
    Merging the new ticket back undoes it. Raises MergeImpossible, TicketMerged.
    """
    change = Change.lock(ticket.pk, actor=by)
    rows = list(change.ticket.messages.filter(pk__in=[m.pk for m in messages]).order_by("seq"))
    if not rows or len(rows) == change.ticket.messages.count():
        raise MergeImpossible("choose some of the messages, not all")
    first = next((m for m in rows if m.kind == Message.Kind.INBOUND), rows[0])
    contact = first.contact or change.ticket.contact
    new = Change.opening(
        subject=first.subject or change.ticket.subject,
        queue=change.ticket.queue,
        contact=contact,
        origin=change.ticket.origin,
        language=first.language,
    )
    with new.acting(str(by), by):
        new.record("opened", why=f"split from #{change.ticket.number}")
    new.link(change.ticket, TicketLink.Kind.SPLIT)
    if first.kind == Message.Kind.INBOUND:
        new.heard(first.at)
    new.waits_since(_unanswered(rows))
    new.save()
    _move_messages(rows, new)
    change.waits_since(_unanswered(change.ticket.messages.order_by("seq")))
    new.ticket.message_count = _said(rows)
    change.ticket.message_count -= _said(rows)
    _show_last([new, change])
    change.record("split", new=f"#{new.ticket.number}")
    said_to_us = first.kind in (Message.Kind.INBOUND, Message.Kind.CALL)
    facts = PastMessage(first, keyword_sets(), first=True) if said_to_us else None
    rules.run_event(new, Rule.Event.TICKET_OPENED, facts)
    ids = [m.mail_id for m in rows if m.mail_id]
    _move_keys(ids, change.ticket, new.ticket)
    Change.save_all([change, new])
    return new.ticket


def _of_strange_machines(messages: Iterable[Message]) -> list[Message]:
    """What a machine wrote that claimed a ticket which it has no part in: colleagues may put it there, and read it.

    A code that a service mails to an address of ours is not for the customer who made it do so (S-44).
    """
    return [m for m in messages if m.unverified and m.automatic and m.kind == Message.Kind.INBOUND and not m.hidden]


_SAID = (Message.Kind.INBOUND, Message.Kind.OUTBOUND, Message.Kind.CALL)
"""What somebody says to somebody."""


def _said(messages: Sequence[Message]) -> int:
    """How many of them count for `Ticket.message_count`."""
    return sum(m.kind in _SAID for m in messages)


def _show_last(changes: Iterable[Change]) -> None:
    """Lists show what was said last in each, now that messages have come or gone."""
    for change in changes:
        last = Message.objects.filter(ticket=change.ticket, kind__in=_SAID).order_by("seq").last()
        if last is not None:
            names = Attachment.objects.filter(message=last).values_list("name", flat=True)
            change.ticket.preview = preview(last.reply_text or last.text, names)


def _unanswered(messages: Iterable[Message]) -> datetime | None:
    """When the first of them came that waits for an answer; None: nothing does. They are given in order."""
    since, given = None, list(messages)
    talks = Call.objects.filter(message__in=[m for m in given if m.kind == Message.Kind.CALL])
    answered = {call.message_id for call in talks if call_journal.answered(call)}
    for message in given:
        if message.kind == Message.Kind.OUTBOUND or message.pk in answered:
            since = None
        elif message.kind == Message.Kind.CALL or (message.kind == Message.Kind.INBOUND and not message.automatic):
            since = since or message.at
    return since


def _move_messages(messages: Sequence[Message], change: Change) -> list[int]:
    search.read_again({message.ticket_id for message in messages})  # it knows their words under the old ticket
    for message in messages:
        message.ticket = change.ticket
        message.seq = change.next_seq()
        message.indexed = False
        message.save(update_fields=["ticket", "seq", "indexed"])
    Call.objects.filter(message__in=messages).update(ticket=change.ticket)
    return [m.pk for m in messages]


def _move_keys(mail_ids: Sequence[str], old: Ticket, new: Ticket) -> None:
    ThreadKey.objects.filter(ticket=old, digest__in=[digest(i) for i in mail_ids]).update(ticket=new)
