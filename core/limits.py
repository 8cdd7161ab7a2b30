"""Rate limits that hold over all processes (fixed windows in the database)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.models import Hit


def hit(key: str, *, limit: int, seconds: int) -> bool:
    """Count one more use of `key`; False when more than `limit` came within the running window of `seconds`."""
    now = timezone.now().timestamp()
    window = datetime.fromtimestamp(now - now % seconds, tz=UTC)
    with transaction.atomic():
        row, _ = Hit.objects.get_or_create(key=key[:120], window=window)
        Hit.objects.filter(pk=row.pk).update(count=F("count") + 1)
        row.refresh_from_db(fields=["count"])
    return row.count <= limit


def forget(older_than: timedelta = timedelta(days=2)) -> int:
    """Delete windows that no limit looks at any more; how many went."""
    return Hit.objects.filter(window__lt=timezone.now() - older_than).delete()[0]
