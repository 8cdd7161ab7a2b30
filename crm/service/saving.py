"""The rows that a save of changes writes, few statements for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models

from core.rows import update
from crm.customers.models import Tag
from crm.service.models import Ticket

if TYPE_CHECKING:
    from crm.service.changes import Change, Effect


def save_rows(changes: Sequence[Change]) -> None:
    """One statement for all tickets of which the same columns changed."""
    groups: dict[tuple[str, ...], list[Ticket]] = {}
    for change in changes:
        groups.setdefault(change.dirty(), []).append(change.ticket)
    groups.pop((), None)
    for names, tickets in groups.items():
        update(tickets, names)


def with_values(row: Any, **values: Any) -> Any:
    """The row, with these values set."""
    for name, value in values.items():
        setattr(row, name, value)
    return row


def see_to(rows: Iterable[models.Model]) -> None:
    """Write those that are not there yet."""
    made = list(rows)
    if made:
        type(made[0])._default_manager.bulk_create(made, ignore_conflicts=True)


def save_tags(changes: Sequence[Change]) -> None:
    """Tags that were added, made where they are new, and those that were taken away."""
    added = [(c.ticket, c.tags - c.tags_before) for c in changes if c.tags - c.tags_before]
    if added:
        names = set().union(*(tags for _ticket, tags in added))
        Tag.objects.bulk_create([Tag(name=name) for name in sorted(names)], ignore_conflicts=True)
        keys = dict(Tag.objects.filter(name__in=names).values_list("name", "pk"))
        through = Ticket.tags.through
        see_to(through(ticket_id=t.pk, tag_id=keys[n]) for t, tags in added for n in tags)
    for change in changes:
        gone = change.tags_before - change.tags
        if gone:
            Ticket.tags.through.objects.filter(ticket=change.ticket, tag__name__in=gone).delete()


def write_effects(changes: Sequence[Change]) -> None:
    """All effects of a kind together."""
    kinds: dict[type[Effect], list[tuple[Change, Any]]] = {}
    for change in changes:
        for effect in change.effects:
            kinds.setdefault(type(effect), []).append((change, effect))
    for kind, items in kinds.items():
        kind.write(items)
