"""What of a person's past a colleague may read: a line about a ticket is for those who may see the ticket (S-26)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from crm.customers.models import TimelineEntry

if TYPE_CHECKING:
    from crm.organisation.models import User

LOOKED_AT = 5
"""How many times the lines wanted are looked at, at most: foreign ones are left out of them."""

_kinds: dict[str, Callable[[User], QuerySet[Any]]] = {}


def register_kind(kind: str, visible: Callable[[User], QuerySet[Any]]) -> None:
    """Say which records of `kind`, as in `TimelineEntry.reference`, a user may see. Raises ValueError for a double."""
    if kind in _kinds:
        raise ValueError(f"{kind} is registered already")
    _kinds[kind] = visible


def visible_to(user: User, entries: QuerySet[TimelineEntry], most: int) -> list[TimelineEntry]:
    """The first `most` lines of `entries` that `user` may read; one about a record of an unknown kind is nobody's."""
    found = list(entries[: most * LOOKED_AT])
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in found:
        kind, _colon, key = entry.reference.partition(":")
        if kind in _kinds and key.isdigit():
            wanted[kind].add(int(key))
    seen = {""}
    for kind, keys in wanted.items():
        rows = _kinds[kind](user).filter(pk__in=keys).values_list("pk", flat=True)
        seen |= {f"{kind}:{key}" for key in rows}
    return [entry for entry in found if entry.reference in seen][:most]
