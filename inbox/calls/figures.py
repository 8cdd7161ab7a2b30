"""Figures of calls, counted by the database: answered, missed, waiting and talking, by agent, queue, hour and day.

Only calls count, not visits and letters, and only those that are over; one that was forwarded counts as the call that
it became. A call is of the hour in which it began, by the reader's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour, TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from inbox.models import Call
from inbox.models.call import CallQuerySet

LONGEST = timedelta(days=366)
"""The longest period that is counted."""
BY = (
    ("day", gettext_lazy("Day")),
    ("hour", gettext_lazy("Hour")),
    ("agent", gettext_lazy("Agent")),
    ("queue", gettext_lazy("Queue")),
)
_MISSED = Q(state__in=(Call.State.MISSED, Call.State.VOICEMAIL))
_IN, _OUT = Q(direction=Call.Direction.IN), Q(direction=Call.Direction.OUT)
_SUMS: dict[str, Any] = {
    "answered": Count("pk", filter=_IN & Q(state=Call.State.ENDED)),
    "missed": Count("pk", filter=_IN & _MISSED),
    "reached": Count("pk", filter=_OUT & Q(state=Call.State.ENDED)),
    "unreached": Count("pk", filter=_OUT & Q(state=Call.State.UNREACHED)),
    "wait": Avg("wait_seconds", filter=_IN & Q(state=Call.State.ENDED)),
    "talk": Avg("talk_seconds", filter=Q(state=Call.State.ENDED)),
    "talked": Sum("talk_seconds", filter=Q(state=Call.State.ENDED)),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted for one day, hour, agent or queue. Times are seconds; None: there was nothing to measure."""

    label: str
    answered: int
    missed: int
    reached: int
    unreached: int
    wait: float | None
    talk: float | None
    talked: int

    @property
    def incoming(self) -> int:
        """Calls that came in."""
        return self.answered + self.missed

    @property
    def outgoing(self) -> int:
        """Calls that we made."""
        return self.reached + self.unreached

    @property
    def share(self) -> float:
        """How many of those that came in were answered, 0 to 1."""
        return self.answered / self.incoming if self.incoming else 0.0


def finished(calls: CallQuerySet) -> CallQuerySet:
    """The calls that count."""
    return calls.filter(kind=Call.Kind.CALL).exclude(state__in=(*Call.LIVE, Call.State.FORWARDED))


def total(calls: CallQuerySet) -> Figures:
    """All of them together."""
    return _figures(_("Total"), finished(calls).aggregate(**_SUMS))


def grouped(calls: CallQuerySet, by: str, since: date, until: date) -> list[Figures]:
    """The figures of each day, hour, agent or queue; days and hours without calls are there too."""
    rows = finished(calls)
    zone = timezone.get_current_timezone()
    if by == "day":
        found = _counted(rows.annotate(part=TruncDate("started_at", tzinfo=zone)))
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        return [
            _figures(date_format(day, pgettext("day of this year (Django date format)", "j M")), found.get(day, {}))
            for day in days
        ]
    if by == "hour":
        found = _counted(rows.annotate(part=ExtractHour("started_at", tzinfo=zone)))
        return [_figures(f"{hour:02}:00", found.get(hour, {})) for hour in _hours(found)]
    field, label = ("agent", _name_of_agent) if by == "agent" else ("queue__name", str)
    values = ("agent_id", "agent__name", "agent__email") if by == "agent" else (field,)
    return _named(rows, values, label)


def _hours(found: dict[Any, Any]) -> range:
    """The working day, wider when there were calls outside of it."""
    hours = [*found, 8, 17]
    return range(min(hours), max(hours) + 1)


def _counted(rows: QuerySet[Any]) -> dict[Any, dict[str, Any]]:
    return {row["part"]: row for row in rows.order_by().values("part").annotate(**_SUMS)}


def _named(rows: QuerySet[Any], values: tuple[str, ...], label: Callable[..., str]) -> list[Figures]:
    counted = rows.order_by().values(*values).annotate(**_SUMS)
    found = [_figures(label(*(row[value] for value in values[-2:])), row) for row in counted]
    return sorted(found, key=lambda each: (-(each.incoming + each.outgoing), each.label))


def _name_of_agent(name: str | None, email: str | None) -> str:
    return name or email or _("Nobody")


def _figures(label: str, row: dict[str, Any]) -> Figures:
    counts = {name: row.get(name) or 0 for name in ("answered", "missed", "reached", "unreached", "talked")}
    return Figures(label=label, wait=row.get("wait"), talk=row.get("talk"), **counts)
