"""Working through a call list: the next one to call, and how the call ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.customers import consent
from crm.customers.models import TimelineEntry
from crm.marketing import zones
from crm.marketing.models import CallList, CallListEntry, CallTry, Outcome
from crm.marketing.services import building
from crm.marketing.services.refusals import NotNow, NotPossible, NotYours
from crm.organisation.models import User
from routing import hours

LEASE = timedelta(minutes=30)
"""How long an entry stays with whoever took it and says nothing."""
State = CallListEntry.State
FINAL = {
    Outcome.AGREED: State.DONE,
    Outcome.TALKED: State.DONE,
    Outcome.DECLINED: State.DONE,
    Outcome.WRONG: State.FAILED,
    Outcome.REFUSED: State.BLOCKED,
}
"""Outcomes after which nobody calls again; after the others there is another try."""


@transaction.atomic
def next_entry(call_list: CallList, user: User) -> CallListEntry | None:
    """Whom `user` calls next: the entry is his until he records the call, gives it back, or `LEASE` has passed.

    The one he has already comes first. Two people never get the same. Numbers that must not be called are put aside
    with the reason; people where it is no time for calls are passed over. None: nobody can be called now.
    Raises NotNow when the list is not being worked. Whether he may work it is asked before (`access.may_work`).
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # his two tabs wait for each other
    row = CallList.objects.select_related("hours").get(pk=call_list.pk)
    _check_running(row)
    now = timezone.now()
    if (mine := _first(row.entries.filter(state=State.CLAIMED, claimed_by=user))) and _claim(mine, row, user, now):
        return mine
    while found := _first(_waiting(row, now)):
        if _claim(found, row, user, now):
            return found
    return None


@transaction.atomic
def record(
    entry: CallListEntry, outcome: str, *, by: User, note: str = "", next_at: datetime | None = None
) -> CallListEntry:
    """The call was made. `next_at` is when he wants to be called (`later` needs it), else the list's pause decides.

    Raises NotYours when `by` has not got the entry (any more), NotPossible for `later` without a time.
    `refused` bars the number for everybody from now on.
    """
    row = _held(entry, by)
    now, kind = timezone.now(), Outcome(outcome)
    if kind == Outcome.LATER and (next_at is None or next_at <= now):
        raise NotPossible(_("Say when to call again."))
    row.tries += 1
    row.outcome, row.called_at, row.claimed_until = kind, now, None
    row.note = note or row.note
    if kind in FINAL:
        row.state = FINAL[kind]
    elif kind != Outcome.LATER and row.tries >= row.call_list.max_tries:
        row.state = State.FAILED
    else:
        row.state = State.OPEN
        row.next_at = next_at or now + timedelta(days=row.call_list.days_between)
    if kind == Outcome.REFUSED:
        consent.refuse_calls(row.number, by=by, reason=note or row.call_list.name)
    row.save()
    CallTry.objects.create(entry=row, at=now, by=by, outcome=kind, note=note)
    TimelineEntry.objects.create(
        contact_id=row.contact_id,
        at=now,
        kind=f"call_list.{kind}",
        title=row.call_list.name[:300],
        reference=f"call_list:{row.call_list_id}",
        actor=by,
    )
    return row


@transaction.atomic
def release(entry: CallListEntry, *, by: User, until: datetime | None = None) -> CallListEntry:
    """Give it back uncalled; it comes again after `until`, for anybody. Raises NotYours."""
    row = _held(entry, by)
    row.state, row.claimed_by, row.claimed_until = State.OPEN, None, None
    row.next_at = until or row.next_at
    row.save(update_fields=["state", "claimed_by", "claimed_until", "next_at"])
    return row


@transaction.atomic
def stay(entry: CallListEntry, *, by: User) -> datetime:
    """The call takes longer: the entry is his for another `LEASE` from now. Raises NotYours."""
    row = _held(entry, by)
    row.claimed_until = timezone.now() + LEASE
    row.save(update_fields=["claimed_until"])
    return row.claimed_until


def check_again(call_list: CallList, *, by: User | None) -> int:
    """Put blocked entries back whose number may be called again; how many."""
    freed, last = 0, 0
    blocked = CallListEntry.objects.filter(call_list=call_list, state=State.BLOCKED)
    while rows := list(blocked.filter(pk__gt=last).order_by("pk")[: building.CHUNK]):
        last = rows[-1].pk
        refused = consent.refusals([row.number for row in rows])
        free = [row.pk for row in rows if row.number not in refused]
        freed += blocked.filter(pk__in=free).update(state=State.OPEN)
    return freed


def _check_running(row: CallList) -> None:
    if row.state != CallList.State.RUNNING:
        raise NotNow(_("This list is not being worked now: %(state)s.") % {"state": row.get_state_display()})
    if not row.is_in_period:
        raise NotNow(_("This list is not worked today."))


def _waiting(row: CallList, now: datetime) -> QuerySet[CallListEntry]:
    calendar = hours.calendar(row.hours)
    open_zones = [zone for zone in row.zones if calendar and zones.allowed(calendar, zone, now)]
    free = Q(state=State.OPEN) | Q(state=State.CLAIMED, claimed_until__lte=now)
    return row.entries.filter(free, zone__in=open_zones, next_at__lte=now).order_by("next_at", "pk")


def _first(rows: QuerySet[CallListEntry]) -> CallListEntry | None:
    """The first row that nobody else has under lock, locked."""
    locked = rows.select_for_update(of=("self",), skip_locked=True, no_key=True)
    return locked.select_related("contact__customer", "call_list").first()


def _claim(entry: CallListEntry, row: CallList, user: User, now: datetime) -> bool:
    """Make the locked entry his, unless it must not be called (now): then it is put where it belongs."""
    zone = zones.zone_of(entry.contact.time_zone, entry.number)
    calendar = hours.calendar(row.hours)
    if consent.may_call(entry.number):
        entry.state = State.BLOCKED
    elif calendar is None or not zones.allowed(calendar, zone, now):
        entry.state = State.OPEN
        entry.next_at = (calendar and zones.opens(calendar, zone, now)) or now + timedelta(days=1)
    else:
        entry.state = State.CLAIMED
    taken = entry.state == State.CLAIMED
    entry.claimed_by = user if taken else None
    entry.claimed_until = now + LEASE if taken else None
    if zone != entry.zone:
        entry.zone = zone
        building.learn_zones(CallList.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk), {zone})
    entry.save(update_fields=["state", "next_at", "claimed_by", "claimed_until", "zone"])
    return taken


def _held(entry: CallListEntry, by: User) -> CallListEntry:
    rows = CallListEntry.objects.select_for_update(of=("self",), no_key=True).select_related("call_list", "contact")
    row = rows.filter(pk=entry.pk).first()
    if row is None or row.state != State.CLAIMED or row.claimed_by_id != by.pk:
        raise NotYours(_("This call is not yours any more: somebody else has it, or it went back to the list."))
    return row
