"""A visitor asks to be called at a time: it becomes an appointment of the queue, and a ticket that says so."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.telephone import spaced
from crm.customers import consent
from crm.customers.models import Contact
from crm.planning import services as planning
from crm.planning.models import Appointment
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox.effects import Note
from inbox.models import Channel, Message
from inbox.services import call_people
from inbox.services.accept import accept
from inbox.services.processing import see_through
from routing import hours
from routing.models import Queue

AHEAD = timedelta(minutes=30)
"""Nobody is called back sooner: somebody has to see the appointment first."""
HORIZON = timedelta(days=14)
STEP = 30
"""Minutes from one proposal to the next."""
SLOT, PARALLEL = 15, 2
"""Minutes of a call-back, and how many at the same time, where the channel says nothing."""


class CallbackRefused(ValueError):
    """It cannot be agreed on; the text says why, to the visitor."""


def channel() -> Channel | None:
    """The telephone channel that visitors are called back by; None when there is none."""
    rows = Channel.objects.filter(kind="phone", active=True).select_related("queue__hours")
    return rows.order_by("id").first()


def proposals(channel: Channel, now: datetime, *, most: int = 24) -> list[datetime]:
    """Free beginnings (UTC) in the business hours of the channel's queue, the next one first."""
    taken = _taken(channel.queue, now)
    free = (at for at in _beginnings(channel, now + AHEAD, now + HORIZON) if _is_free(channel, at, taken))
    return [at for at, _number in zip(free, range(most), strict=False)]


def request_callback(
    channel: Channel,
    *,
    contact: Contact | None,
    name: str,
    phone: str,
    at: datetime | None,
    topic: str,
    key: str = "",
    source: str = Appointment.Source.PORTAL,
) -> Appointment:
    """Agree on a call at `at`, or as soon after it as somebody is free (None: as soon as possible).

    `contact` is whoever has proved who he is, else None: then the number finds or makes the contact, as a call from it
    would. The same `key` again gives the appointment that is there. Raises CallbackRefused, in words.
    """
    now = timezone.now()
    number, _known = call_people.caller(phone[:60], call_people.region_of(channel))
    if not number:
        raise CallbackRefused(_("This is not a telephone number that we can call."))
    if consent.may_call(number):
        raise CallbackRefused(_("We cannot call this number. Please write to us instead."))
    if at is not None and not now <= at <= now + HORIZON:
        raise CallbackRefused(_("Please choose a time within the next two weeks."))
    if not proposals(channel, max(now, at - AHEAD) if at else now, most=1):
        raise CallbackRefused(_("There is no free time in the next two weeks. Please write to us instead."))
    ticket = _ticket(channel, contact, name, number, topic, key or secrets.token_hex(12))
    return _arrange(channel, ticket, number, at, topic, name, source)


@transaction.atomic
def tell_talk(ticket: Ticket, agreed: Appointment, *, name: str, language: str) -> None:
    """Let whoever chats with this visitor know, by a note, that he is to be called; told again it is one note."""
    change = Change.lock(ticket.pk)
    with translation.override(language):
        calendar = hours.calendar(agreed.queue.hours) if agreed.queue else None
        local = timezone.localtime(agreed.starts_at, ZoneInfo(calendar.zone) if calendar else None)
        when = date_format(local, pgettext("moment (Django date format)", "j M Y, H:i"))
        text = _("Wants to be called at %(number)s on %(when)s.") % {"number": spaced(agreed.phone), "when": when}
    if not change.ticket.messages.filter(kind=Message.Kind.NOTE, text=text).exists():
        change.after(Note(change.next_seq(), text, name, None))
        change.save()


def _ticket(channel: Channel, contact: Contact | None, name: str, number: str, topic: str, key: str) -> Ticket | None:
    said = " ".join(topic.split())[:500]
    kept = {
        "kind": "request",
        "id": key,
        "direction": "in",
        "number": number,
        "name": name[:200],
        "subject": _("Call-back: %(topic)s") % {"topic": said[:150]} if said else _("Call-back wanted"),
        "text": topic.strip()[:5000] or _("Please call me back."),
    }
    facts = {"contact": contact.pk} if contact else {}
    content = json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace")
    return see_through(accept(channel, content, external_id=f"callback:{key}"[:200], facts=facts)).ticket


