"""Business time: when a calendar is open, and counting minutes in it, across holidays and clock changes.

Shifts are wall-clock times. A shift runs from the first moment of its day at which the clock shows at least `opens`
to the last moment at which it shows less than `closes`. So a shift that begins in the hour skipped in spring starts
when that hour is over, and one that spans the repeated hour in autumn is an hour longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from routing.models import BusinessHours

DAY = 24 * 60
"""Minutes of a day; as the end of a shift it means midnight at its end."""
FURTHEST = timedelta(days=20 * 366)
"""No promise reaches further."""

Spans = tuple[tuple[int, int], ...]
"""(opens, closes) in minutes after midnight, in order, not overlapping."""


class NeverOpen(ValueError):
    """The calendar has no time in which the promise could be kept."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business hours without the database. `week` starts on Monday; `special` are the days that differ."""

    zone: str
    week: tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
    special: tuple[tuple[date, Spans], ...] = ()


def spans(pairs: list[tuple[int, int]]) -> Spans:
    """Sort and join shifts that touch or overlap; an end of 0 is midnight, a stretch without length is dropped."""
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted((o, c or DAY) for o, c in pairs):
        if closes <= opens:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return tuple(joined)


class _Reader:
    """A calendar with its zone loaded and the days it has already worked out, as seconds since 1970."""

    def __init__(self, cal: Calendar) -> None:
        self.zone = ZoneInfo(cal.zone)
        self.week = cal.week
        self.special = dict(cal.special)
        self.ever = any(cal.week) or any(found for _day, found in cal.special)
        self.days: dict[date, tuple[tuple[float, float], ...]] = {}

    def day(self, day: date) -> tuple[tuple[float, float], ...]:
        known = self.days.get(day)
        if known is None:
            wall = self.special.get(day)
            if wall is None:
                wall = self.week[day.weekday()]
            known = tuple((self.moment(day, o, last=False), self.moment(day, c, last=True)) for o, c in wall)
            if len(self.days) > 10_000:
                self.days.clear()
            self.days[day] = known
        return known

    def moment(self, day: date, minute: int, *, last: bool) -> float:
        """The first or last moment of `day` at which the clock passes `minute`."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
        early, late = (wall.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
        if early == late:
            return early
        if early > late:  # the clock never shows this time: it is put forward somewhere between the two
            return self._put_forward(late, early)
        if last and datetime.fromtimestamp(late - 1, self.zone).date() == day:
            return late
        return early

    def _put_forward(self, before: float, after: float) -> float:
        offset = datetime.fromtimestamp(after, self.zone).utcoffset()
        low, high = int(before) - 1, int(after)
        while high - low > 1:
            middle = (low + high) // 2
            if datetime.fromtimestamp(middle, self.zone).utcoffset() == offset:
                high = middle
            else:
                low = middle
        return float(high)

    def open_from(self, moment: float) -> Iterator[tuple[float, float]]:
        """The open stretches that end after `moment`, the first cut to begin there; ends after `FURTHEST`."""
        start = datetime.fromtimestamp(moment, self.zone).date() - timedelta(days=1)
        done = moment
        for number in range(FURTHEST.days):
            for opens, closes in self.day(start + timedelta(days=number)):
                if closes > done:
                    yield max(opens, done), closes
                    done = closes


@lru_cache(maxsize=256)
def _reader(cal: Calendar) -> _Reader:
    return _Reader(cal)


def is_open(cal: Calendar | None, at: datetime) -> bool:
    """Whether `at` (aware) lies in business hours. No calendar is always open."""
    if cal is None:
        return True
    reader, moment = _reader(cal), at.timestamp()
    day = at.astimezone(reader.zone).date()
    return any(
        opens <= moment < closes
        for near in (day - timedelta(days=1), day, day + timedelta(days=1))
        for opens, closes in reader.day(near)
    )


def add_minutes(cal: Calendar | None, start: datetime, minutes: int) -> datetime:
    """The moment (UTC) at which `minutes` of business time have passed since `start`.

    Raises NeverOpen when the calendar has not that much time in the next twenty years.
    """
    left = max(0, minutes) * 60.0
    if cal is None:
        return start.astimezone(UTC) + min(timedelta(seconds=left), FURTHEST)
    reader = _reader(cal)
    if reader.ever:
        for opens, closes in reader.open_from(start.timestamp()):
            if closes - opens >= left:
                return datetime.fromtimestamp(opens + left, UTC)
            left -= closes - opens
    raise NeverOpen("no business time left")


def minutes_between(cal: Calendar | None, a: datetime, b: datetime) -> int:
    """Whole minutes of business time from `a` to `b`; 0 when `b` is not later (clocks may jump back)."""
    begin, end = a.timestamp(), b.timestamp()
    if end <= begin:
        return 0
    if cal is None:
        return int((end - begin) // 60)
    reader, total = _reader(cal), 0.0
    if not reader.ever:
        return 0
    last = datetime.fromtimestamp(end, reader.zone).date() + timedelta(days=1)
    day, done = datetime.fromtimestamp(begin, reader.zone).date() - timedelta(days=1), begin
    while day <= last:
        for opens, closes in reader.day(day):
            if closes > done and opens < end:
                total += min(closes, end) - max(opens, done)
                done = closes
        day += timedelta(days=1)
    return int(total // 60)


def until(cal: Calendar, at: datetime) -> tuple[bool, datetime | None]:
    """Whether it is open at `at`, and when that ends (UTC); None when it stays closed for twenty years."""
    moment = at.timestamp()
    end = None
    for opens, closes in _reader(cal).open_from(moment) if _reader(cal).ever else ():
        if end is None and opens > moment:
            return False, datetime.fromtimestamp(opens, UTC)
        if end is not None and (opens > end or end - moment > _LONG):
            break
        end = closes
    return end is not None, None if end is None else datetime.fromtimestamp(end, UTC)


_LONG = 14 * 86_400
"""Seconds after which nobody asks when it closes: round the clock."""


def calendar(business_hours: BusinessHours | None) -> Calendar | None:
    """The calendar of a record, built once a revision; None for None."""
    if business_hours is None:
        return None
    return _built(business_hours)


_calendars: dict[tuple[object, object], Calendar] = {}


def _built(record: BusinessHours) -> Calendar:
    known = _calendars.get((record.pk, record.revision))
    if known is None:
        week: list[list[tuple[int, int]]] = [[] for _ in range(7)]
        for shift in record.shifts.all():
            week[shift.weekday].append((_minute(shift.opens), _minute(shift.closes)))
        days: dict[date, list[tuple[int, int]]] = {}
        for holiday in record.holidays.all():
            stretches = days.setdefault(holiday.day, [])
            if holiday.opens is not None and holiday.closes is not None:
                stretches.append((_minute(holiday.opens), _minute(holiday.closes)))
        special = tuple((day, spans(stretches)) for day, stretches in sorted(days.items()))
        known = Calendar(record.time_zone, tuple(map(spans, week)), special)  # type: ignore[arg-type]
        if len(_calendars) > 200:
            _calendars.clear()
        _calendars[record.pk, record.revision] = known
    return known


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute
