"""What of a person's past a colleague may read: a line about a ticket is for those who may see the ticket (S-26)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.customers.models import TimelineEntry

if TYPE_CHECKING:
    from crm.organisation.models import User

LOOKED_AT = 5
"""How many times the lines wanted are looked at, at most: foreign ones are left out of them."""

Visible = Callable[["User"], QuerySet[Any]]
Describe = Callable[[int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Kind:
    visible: Visible
    describe: Describe | None


_kinds: dict[str, _Kind] = {}
_words: dict[str, Any] = {
    "contact.linked": _("Linked as the same person"),
    "contact.unlinked": _("Separated again"),
    "calls.refused": _("Wants no calls"),
    "calls.allowed": _("May be called again"),
}


def register_kind(
    kind: str, visible: Visible, *, describe: Describe | None = None, words: Mapping[str, Any] | None = None
) -> None:
    """Say which records of `kind`, as in `TimelineEntry.reference`, a user may see. Raises ValueError for a double.

    `describe(key)` gives the record's label and address, without asking the database; `words` says what the entry
    kinds of this room (`ticket.opened`) mean, for whoever reads a line.
    """
    if kind in _kinds:
        raise ValueError(f"{kind} is registered already")
    _kinds[kind] = _Kind(visible, describe)
    _words.update(words or {})


def visible_to(user: User, entries: QuerySet[TimelineEntry], most: int) -> list[TimelineEntry]:
    """The first `most` lines of `entries` that `user` may read; one about a record of an unknown kind is nobody's."""
    found = list(entries[: most * LOOKED_AT])
    seen = _visible(user, (entry.reference for entry in found)) | {""}
    shown = [entry for entry in found if entry.reference in seen][:most]
    for entry in shown:
        entry.words = str(_words.get(entry.kind, ""))
        entry.url = _link(entry.reference)[1]
    return shown


def links(user: User, references: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Label and address of each record that `user` may see; the others are missing."""
    return {reference: _link(reference) for reference in _visible(user, references)}


def _visible(user: User, references: Iterable[str]) -> set[str]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for reference in references:
        kind, _colon, key = reference.partition(":")
        if kind in _kinds and key.isdigit():
            wanted[kind].add(int(key))
    seen = set()
    for kind, keys in wanted.items():
        rows = _kinds[kind].visible(user).filter(pk__in=keys).values_list("pk", flat=True)
        seen |= {f"{kind}:{key}" for key in rows}
    return seen


def _link(reference: str) -> tuple[str, str]:
    kind, _colon, key = reference.partition(":")
    known = _kinds.get(kind)
    return known.describe(int(key)) if known and known.describe else ("", "")
