"""The time zones that this machine knows."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones


@cache
def known() -> frozenset[str]:
    """Names of the IANA database. It is read once: that takes some ten milliseconds."""
    return frozenset(available_timezones())