@transaction.atomic
def _arrange(
    channel: Channel, ticket: Ticket | None, number: str, at: datetime | None, topic: str, name: str, source: str
) -> Appointment:
    """Take the slot under the queue's lock, so that two visitors never get the last one."""
    now = timezone.now()
    queue = Queue.objects.select_for_update(of=("self",), no_key=True).get(pk=channel.queue_id)
    reference = f"ticket:{ticket.pk}" if ticket else ""
    if reference:
        there = Appointment.objects.filter(reference=reference, phone=number, state=Appointment.State.AGREED)
        if found := there.filter(starts_at__gt=now).first():
            return found
    earliest = max(now + AHEAD, at) if at else now + AHEAD
    taken = _taken(queue, now)
    times = _beginnings(channel, earliest, now + HORIZON + timedelta(days=7), exact=at)
    starts = next((time for time in times if _is_free(channel, time, taken)), None)
    if starts is None:
        raise CallbackRefused(_("There is no free time in the next two weeks. Please write to us instead."))
    who = (ticket.contact.name if ticket else "") or name or spaced(number)
    return planning.arrange(
        planning.NewAppointment(
            topic=_("Call back: %(who)s") % {"who": who},
            note=topic.strip()[:2000],
            kind=Appointment.Kind.CALL_BACK,
            starts_at=starts,
            ends_at=starts + _length(channel),
            queue=ticket.queue if ticket else queue,
            contact=ticket.contact if ticket else None,
            phone=number,
            source=source,
            reference=reference,
        ),
        by=None,
        name=who,
    )


def _length(channel: Channel) -> timedelta:
    return timedelta(minutes=int(channel.settings.get("callback_slot") or SLOT))


def _beginnings(channel: Channel, start: datetime, end: datetime, exact: datetime | None = None) -> Iterator[datetime]:
    """Times in business hours, `STEP` minutes apart; `exact` first, when it is one."""
    calendar = hours.calendar(channel.queue.hours)
    length = _length(channel)
    if exact is not None and exact >= start and _open_through(calendar, exact, length):
        yield exact.astimezone(UTC)
    seconds = STEP * 60
    moment = datetime.fromtimestamp(-(-start.timestamp() // seconds) * seconds, UTC)
    while moment <= end:
        if _open_through(calendar, moment, length):
            yield moment
            moment += timedelta(minutes=STEP)
            continue
        moment = _next_opening(calendar, moment, end)


def _open_through(calendar: hours.Calendar | None, at: datetime, length: timedelta) -> bool:
    return hours.is_open(calendar, at) and hours.is_open(calendar, at + length - timedelta(seconds=1))


def _next_opening(calendar: hours.Calendar | None, moment: datetime, end: datetime) -> datetime:
    """The first step after `moment` that may be open; beyond `end` when there is none."""
    step = timedelta(minutes=STEP)
    if calendar is None or hours.is_open(calendar, moment):
        return moment + step
    _is_open, opens = hours.until(calendar, moment)
    if opens is None:
        return end + step
    seconds = STEP * 60
    return max(moment + step, datetime.fromtimestamp(-(-opens.timestamp() // seconds) * seconds, UTC))


def _taken(queue: Queue, now: datetime) -> list[tuple[datetime, datetime]]:
    rows = Appointment.objects.filter(queue=queue, state=Appointment.State.AGREED, ends_at__gt=now)
    return list(rows.filter(kind=Appointment.Kind.CALL_BACK).values_list("starts_at", "ends_at")[:2000])


def _is_free(channel: Channel, at: datetime, taken: list[tuple[datetime, datetime]]) -> bool:
    end = at + _length(channel)
    parallel = int(channel.settings.get("callback_parallel") or PARALLEL)
    return sum(starts < end and ends > at for starts, ends in taken) < parallel
