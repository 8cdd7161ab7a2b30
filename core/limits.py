"""Rate limits that hold over all processes (fixed windows in the database)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from core import durability
from core.models import Hit


def network(address: str) -> str:
    """What a limit counts a stranger by: his IPv4 address, or his /64 of IPv6, where one person has 2^64 addresses."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{ip}/64", strict=False)) if ip.version == 6 else str(ip)


def hit(key: str, *, limit: int, seconds: int, amount: int = 1) -> bool:
    """Count `amount` more uses of `key`; False when more than `limit` came within the running window of `seconds`."""
    now = timezone.now().timestamp()
    window = datetime.fromtimestamp(now - now % seconds, tz=UTC)
    row = Hit.objects.filter(key=key[:120], window=window)
    with durability.relaxed():
        Hit.objects.bulk_create([Hit(key=key[:120], window=window)], ignore_conflicts=True)
        row.update(count=F("count") + amount)
        return all(count <= limit for count in row.values_list("count", flat=True))


def hit_many(counted: Mapping[str, tuple[int, int, int]]) -> set[str]:
    """Count several keys in one statement: key → (uses, limit, seconds). The keys that are over their limit."""
    found = count_many({key: (amount, seconds) for key, (amount, _limit, seconds) in counted.items()})
    return {key for key, (_amount, limit, _seconds) in counted.items() if found[key] > limit}


def count_many(amounts: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Count several keys in one statement: key → (uses, seconds). How often each was used in its running window."""
    if not amounts:
        return {}
    now = timezone.now().timestamp()
    values: list[Any] = []
    for key, (amount, seconds) in sorted(amounts.items()):  # always in one order: two callers never deadlock
        window = datetime.fromtimestamp(now - now % seconds, tz=UTC)
        values += [key[:120], connection.ops.adapt_datetimefield_value(window), amount]
    places = ", ".join(["(%s, %s, %s)"] * len(amounts))
    with durability.relaxed(), connection.cursor() as cursor:
        cursor.execute(_COUNT % places, values)
        found = dict(cursor.fetchall())
    return {key: found[key[:120]] for key in amounts}


_COUNT = (
    'INSERT INTO core_hit ("key", "window", "count") VALUES %s ON CONFLICT ("key", "window")'
    ' DO UPDATE SET "count" = core_hit."count" + excluded."count" RETURNING "key", "count"'
)


def forget(older_than: timedelta = timedelta(days=2)) -> int:
    """Delete windows that no limit looks at any more; how many went."""
    return Hit.objects.filter(window__lt=timezone.now() - older_than).delete()[0]
