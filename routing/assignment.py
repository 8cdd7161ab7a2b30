"""Who gets the next ticket. Told about people, it answers with one; storing it is the caller's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from routing.models import Queue

_NEVER = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who works the queue. `load` is the number of tickets they have to do something on."""

    user_id: int
    load: int
    capacity: int
    last_assigned_at: datetime | None
    available: bool = True

    @property
    def can_take(self) -> bool:
        """Here, and not full."""
        return self.available and self.load < self.capacity

    def _turn(self) -> tuple[float, int]:
        return (self.last_assigned_at.timestamp() if self.last_assigned_at else _NEVER, self.user_id)


def choose(strategy: str, candidates: Iterable[Candidate]) -> int | None:
    """The person whose turn it is, or None: nobody can take it, or people take tickets themselves.

    The caller holds the lock under which `load` and `last_assigned_at` were read, and writes them before letting go;
    else two tickets could go to the last free place (S-87).
    """
    able = [candidate for candidate in candidates if candidate.can_take]
    if not able or strategy == Queue.Strategy.MANUAL:
        return None
    if strategy == Queue.Strategy.LEAST_BUSY:
        return min(able, key=lambda c: (c.load, c._turn())).user_id
    if strategy == Queue.Strategy.ROUND_ROBIN:
        return min(able, key=Candidate._turn).user_id
    raise ValueError(f"no strategy {strategy!r}")
