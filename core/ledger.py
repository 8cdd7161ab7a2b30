"""Rows that are their own work list: state, lease, attempts, next time.

A row is claimed in batches, with a token and a time limit. Whoever writes the result does it under that token, so a
worker that was paused past its lease finds its token gone and writes nothing (fencing).
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connections, models, transaction
from django.db.models import F, Q
from django.utils import timezone

BACK_OFF = (60, 300, 900, 3600, 4 * 3600)
"""Seconds before each further attempt; the last one repeats."""


class LedgerRow(models.Model):
    """What a row needs to survive any kill of the process that works on it."""

    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    lease_token = models.CharField(max_length=32, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=LedgerRow)


def due() -> Q:
    """Rows whose time has come and that nobody holds."""
    now = timezone.now()
    return Q(next_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lt=now))


def claim(
    rows: models.QuerySet[Row], *, limit: int, seconds: int, order: Iterable[str] = ("id",), **changes: Any
) -> list[Row]:
    """Take up to `limit` rows of `rows` for `seconds`, in one short transaction; other claimers pass them over.

    The rows come back with their new token, and with one attempt more.
    """
    database = rows.db
    skip = connections[database].features.has_select_for_update_skip_locked
    with transaction.atomic(using=database):
        queue = rows.filter(due()).order_by(*order)
        if skip:
            queue = queue.select_for_update(skip_locked=True, of=("self",))
        found = list(queue[:limit])
        if not found:
            return []
        token, until = secrets.token_hex(8), timezone.now() + timedelta(seconds=seconds)
        rows.model._default_manager.using(database).filter(pk__in=[row.pk for row in found]).update(
            lease_token=token, lease_until=until, attempts=F("attempts") + 1, **changes
        )
    for row in found:
        row.lease_token, row.lease_until, row.attempts = token, until, row.attempts + 1
        for name, value in changes.items():
            setattr(row, name, value)
    return found


def held(rows: models.QuerySet[Row], row: Row) -> models.QuerySet[Row]:
    """The row, only if it is still ours: every result is written through this."""
    return rows.filter(pk=row.pk, lease_token=row.lease_token)


def later(attempts: int) -> timedelta:
    """How long to wait after so many attempts, with jitter so that a crowd does not come back at once."""
    seconds = BACK_OFF[min(max(attempts, 1), len(BACK_OFF)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))
