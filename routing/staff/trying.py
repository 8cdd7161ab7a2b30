"""A rule tried on what has happened, before it goes live. Nothing is done and nothing is saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing import engine, registry
from routing.conditions import Reason
from routing.facts import Reading
from routing.models import Rule
from routing.words import Labels, reason

CASES = 50


@dataclass(frozen=True, slots=True)
class Tried:
    """One past case."""

    label: str
    url: str
    at: datetime
    matched: bool
    held: tuple[str, ...]
    """Comparisons that came out as the rule needs them, in words."""
    failed: tuple[str, ...]
    fault: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome. `known` is False when nobody keeps past cases of this event."""

    known: bool
    cases: tuple[Tried, ...] = ()

    @property
    def matching(self) -> list[Tried]:
        """Those that the rule would have matched."""
        return [case for case in self.cases if case.matched]

    @property
    def others(self) -> list[Tried]:
        """Those that it would have left alone."""
        return [case for case in self.cases if not case.matched]


def try_rule(rule: Rule, user: Any) -> Trial:
    """Put the newest cases that `user` may see to this one rule. Raises RuleInvalid."""
    compiled = engine.compile_rule(rule)
    provider = registry.history(rule.event)
    if provider is None:
        return Trial(False)
    labels, tried = Labels(), []
    for case in provider(user, CASES):
        found = engine.explain(compiled, Reading(case.facts))
        tried.append(
            Tried(
                case.label,
                case.url,
                case.at,
                found.matched,
                _words(found.reasons, labels, holds=True),
                _words(found.reasons, labels, holds=False),
                found.fault,
            )
        )
    return Trial(True, tuple(tried))


def _words(reasons: tuple[Reason, ...], labels: Labels, *, holds: bool) -> tuple[str, ...]:
    return tuple(reason(one.row(), labels) for one in reasons if one.holds is holds)
