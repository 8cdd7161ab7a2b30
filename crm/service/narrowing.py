"""Which tickets can meet the conditions of a rule at all, so that the clock does not read the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Q

from crm.service.models import Ticket
from routing import conditions, registry
from routing.facts import Reading
from routing.models import Queue

NOBODY = Q(pk__in=[])


def _queues() -> Iterable[tuple[Any, Q]]:
    return [(name, Q(queue=pk)) for pk, name in Queue.objects.values_list("pk", "name")]


def _origins() -> list[str]:
    fact = registry.fact("origin")
    return [value for value, _label in fact.choices()] if fact and fact.choices else []


DOMAINS: dict[str, Callable[[], Iterable[tuple[Any, Q]]]] = {
    "status": lambda: [(value, Q(status=value)) for value in Ticket.Status.values],
    "priority": lambda: [(value, Q(priority=value)) for value in Ticket.Priority.values],
    "assigned": lambda: [(True, Q(assignee__isnull=False)), (False, Q(assignee__isnull=True))],
    "queue": _queues,
    "origin": lambda: [(value, Q(origin=value)) for value in _origins()],
}
"""Facts with few values → each of them, with the tickets that have it."""
OTHERS: dict[str, Callable[[], Q]] = {"origin": lambda: ~Q(origin__in=_origins())}
"""Tickets with a value that is none of these, such as a channel that was taken out: they may always match."""


def possible(tree: Mapping[str, Any], *, negated: bool = False) -> Q:
    """Tickets outside of it cannot meet these conditions (or, negated, cannot fail them); of those inside some may not.

    An empty Q says that any may. Raises routing.conditions.RuleInvalid.
    """
    if not tree:
        return Q()
    if "match" not in tree:
        return _comparison(tree, negated)
    match = tree["match"]
    turned = negated != (match == "none")
    parts = [possible(item, negated=turned) for item in tree["items"]]
    # Not any, and none, is every one turned; not all is one of them turned.
    together = (match == "all") != negated if match != "none" else not negated
    found = Q()
    for part in parts:
        if not together and not part:
            return Q()
        found = found & part if together else found | part
    return found


def _comparison(item: Mapping[str, Any], negated: bool) -> Q:
    fact = str(item.get("fact", ""))
    if fact not in DOMAINS:
        return Q()
    test = conditions.comparison(dict(item)).test
    found = OTHERS[fact]() if fact in OTHERS else NOBODY
    for value, having in DOMAINS[fact]():
        if test(Reading({fact: value})) != negated:
            found |= having
    return found
