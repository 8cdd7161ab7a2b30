"""What can be done to an appointment."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.customers.models import Contact, Customer
from crm.organisation import access
from crm.organisation.models import User
from crm.planning import notices
from crm.planning.changes import Change
from crm.planning.models import Appointment
from crm.planning.services.refusals import Finished, NobodyResponsible, NotPossible
from routing.models import Queue

NOTICE = timedelta(minutes=10)
"""How long before it begins its people are told."""
LENGTH = timedelta(minutes=30)
"""How long an appointment takes when nobody says."""
EDITABLE = ("topic", "note", "kind", "contact", "customer", "phone", "place")


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """An appointment that is to be made. `starts_at` is aware; a queue, people, or both are given."""

    topic: str
    starts_at: datetime
    ends_at: datetime | None = None
    """None: after `LENGTH`."""
    kind: str = Appointment.Kind.CALL_BACK
    queue: Queue | None = None
    people: Collection[User] = ()
    contact: Contact | None = None
    customer: Customer | None = None
    """None: the contact's."""
    phone: str = ""
    """E.164."""
    place: str = ""
    note: str = ""
    source: str = Appointment.Source.DESK
    reference: str = ""


@transaction.atomic
def arrange(wanted: NewAppointment, *, by: User | None, name: str = "") -> Appointment:
    """Agree on it. Raises NotPossible."""
    topic = " ".join(wanted.topic.split())[:250]
    if not topic:
        raise NotPossible(_("An appointment needs a topic."))
    starts_at, ends_at = _times(wanted.starts_at, wanted.ends_at)
    people = _check_hands(wanted.people, wanted.queue)
    row = Appointment(
        topic=topic,
        note=wanted.note,
        kind=Appointment.Kind(wanted.kind),
        contact=wanted.contact,
        customer=wanted.customer or (wanted.contact.customer if wanted.contact else None),
        phone=wanted.phone,
        place=wanted.place,
        starts_at=starts_at,
        ends_at=ends_at,
        queue=wanted.queue,
        source=Appointment.Source(wanted.source),
        reference=wanted.reference,
        remind_at=_remind(starts_at),
        created_by=by,
    )
    work = Change(row, by, name)
    work.record("made", new=topic)
    work.tell("agreed")
    work.save()
    row.people.set(people)
    notices.invited(row, people, by)
    return row


@transaction.atomic
def edit_appointment(row: Appointment, values: Mapping[str, Any], *, by: User | None) -> Appointment:
    """Change what it says: any of `EDITABLE`, the times, `queue` and `people`. Raises NotPossible, Finished."""
    work = _agreed(row, by)
    for field in EDITABLE:
        if field in values:
            work.set(field, values[field])
    if "starts_at" in values:
        _set_times(work, *_times(values["starts_at"], values.get("ends_at")))
    if "people" in values or "queue" in values:
        people = values["people"] if "people" in values else work.row.people.all()
        _set_hands(work, people, values.get("queue", work.row.queue))
    return work.save()


@transaction.atomic
def move(
    row: Appointment, starts_at: datetime, ends_at: datetime | None = None, *, by: User | None, why: str = ""
) -> Appointment:
    """It is at another time; without an end it stays as long as it was. Raises NotPossible, Finished."""
    work = _agreed(row, by)
    length = work.row.ends_at - work.row.starts_at
    _set_times(work, *_times(starts_at, ends_at or starts_at + length), why)
    return work.save()


@transaction.atomic
def set_hands(
    row: Appointment, *, by: User | None, people: Collection[User] = (), queue: Queue | None = None
) -> Appointment:
    """It is theirs from now on. Raises NotPossible, Finished."""
    work = _agreed(row, by)
    _set_hands(work, people, queue)
    return work.save()


def keep(row: Appointment, *, by: User | None, outcome: str = "") -> Appointment:
    """It took place. Does nothing when that was said before. Raises Finished."""
    return _end(row, Appointment.State.DONE, by, outcome)


def miss(row: Appointment, *, by: User | None, why: str = "") -> Appointment:
    """It did not take place, though it was agreed. Does nothing when that was said before. Raises Finished."""
    return _end(row, Appointment.State.MISSED, by, why)


def cancel(row: Appointment, *, by: User | None, why: str = "") -> Appointment:
    """It will not take place. Does nothing when that was said before. Raises Finished."""
    return _end(row, Appointment.State.CANCELLED, by, why)


@transaction.atomic
def _end(row: Appointment, state: Appointment.State, by: User | None, words: str) -> Appointment:
    work = Change.lock(row, by)
    if work.row.state == state:
        return work.row
    if not work.row.is_agreed:
        raise Finished(_("This appointment is over already."))
    work.set("state", state, words)
    work.put("outcome", words)
    work.put("remind_at", None)
    work.tell(state)
    return work.save()


def _agreed(row: Appointment, by: User | None) -> Change[Appointment]:
    work = Change.lock(row, by)
    if not work.row.is_agreed:
        raise Finished(_("This appointment is over already."))
    return work


def _times(starts_at: datetime, ends_at: datetime | None) -> tuple[datetime, datetime]:
    end = ends_at or starts_at + LENGTH
    if end <= starts_at:
        raise NotPossible(_("An appointment ends after it begins."))
    return starts_at, end


def _remind(starts_at: datetime) -> datetime | None:
    return starts_at - NOTICE if starts_at > timezone.now() else None


def _set_times(work: Change[Appointment], starts_at: datetime, ends_at: datetime, why: str = "") -> None:
    if work.set("starts_at", starts_at, why):
        work.put("remind_at", _remind(starts_at))
        work.tell("moved")
    work.set("ends_at", ends_at, why)


def _set_hands(work: Change[Appointment], people: Collection[User], queue: Queue | None) -> None:
    wanted = _check_hands(people, queue)
    work.set("queue", queue)
    before = list(work.row.people.all())
    if set(before) != set(wanted):
        work.record("people", _names(before), _names(wanted))
        work.row.people.set(wanted)
        notices.invited(work.row, [user for user in wanted if user not in before], work.by)


def _names(people: Collection[User]) -> str:
    return ", ".join(sorted(map(str, people)))


def _check_hands(people: Collection[User], queue: Queue | None) -> list[User]:
    found = list(people)
    if not found and queue is None:
        raise NobodyResponsible(_("Say whose appointment it is: a person's or a queue's."))
    for person in found:
        if not access.is_staff(person):
            raise NotPossible(_("%(person)s does not work here (any more).") % {"person": person})
    return found
