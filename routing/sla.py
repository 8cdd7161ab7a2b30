"""What was promised, as moments: first answer, next answer, solution.

The clock of the solution stands still while we wait for the customer and while the ticket is finished: whoever calls
says how much business time it stood so far, and since when it stands now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from routing.hours import Calendar, NeverOpen, add_minutes

if TYPE_CHECKING:
    from routing.models import SLAPolicy

ClockName = Literal["first", "next", "solution"]


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise that is still open. `warn_at` is when to tell people that it is near."""

    name: ClockName
    start: datetime
    warn_at: datetime
    due: datetime

    def level(self, now: datetime) -> Literal["", "warning", "breach"]:
        """How things stand."""
        if now >= self.due:
            return "breach"
        return "warning" if now >= self.warn_at else ""


@dataclass(frozen=True, slots=True)
class Targets:
    """When each promise is due; None where nothing is promised, or it is kept already."""

    first: datetime | None = None
    next: datetime | None = None
    solution: datetime | None = None


def clocks(
    policy: SLAPolicy | None,
    cal: Calendar | None,
    *,
    opened_at: datetime,
    waiting_since: datetime | None,
    first_answered_at: datetime | None,
    resolved_at: datetime | None,
    stood_minutes: int = 0,
    stands_since: datetime | None = None,
) -> tuple[Clock, ...]:
    """The promises that are open. One that the calendar leaves no time for is left out, and one whose clock stands.

    A promise that was missed before its clock stood still stays missed.
    """
    if policy is None or resolved_at is not None:
        return ()
    wanted: list[tuple[ClockName, datetime | None, int | None, int]] = [
        ("first", opened_at if first_answered_at is None else None, policy.first_answer, 0),
        ("next", waiting_since if first_answered_at is not None else None, policy.next_answer, 0),
        ("solution", opened_at, policy.solution, stood_minutes),
    ]
    found = []
    for name, start, minutes, stood in wanted:
        if start is None or not minutes:
            continue
        try:
            warn_at = add_minutes(cal, start, minutes * policy.warn_percent // 100 + stood)
            due = add_minutes(cal, start, minutes + stood)
        except NeverOpen:
            continue
        if name != "solution" or stands_since is None or due <= stands_since:
            found.append(Clock(name, start, warn_at, due))
    return tuple(found)


def targets(
    policy: SLAPolicy | None,
    cal: Calendar | None,
    *,
    opened_at: datetime,
    waiting_since: datetime | None,
    first_answered_at: datetime | None,
    resolved_at: datetime | None,
) -> Targets:
    """When each open promise is due."""
    return dues(
        clocks(
            policy,
            cal,
            opened_at=opened_at,
            waiting_since=waiting_since,
            first_answered_at=first_answered_at,
            resolved_at=resolved_at,
        )
    )


def dues(found: Iterable[Clock]) -> Targets:
    """When each of these clocks runs out."""
    return Targets(**{clock.name: clock.due for clock in found})


def nearest(found: Targets) -> datetime | None:
    """The first of the promises that fall due."""
    return min((due for due in (found.first, found.next, found.solution) if due is not None), default=None)
