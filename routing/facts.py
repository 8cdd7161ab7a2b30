"""The facts of one event as rules read them: asked once, folded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from core.patterns import plain

MAX_TEXT = 100_000
"""Characters of a text that conditions look at; a mail of megabytes is not worth more."""
MAX_ITEMS = 1_000
"""Members of a set that conditions look at."""
SHORT = 200
"""Characters of a value that is kept as the reason of a match."""


def fold(text: str) -> str:
    """The text as comparisons see it: no case, no width (full-width letters are letters), single spaces."""
    if text.isascii():
        return " ".join(text[:MAX_TEXT].lower().split())
    return " ".join(plain(text, MAX_TEXT).casefold().split())


def shorten(value: Any) -> str:
    """A value as it is kept in a rule run, at most `SHORT` characters."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, Iterable):
        text = ", ".join(str(item) for item in value)
    else:
        text = "" if value is None else str(value)
    text = text.strip()
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"


class Reading:
    """A cache over the mapping of facts, for one run of the rules. A missing fact reads as empty."""

    __slots__ = ("_facts", "_folded", "_values")

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._values: dict[str, Any] = {}
        self._folded: dict[str, tuple[Any, Any]] = {}

    def forget(self) -> None:
        """Ask the mapping again from now on: an action may have changed what it answers."""
        self._values.clear()

    def value(self, name: str) -> Any:
        """The fact as the mapping gives it."""
        try:
            return self._values[name]
        except KeyError:
            value = self._values[name] = self._facts.get(name)
            return value

    def text(self, name: str) -> str:
        """The fact as one folded text."""
        raw = self.value(name)
        known = self._folded.get(name)
        if known is not None and known[0] is raw:
            return known[1]
        folded = "" if raw is None else fold(str(raw))
        self._folded[name] = (raw, folded)
        return folded

    def items(self, name: str) -> frozenset[str]:
        """The fact as a set of folded texts; a single text counts as a set of one."""
        raw = self.value(name)
        known = self._folded.get(name)
        if known is not None and known[0] is raw:
            return known[1]
        if raw is None or raw == "":
            several: Iterable[Any] = ()
        elif isinstance(raw, str):
            several = (raw,)
        else:
            several = raw
        folded = frozenset(fold(str(item)) for item in islice(several, MAX_ITEMS))
        self._folded[name] = (raw, folded)
        return folded

    def number(self, name: str) -> Decimal | None:
        """The fact as a number, or None."""
        raw = self.value(name)
        return None if raw is None or raw == "" else Decimal(str(raw))
