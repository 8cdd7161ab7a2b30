"""Conditions of rules: a tree of groups and comparisons, built once into closures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.patterns import MAX_LENGTH, Pattern, PatternInvalid
from routing import registry
from routing.facts import Reading, fold, shorten
from routing.operators import Operator, Test, operators

MAX_DEPTH = 5
"""Groups within groups."""
MAX_CONDITIONS = 100
"""Comparisons and groups in one rule; a form that holds them stays below the limit of fields in a request."""
GROUPS = ("all", "any", "none")
NEGATED = "not "
"""Stands before the operator of a reason that comes out of a `none` group."""


class RuleInvalid(ValueError):
    """Conditions or actions that cannot be built. The message is for the person who writes the rule."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One comparison and its outcome on given facts. `holds` is the outcome that the rule needs."""

    fact: str
    operator: str
    value: str
    found: str
    holds: bool

    def row(self) -> list[str]:
        """As RuleRun keeps it."""
        return [self.fact, self.operator, self.value, self.found]


@dataclass(frozen=True, slots=True)
class Node:
    """A built condition. `reasons` gives every comparison below it with its outcome."""

    test: Test
    reasons: Callable[[Reading], Iterator[Reason]]


def build(conditions: Any) -> Node:
    """Build a tree; an empty one always holds. Raises RuleInvalid."""
    if not conditions:
        return Node(lambda _reading: True, lambda _reading: iter(()))
    if not isinstance(conditions, dict) or "match" not in conditions:
        raise RuleInvalid(_("Conditions have to be a group."))
    if _count(conditions, 0) > MAX_CONDITIONS:
        raise RuleInvalid(_("A rule has at most %(count)d conditions.") % {"count": MAX_CONDITIONS})
    return _group(conditions, negated=False)


def _count(item: Any, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise RuleInvalid(_("Groups can be nested %(count)d deep at most.") % {"count": MAX_DEPTH})
    if not isinstance(item, dict):
        raise RuleInvalid(_("A condition cannot be read."))
    if "match" not in item:
        return 1
    items = item.get("items")
    if not isinstance(items, list):
        raise RuleInvalid(_("A group cannot be read."))
    return sum(_count(inner, depth + 1) for inner in items) + (1 if depth else 0)


def _group(group: dict[str, Any], *, negated: bool) -> Node:
    match = group["match"]
    if match not in GROUPS:
        raise RuleInvalid(_("A group asks for all, any or none of its conditions."))
    turned = negated != (match == "none")
    nodes = [
        _group(item, negated=turned) if "match" in item else comparison(item, negated=turned) for item in group["items"]
    ]
    tests = tuple(node.test for node in nodes)
    if not tests:
        return Node(lambda _reading: True, lambda _reading: iter(()))

    def every(reading: Reading) -> bool:
        return all(test(reading) for test in tests)

    def some(reading: Reading) -> bool:
        return any(test(reading) for test in tests)

    def none(reading: Reading) -> bool:
        return not some(reading)

    def reasons(reading: Reading) -> Iterator[Reason]:
        for node in nodes:
            yield from node.reasons(reading)

    if match == "none":
        return Node(none, reasons)
    if len(tests) == 1:
        return Node(tests[0], reasons)
    return Node(every if match == "all" else some, reasons)


def comparison(item: dict[str, Any], *, negated: bool = False) -> Node:
    """Build one comparison `{"fact", "operator", "value"}`. Raises RuleInvalid."""
    fact = registry.fact(str(item.get("fact", "")))
    if fact is None:
        raise RuleInvalid(_("“%(name)s” is not something a rule can ask about.") % {"name": item.get("fact", "")})
    name, chosen = fact.name, str(item.get("operator", ""))
    operator = operators(fact).get(chosen)
    if operator is None:
        raise RuleInvalid(
            _("“%(fact)s” cannot be compared by “%(operator)s”.") % {"fact": fact.label, "operator": chosen}
        )
    value = item.get("value")
    test = operator.build(name, _value(operator, value))
    shown = "" if operator.needs == "nothing" else shorten(value)
    needle = fold(value) if operator.needs == "one" and isinstance(value, str) else ""
    told = NEGATED + chosen if negated else chosen

    def reasons(reading: Reading) -> Iterator[Reason]:
        yield Reason(name, told, shown, _found(reading, name, needle), test(reading) != negated)

    return Node(test, reasons)


def _value(operator: Operator, value: Any) -> Any:
    if operator.needs == "nothing":
        return None
    if operator.needs == "number":
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            raise RuleInvalid(_("Write a number.")) from None
        if not number.is_finite():
            raise RuleInvalid(_("Write a number."))
        return number
    if operator.needs == "many":
        several = [str(v).strip() for v in value] if isinstance(value, list) else []
        several = [v for v in several if v]
        if not several:
            raise RuleInvalid(_("Name at least one value."))
        if len(several) > 1_000 or max(map(len, several)) > MAX_LENGTH:
            raise RuleInvalid(_("These are too many values, or one is too long."))
        return several
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise RuleInvalid(_("Fill in what to compare with."))
    if len(value) > MAX_LENGTH:
        raise RuleInvalid(_("A value has at most %(count)d characters.") % {"count": MAX_LENGTH})
    if operator.needs == "pattern":
        try:
            return Pattern(value)
        except PatternInvalid as fault:
            raise RuleInvalid(str(fault)) from None
    return value


def _found(reading: Reading, name: str, needle: str) -> str:
    """What the fact was; of a long text the passage around the words that were looked for."""
    raw = reading.value(name)
    if needle and isinstance(raw, str) and len(raw) > 120:
        text = reading.text(name)
        place = text.find(needle)
        if place >= 0:
            start, end = max(0, place - 40), place + len(needle) + 40
            return shorten(("…" if start else "") + text[start:end] + ("…" if end < len(text) else ""))
    return shorten(raw)
