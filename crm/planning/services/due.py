"""When something is due, counted in business hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from routing import hours
from routing.models import Queue


def due_in(minutes: int, queue: Queue | None, *, start: datetime | None = None) -> datetime:
    """The moment (UTC) at which `minutes` of the queue's business time have passed since `start` (now).

    A queue without hours, and no queue, is open round the clock; so is a calendar that never opens again, because a
    task that is never due would be forgotten.
    """
    begin = start or timezone.now()
    try:
        return hours.add_minutes(hours.calendar(queue.hours if queue else None), begin, minutes)
    except hours.NeverOpen:
        return begin + timedelta(minutes=minutes)
