"""Calls, visits and letters that a colleague writes down, and what he adds to a call that the telephone reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from core.telephone import spaced
from crm.customers import identity
from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from crm.planning import services as planning
from crm.planning.models import Appointment, Task
from crm.service import access, rules, services
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox.channels import registry
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft
from inbox.models import Attachment, Call, Channel, RawMessage
from inbox.rules import MessageFacts
from inbox.services import call_journal, files, processing, replies
from inbox.services.call_journal import File
from routing.models import Queue, Rule


@dataclass(frozen=True, slots=True)
class Entry:
    """What a colleague writes down."""

    kind: str = Call.Kind.CALL
    direction: str = Call.Direction.OUT
    reached: bool = True
    contact: Contact | None = None
    number: str = ""
    """E.164."""
    name: str = ""
    """Of a person who is not known yet."""
    ticket: Ticket | None = None
    outcome: str = ""
    note: str = ""
    at: datetime | None = None
    talk_seconds: int | None = None
    files: Sequence[File] = field(default_factory=tuple)
    follow_up_at: datetime | None = None
    call_back_at: datetime | None = None
    resolves: bool = False
    """The ticket is done with it."""


def log(channel: Channel, entry: Entry, *, key: str, by: User, queue: Queue | None = None) -> Call:
    """Keep it and put it on its ticket at once; the same `key` of the same colleague gives the call that is there.

    Raises OSError, and planning.NotPossible.
    """
    with transaction.atomic():
        call, raw = _keep(channel, entry, key, by, queue)
    if raw is not None:
        processing.see_through(raw)
    call = Call.objects.select_related("ticket", "contact", "message").get(pk=call.pk)
    if entry.resolves and call.ticket and not call.ticket.is_finished:
        services.set_status(call.ticket, Ticket.Status.RESOLVED, by=by, why="call")
    return call


def _keep(channel: Channel, entry: Entry, key: str, by: User, queue: Queue | None) -> tuple[Call, RawMessage | None]:
    call_id = f"hand-{by.pk}-{key}"
    now = timezone.now()
    start = entry.at or now - timedelta(seconds=entry.talk_seconds or 0)
    contact = entry.contact
    if contact is None and entry.number:
        contact = identity.contact_for(ContactPoint.Kind.PHONE, entry.number, entry.name)
    elif contact is None and entry.name:
        contact = Contact.objects.create(name=identity.display_name(entry.name))
    elif contact is not None and entry.number:
        identity.give_point(contact, ContactPoint.Kind.PHONE, entry.number)
    incoming = entry.direction == Call.Direction.IN
    call, made = Call.objects.get_or_create(
        channel=channel,
        call_id=call_id,
        defaults={
            "kind": entry.kind,
            "direction": entry.direction,
            "state": _state(entry),
            "number": entry.number,
            "from_sent": entry.number if incoming else "",
            "to_sent": "" if incoming else entry.number,
            "contact": contact,
            "agent": by if entry.reached or not incoming else None,
            "logged_by": by,
            "queue": queue or (entry.ticket.queue if entry.ticket else channel.queue),
            "ticket": entry.ticket,
            "started_at": start,
            "ended_at": start + timedelta(seconds=entry.talk_seconds or 0),
            "talk_seconds": entry.talk_seconds if entry.reached else None,
            "outcome": entry.outcome[:40],
            "note": entry.note,
        },
    )
    if not made:
        return call, None
    raw = call_journal.hand_over(call, files=entry.files, by=by)
    call.save(update_fields=["logged_at"])
    plan(call, entry, by=by)
    return call, raw


def _state(entry: Entry) -> str:
    if entry.reached or entry.kind != Call.Kind.CALL:
        return Call.State.ENDED
    return Call.State.MISSED if entry.direction == Call.Direction.IN else Call.State.UNREACHED


def plan(call: Call, entry: Entry, *, by: User) -> None:
    """What was agreed on: a follow-up is a task of the colleague, a call-back an appointment in the queue."""
    who = (call.contact.name if call.contact else "") or spaced(call.number) or _("unknown")
    reference = f"ticket:{call.ticket_id}" if call.ticket_id else ""
    if entry.follow_up_at:
        planning.open_task(
            planning.NewTask(
                title=_("Follow up: %(who)s") % {"who": who},
                kind=Task.Kind.FOLLOW_UP,
                assignee=by,
                contact=call.contact,
                phone=call.number,
                note=entry.note[:500],
                reference=reference,
                due_at=entry.follow_up_at,
            ),
            by=by,
        )
    if entry.call_back_at:
        planning.arrange(
            planning.NewAppointment(
                topic=_("Call back: %(who)s") % {"who": who},
                kind=Appointment.Kind.CALL_BACK,
                starts_at=entry.call_back_at,
                ends_at=entry.call_back_at + timedelta(minutes=15),
                queue=call.queue,
                people=[by],
                contact=call.contact,
                phone=call.number,
                reference=reference,
            ),
            by=by,
        )


@transaction.atomic
def annotate(call: Call, *, note: str, outcome: str, by: User) -> Call:
    """Notes on a reported call. While it goes on they wait for its end; afterwards they are a note on its ticket."""
    row = Call.objects.select_for_update(of=("self",), no_key=True).select_related("ticket").get(pk=call.pk)
    row.outcome = outcome[:40] or row.outcome
    if note.strip() and note.strip() != row.note:
        if row.logged_at is not None and row.ticket is not None:
            replies.add_note(row.ticket, author=by, text=note)
        row.note = note.strip()
    row.agent = row.agent or by
    row.save(update_fields=["outcome", "note", "agent"])
    return row


@transaction.atomic
def link_to_ticket(call: Call, ticket: Ticket) -> bool:
    """The call that still goes on belongs to this ticket; False when it is on one already."""
    row = Call.objects.select_for_update(of=("self",), no_key=True).get(pk=call.pk)
    if row.logged_at is not None:
        return False
    row.ticket = ticket
    row.save(update_fields=["ticket"])
    return True


@transaction.atomic
def open_ticket(call: Call, *, by: User) -> Ticket:
    """A ticket for the call, before it is over; the one it is on already, when it is on one.

    The rules for opened tickets see it as any other.
    """
    rows = Call.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("channel", "contact__customer", "ticket", "queue__sla__hours", "queue__hours").get(
        pk=call.pk
    )
    if row.ticket is not None:
        return row.ticket
    with translation.override(row.channel.language):
        unknown = _("Unknown caller")
        subject = call_journal.title(row)
    if row.contact is None and row.number:
        row.contact = identity.contact_for(ContactPoint.Kind.PHONE, row.number)
    elif row.contact is None:
        row.contact = Contact.objects.create(name=unknown)
    work = Change.opening(subject=subject, queue=row.queue, contact=row.contact, origin=row.channel.kind)
    work.actor, work.name = by, str(by)
    work.record("opened", new=row.queue, why=row.channel.name)
    if access.may_be_assigned(by, work.ticket):
        work.assign(by)
    work.note("ticket.opened", subject, actor=by)
    rules.run_event(work, Rule.Event.TICKET_OPENED, _facts(row, work))
    work.save()
    row.ticket = work.ticket
    row.save(update_fields=["ticket", "contact"])
    return work.ticket


def _facts(call: Call, opened: Change) -> MessageFacts:
    """What rules may ask about a call that goes on: as of one that is over, as far as it is known by now."""
    inbound = registry.adapter(call.channel.kind).read(call_journal.pack(call), call.channel.settings)
    draft = Draft(RawMessage(channel=call.channel), call.channel, inbound, sender=call.number, change=opened)
    return MessageFacts(draft, Batch([draft]))


@transaction.atomic
def name_caller(call: Call, contact: Contact | None, *, name: str = "") -> Call:
    """It is this person, a new one called `name`, or (neither) nobody we know: the number alone does not decide."""
    row = Call.objects.select_for_update(of=("self",), no_key=True).select_related("channel").get(pk=call.pk)
    if contact is None and name.strip():
        if row.number:
            known = ContactPoint.objects.filter(kind=ContactPoint.Kind.PHONE, value=row.number).first()
            contact = known.contact if known else None
        if contact is None:
            contact = Contact.objects.create(name=identity.display_name(name))
        elif not contact.name:
            contact.name = identity.display_name(name)
            contact.save(update_fields=["name"])
    if contact is not None and row.number:
        identity.give_point(contact, ContactPoint.Kind.PHONE, row.number)
    row.contact = contact
    row.save(update_fields=["contact"])
    return row


@transaction.atomic
def attach_recording(call: Call, sent: File) -> Attachment:
    """Keep an uploaded recording with the call's message. Raises ValueError before it has one, OSError."""
    if call.message_id is None:
        raise ValueError(_("The call is not on a ticket yet."))
    name, kind, content = sent
    blob = files.store("attachments", content)
    return Attachment.objects.create(
        message_id=call.message_id, name=name[:255], content_type=kind[:100], size=len(content), blob=blob
    )
