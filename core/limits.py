"""Rate limits that hold over all processes (fixed windows in the database)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.models import Hit


def hit(key: str, *, limit: int, seconds: int, amount: int = 1) -> bool:
    """Count `amount` more uses of `key`; False when more than `limit` came within the running window of `seconds`."""
    now = timezone.now().timestamp()
    window = datetime.fromtimestamp(now - now % seconds, tz=UTC)
    row = Hit.objects.filter(key=key[:120], window=window)
    with transaction.atomic():
        Hit.objects.bulk_create([Hit(key=key[:120], window=window)], ignore_conflicts=True)
        row.update(count=F("count") + amount)
        return all(count <= limit for count in row.values_list("count", flat=True))


def forget(older_than: timedelta = timedelta(days=2)) -> int:
    """Delete windows that no limit looks at any more; how many went."""
    return Hit.objects.filter(window__lt=timezone.now() - older_than).delete()[0]
