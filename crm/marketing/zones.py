"""What time it is where somebody is called, and whether calls are allowed there now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_zones

from core.zones import known
from routing import hours
from routing.hours import Calendar

UNKNOWN = "Etc/Unknown"
_DAY = datetime(2026, 1, 15, tzinfo=UTC)
"""A day on which zones are put in order; which one does not matter."""


def zone_of(time_zone: str, number: str) -> str:
    """The zone of a person: his own, else that of his number (E.164); empty when nobody can know.

    A number that may be anywhere (a mobile in Russia, a free number in America) gives its first and its last zone.
    """
    if time_zone in known():
        return time_zone
    return _zone_of_prefix(number)


def _zone_of_prefix(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ""
    names = {name for name in phone_zones.time_zones_for_number(parsed) if name in known()}
    if len(names) <= 1:
        return "".join(names)
    ordered = sorted(names, key=lambda name: (ZoneInfo(name).utcoffset(_DAY), name))
    first, last = ordered[0], ordered[-1]
    if ZoneInfo(first).utcoffset(_DAY) == ZoneInfo(last).utcoffset(_DAY):
        return first
    return f"{first} {last}"


def allowed(calendar: Calendar, zone: str, at: datetime) -> bool:
    """Whether the calendar is open at `at` by the clock of `zone`; in both, where it names two."""
    return all(hours.is_open(replace(calendar, zone=name), at) for name in zone.split() or [calendar.zone])


def opens(calendar: Calendar, zone: str, at: datetime) -> datetime | None:
    """The next moment (UTC) at which the calendar opens by the clock of `zone`; None: never."""
    times = []
    for name in zone.split() or [calendar.zone]:
        is_open, then = hours.until(replace(calendar, zone=name), at)
        if is_open:
            continue
        if then is None:
            return None
        times.append(then)
    return max(times, default=at)
