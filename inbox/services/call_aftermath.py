"""What follows a call that stands on its ticket: who gets the ticket, who calls back, and which call-backs are done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.telephone import spaced
from crm.planning import services as planning
from crm.planning.models import Appointment, Task, TaskEvent
from crm.service import access, services
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox.intake.draft import Draft
from inbox.models import Call, Message, RawMessage
from inbox.services import call_journal
from routing import hours

CALLBACK_MINUTES = 60
"""Minutes of business time to call back within, where the channel says nothing."""
EARLY, LATE = timedelta(minutes=30), timedelta(hours=12)
"""A talk so long before or after the agreed time is the agreed one."""
NOTE_LENGTH = 2000
"""Somebody who rings all day does not make the note endless."""


def posted(drafts: Sequence[Draft]) -> None:
    """Calls among the posted messages learn their ticket. Runs inside the posting transaction."""
    found = {int(d.raw.facts["call"]): d for d in drafts if d.raw.facts.get("call")}
    if not found:
        return
    rows = Call.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=found).order_by("pk")
    for call in rows.select_related("contact", "agent", "queue", "channel"):
        draft = found[call.pk]
        if draft.change is None or draft.message is None:
            continue
        call.ticket, call.message = draft.change.ticket, draft.message
        call.contact = call.contact or draft.contact
        call.save(update_fields=["ticket", "message", "contact"])
        _give(call, opened=draft.outcome == RawMessage.Outcome.OPENED)
        settle(call)


def _give(call: Call, *, opened: bool) -> None:
    """A new ticket is whose call it was."""
    agent, ticket = call.agent, call.ticket
    if not opened or ticket is None or agent is None or ticket.assignee_id:
        return
    if access.may_be_assigned(agent, ticket):
        services.assign(ticket, agent, by=None, why="call")


def settle(call: Call) -> None:
    """A missed call asks for a call-back, once a person; a talk is the call-back of all that were open."""
    if call.kind == Call.Kind.LETTER:
        return
    if call.state in (Call.State.MISSED, Call.State.VOICEMAIL):
        _ask_to_call_back(call)
    elif call.state == Call.State.ENDED:
        _called_back(call)


def _ask_to_call_back(call: Call) -> None:
    if not call.number:
        return  # nobody can call a number that was withheld
    minutes = int(call.channel.settings.get("callback_minutes") or CALLBACK_MINUTES)
    over = call.ended_at or call.started_at
    due_at = planning.due_in(minutes, call.queue, start=over)
    waiting = _asked_before(call)
    if waiting is not None:
        _called_again(waiting, call, over, due_at)
        return
    with translation.override(call.channel.language):
        who = (call.contact.name if call.contact else "") or spaced(call.number)
        title = _("Call back: %(who)s") % {"who": who}
    planning.open_task(
        planning.NewTask(
            title=title,
            kind=Task.Kind.CALL_BACK,
            queue=call.queue,
            contact=call.contact,
            phone=call.number,
            reference=f"ticket:{call.ticket_id}" if call.ticket_id else "",
            due_at=due_at,
        ),
        by=None,
    )


def _asked_before(call: Call) -> Task | None:
    """The open call-back that an earlier missed call of this person asked for in this queue.

    A colleague's own plans and those of rules do not count: they may be about something else, and due next month.
    """
    ours = TaskEvent.objects.filter(task=OuterRef("pk"), what="made", actor=None, actor_name="")
    rows = Task.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.filter(Exists(ours), kind=Task.Kind.CALL_BACK, state=Task.State.OPEN, contact=call.contact)
    # Who takes a task over for himself may take it out of the queue; it is still the one that was asked for there.
    return rows.filter(Q(queue=call.queue) | Q(queue=None)).order_by("due_at", "pk").first()


def _called_again(task: Task, call: Call, at: datetime, due_at: datetime) -> None:
    """One call-back answers all his tries; it says so, and is due when the most urgent of them is."""
    with translation.override(call.channel.language):
        calendar = hours.calendar(call.queue.hours)
        local = timezone.localtime(at, ZoneInfo(calendar.zone) if calendar else None)
        when = date_format(local, pgettext("moment (Django date format)", "j M Y, H:i"))
        said = _("Called again on %(when)s, see #%(number)d.") % {
            "when": when,
            "number": call.ticket.number if call.ticket else 0,
        }
    values: dict[str, object] = {"due_at": min(task.due_at or due_at, due_at)}
    if len(task.note) < NOTE_LENGTH:
        values["note"] = f"{task.note}\n{said}".lstrip()
    planning.edit_task(task, values, by=None)


def _called_back(call: Call) -> None:
    if call.contact_id is None:
        return
    with translation.override(call.channel.language):
        said = call_journal.summary(call)
    open_tasks = Task.objects.filter(contact_id=call.contact_id, kind=Task.Kind.CALL_BACK, state=Task.State.OPEN)
    if call.logged_by_id and call.ended_at:
        # A talk of yesterday that is written down today is no answer to what was asked for since.
        open_tasks = open_tasks.filter(created_at__lte=call.ended_at)
    for task in open_tasks.order_by("pk"):
        planning.complete(task, by=call.agent, outcome=said)
    agreed = Appointment.objects.filter(
        contact_id=call.contact_id,
        kind=Appointment.Kind.CALL_BACK,
        state=Appointment.State.AGREED,
        starts_at__gt=call.started_at - LATE,
        starts_at__lt=call.started_at + EARLY,
    )
    for appointment in agreed.order_by("pk"):
        planning.keep(appointment, by=call.agent, outcome=said)


def lock_ticket(call_id: int) -> None:
    """Lock the call's ticket before the call, in the order in which posting locks them."""
    ticket = Call.objects.filter(pk=call_id).values_list("ticket_id", flat=True).first()
    if ticket:
        Ticket.objects.select_for_update(no_key=True).filter(pk=ticket).first()


def answered_after_all(call: Call) -> None:
    """The news that somebody had talked came after the call was taken for missed: put right what followed from it."""
    _mark(call, missed=False)
    _called_back(call)


def missed_after_all(call: Call) -> None:
    """The news that nobody had taken the forwarded call came after its message was written."""
    if _mark(call, missed=True):
        settle(call)


def _mark(call: Call, *, missed: bool) -> bool:
    """Put the call's message right, and the history of its ticket: pages that are open learn of it by the number.

    False when nothing was written of this call yet.
    """
    if not call.message_id:
        return False
    message = Message.objects.get(pk=call.message_id)
    message.facts = {**message.facts, "missed": missed}
    message.save(update_fields=["facts"])
    work = Change.lock(message.ticket_id, actor=None if missed else call.agent, merged=True)
    work.record("call-missed" if missed else "call-answered")
    if not missed:
        work.answered(timezone.now())
    work.save()
    return True
