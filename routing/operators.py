"""The comparisons that conditions know, for each kind of fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext_lazy as _

from core.patterns import Pattern
from routing.facts import Reading, fold

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from routing.registry import Fact

Test = Callable[[Reading], bool]
Needs = Literal["nothing", "one", "many", "number", "pattern"]
"""What a person has to fill in: nothing, str, list[str], Decimal or Pattern for `build`."""

MAX_SEARCHED = 50
"""Members of a set that a pattern is tried on."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A way to compare. `build(fact name, value)` gives the test."""

    label: StrOrPromise
    needs: Needs
    build: Callable[[str, Any], Test]


def _text_is(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: reading.text(name) == wanted


def _text_contains(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: wanted in reading.text(name)


def _text_starts(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: reading.text(name).startswith(wanted)


def _text_ends(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: reading.text(name).endswith(wanted)


def _text_matches(name: str, value: Pattern) -> Test:
    return lambda reading: value.find(str(reading.value(name) or "")) is not None


def _text_one_of(name: str, value: list[str]) -> Test:
    wanted = frozenset(map(fold, value))
    return lambda reading: reading.text(name) in wanted


def _is_set(name: str, _value: None) -> Test:
    return lambda reading: reading.value(name) not in (None, "") and reading.text(name) != ""


def _items_contain(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: any(wanted in item for item in reading.items(name))


def _items_start(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: any(item.startswith(wanted) for item in reading.items(name))


def _items_end(name: str, value: str) -> Test:
    wanted = fold(value)
    return lambda reading: any(item.endswith(wanted) for item in reading.items(name))


def _items_match(name: str, value: Pattern) -> Test:
    return lambda reading: any(value.find(item) is not None for item in islice(reading.items(name), MAX_SEARCHED))


def _items_one_of(name: str, value: list[str]) -> Test:
    wanted = frozenset(map(fold, value))
    return lambda reading: not wanted.isdisjoint(reading.items(name))


def _items_all(name: str, value: list[str]) -> Test:
    wanted = frozenset(map(fold, value))
    return lambda reading: wanted <= reading.items(name)


def _items_set(name: str, _value: None) -> Test:
    return lambda reading: bool(reading.items(name))


def _number_is(name: str, value: Decimal) -> Test:
    return lambda reading: reading.number(name) == value


def _number_greater(name: str, value: Decimal) -> Test:
    return lambda reading: (found := reading.number(name)) is not None and found > value


def _number_less(name: str, value: Decimal) -> Test:
    return lambda reading: (found := reading.number(name)) is not None and found < value


def _number_at_least(name: str, value: Decimal) -> Test:
    return lambda reading: (found := reading.number(name)) is not None and found >= value


def _number_at_most(name: str, value: Decimal) -> Test:
    return lambda reading: (found := reading.number(name)) is not None and found <= value


def _number_set(name: str, _value: None) -> Test:
    return lambda reading: reading.number(name) is not None


def _yes(name: str, _value: None) -> Test:
    return lambda reading: bool(reading.value(name))


def _not(build: Callable[[str, Any], Test]) -> Callable[[str, Any], Test]:
    def negated(name: str, value: Any) -> Test:
        test = build(name, value)
        return lambda reading: not test(reading)

    return negated


_TEXT = {
    "contains": Operator(_("contains"), "one", _text_contains),
    "contains_not": Operator(_("does not contain"), "one", _not(_text_contains)),
    "is": Operator(_("is"), "one", _text_is),
    "is_not": Operator(_("is not"), "one", _not(_text_is)),
    "starts": Operator(_("starts with"), "one", _text_starts),
    "ends": Operator(_("ends with"), "one", _text_ends),
    "one_of": Operator(_("is one of"), "many", _text_one_of),
    "none_of": Operator(_("is none of"), "many", _not(_text_one_of)),
    "matches": Operator(_("matches the pattern"), "pattern", _text_matches),
    "set": Operator(_("is filled in"), "nothing", _is_set),
    "empty": Operator(_("is empty"), "nothing", _not(_is_set)),
}
_CHOICE = {
    "is": Operator(_("is"), "one", _text_is),
    "is_not": Operator(_("is not"), "one", _not(_text_is)),
    "one_of": Operator(_("is one of"), "many", _text_one_of),
    "none_of": Operator(_("is none of"), "many", _not(_text_one_of)),
    "set": Operator(_("is filled in"), "nothing", _is_set),
    "empty": Operator(_("is empty"), "nothing", _not(_is_set)),
}
_CHOICES = {
    "one_of": Operator(_("has one of"), "many", _items_one_of),
    "has_all": Operator(_("has all of"), "many", _items_all),
    "none_of": Operator(_("has none of"), "many", _not(_items_one_of)),
    "set": Operator(_("is filled in"), "nothing", _items_set),
    "empty": Operator(_("is empty"), "nothing", _not(_items_set)),
}
_SET = {
    "one_of": _CHOICES["one_of"],
    "has_all": _CHOICES["has_all"],
    "none_of": _CHOICES["none_of"],
    "contains": Operator(_("contains"), "one", _items_contain),
    "contains_not": Operator(_("does not contain"), "one", _not(_items_contain)),
    "starts": Operator(_("starts with"), "one", _items_start),
    "ends": Operator(_("ends with"), "one", _items_end),
    "matches": Operator(_("matches the pattern"), "pattern", _items_match),
    "set": _CHOICES["set"],
    "empty": _CHOICES["empty"],
}
_NUMBER = {
    "greater": Operator(_("is more than"), "number", _number_greater),
    "less": Operator(_("is less than"), "number", _number_less),
    "at_least": Operator(_("is at least"), "number", _number_at_least),
    "at_most": Operator(_("is at most"), "number", _number_at_most),
    "is": Operator(_("is"), "number", _number_is),
    "is_not": Operator(_("is not"), "number", _not(_number_is)),
    "set": Operator(_("is filled in"), "nothing", _number_set),
    "empty": Operator(_("is empty"), "nothing", _not(_number_set)),
}
_FLAG = {
    "yes": Operator(_("yes"), "nothing", _yes),
    "no": Operator(_("no"), "nothing", _not(_yes)),
}


def operators(fact: Fact) -> Mapping[str, Operator]:
    """What can be asked about this fact, the usual first."""
    if fact.kind == "set":
        return _CHOICES if fact.choices else _SET
    return {"text": _TEXT, "choice": _CHOICE, "number": _NUMBER, "flag": _FLAG}[fact.kind]
