"""Runs rules: told facts, it says which rules match and why, and has their actions done.

Rules of an event run in order, each seeing what the ones before it changed. A rule that cannot be built or fails is
noted in the run and never stops the others.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from core.composed import Composed
from routing import conditions, registry
from routing.conditions import Reason, RuleInvalid
from routing.facts import Reading, shorten
from routing.models import Rule, RuleRun
from routing.registry import ActionKind

__all__ = ["MAX_DEPTH", "CompiledRule", "Explanation", "RuleBook", "RuleInvalid", "compile_rule", "load", "perform"]

logger = logging.getLogger(__name__)

MAX_DEPTH = 10
"""How often, for one thing that happened, rules may be started by what rules did."""
MAX_ERRORS = 50
"""Faults kept in one run."""
MAX_ACTIONS = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters."""

    kind: ActionKind
    parameters: Mapping[str, Any]

    def apply(self, target: Any, name: str) -> str:
        """Do it for the rule or macro of this name; what came of it, see `registry.Apply`.

        Raises RuleInvalid when it names somebody or something that is no longer there, and what the action raises.
        """
        try:
            return self.kind.apply(target, self.parameters, name)
        except ObjectDoesNotExist:
            gone = gettext("“%(action)s”: what it names is no longer there.") % {"action": self.kind.label}
            raise RuleInvalid(gone) from None


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to run."""

    id: int | None
    name: str
    event: str
    idle_minutes: int | None
    written: Mapping[str, Any]
    """The conditions as they are stored."""
    condition: conditions.Node
    steps: tuple[Step, ...]
    stop: bool

    @property
    def changes(self) -> bool:
        """Whether it does anything that another rule could see."""
        return any(step.kind.changes for step in self.steps)

    def matches(self, reading: Reading) -> bool:
        """Whether its time has come and its conditions hold."""
        return all(reason.holds for reason in self._time(reading)) and self.condition.test(reading)

    def reasons(self, reading: Reading) -> tuple[Reason, ...]:
        """Every comparison with its outcome, that of the time first."""
        return (*self._time(reading), *self.condition.reasons(reading))

    def _time(self, reading: Reading) -> tuple[Reason, ...]:
        if self.idle_minutes is None:
            return ()
        fact = Rule.AFTER[Rule.Event(self.event)]
        passed = reading.number(fact)
        come = passed is not None and passed >= self.idle_minutes
        return (Reason(fact, "at_least", str(self.idle_minutes), shorten(passed), come),)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule would make of given facts."""

    rule: int | None
    name: str
    matched: bool
    reached: bool
    """False when a rule before it would have stopped."""
    reasons: tuple[Reason, ...]
    fault: str = ""


def compile_rule(rule: Rule) -> CompiledRule:
    """Build conditions and actions. Raises RuleInvalid with words for the person who writes the rule."""
    if rule.event in Rule.AFTER and not rule.minutes:
        raise RuleInvalid(_("Say after how many minutes the rule runs."))
    node = conditions.build(rule.conditions)
    steps = compile_actions(rule.actions)
    if not steps and not rule.stop:
        raise RuleInvalid(_("The rule does nothing: add an action."))
    return CompiledRule(
        id=rule.pk,
        name=rule.name,
        event=rule.event,
        idle_minutes=rule.minutes,
        written=rule.conditions or {},
        condition=node,
        steps=steps,
        stop=rule.stop or any(step.kind is registry.STOP for step in steps),
    )


def compile_actions(actions: Any) -> tuple[Step, ...]:
    """Build the actions of a rule or a macro. Raises RuleInvalid."""
    if not isinstance(actions, list):
        raise RuleInvalid(_("The actions cannot be read."))
    if len(actions) > MAX_ACTIONS:
        raise RuleInvalid(_("There can be %(count)d actions at most.") % {"count": MAX_ACTIONS})
    return tuple(compile_action(item) for item in actions)


def compile_action(item: Any) -> Step:
    """Build one action `{"action": NAME, …parameters}`. Raises RuleInvalid."""
    name = item.get("action", "") if isinstance(item, dict) else ""
    kind = registry.action(str(name))
    if kind is None:
        raise RuleInvalid(_("“%(name)s” is not something a rule can do.") % {"name": name})
    known = {parameter.name for parameter in kind.parameters}
    stray = set(item) - known - {"action"}
    if stray:
        raise RuleInvalid(_("“%(action)s” does not know “%(name)s”.") % {"action": kind.label, "name": min(stray)})
    for parameter in kind.parameters:
        value = item.get(parameter.name)
        if value in (None, "", []):
            if parameter.required:
                raise RuleInvalid(_("“%(action)s” needs “%(name)s”.") % {"action": kind.label, "name": parameter.label})
            continue
        several = parameter.kind in ("choices", "tags")
        if several != isinstance(value, list) or (parameter.kind == "number" and not str(value).isdecimal()):
            raise RuleInvalid(
                _("“%(name)s” of “%(action)s” cannot be read.") % {"action": kind.label, "name": parameter.label}
            )
    return Step(kind, {key: value for key, value in item.items() if key != "action"})


def perform(actions: Any, target: Any, name: str) -> None:
    """Do the actions of a macro. Raises RuleInvalid; then nothing of it may be saved."""
    for step in compile_actions(actions):
        step.apply(target, name)


@dataclass
class RuleBook:
    """All active rules, built. Take a new one from `load` for every batch of work."""

    rules: Mapping[str, tuple[CompiledRule, ...]] = field(default_factory=dict)
    broken: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    paused: set[int] = field(default_factory=set)
    """Rules that were paused while this book was in use."""

    def of(self, event: str) -> tuple[CompiledRule, ...]:
        """The rules of an event in their order."""
        return self.rules.get(event, ())

    def run(
        self,
        event: str,
        subject: str,
        facts: Mapping[str, Any],
        target: Any,
        depth: int = 0,
        *,
        without: Collection[int] = (),
        again: Collection[int] = (),
        told: Collection[int] = (),
    ) -> RuleRun:
        """Put an event to the rules; the actions of those that match are applied to `target`.

        `depth` counts how many times rules started rules since the thing that really happened. At MAX_DEPTH a rule
        that would change something again is paused instead: one of `again`, which did something twice on the way, or
        any when that names none. `without` names rules to leave out, `told` those that matched on the way already: what
        they only tell (a note, a notice) is not told again.
        Returns the run, unsaved. Raises only DatabaseError, because the transaction is lost then anyway.
        """
        run = RuleRun(event=event, subject=subject, matched=[], errors=list(self.broken.get(event, ())[:MAX_ERRORS]))
        reading = Reading(facts)
        for rule in self.of(event):
            if rule.id in self.paused or rule.id in without:
                continue
            try:
                if not rule.matches(reading):
                    continue
                because = [reason.row() for reason in rule.reasons(reading) if reason.holds]
            except DatabaseError:
                raise
            except Exception as fault:  # one bad rule never stops the others (S-67)
                _note(run, rule, fault)
                continue
            if depth >= MAX_DEPTH and (not again or rule.id in again):
                self._circle(run, rule)
                continue
            did = self._apply(run, rule, target, quiet=rule.id in told)
            run.matched.append({"rule": rule.id, "name": rule.name, "because": because, "did": did})
            if rule.stop:
                break
            reading.forget()
        run.failed = bool(run.errors)
        return run

    def matching(self, event: str, facts: Mapping[str, Any]) -> set[int]:
        """Keys of the rules whose conditions hold now. Nothing is done; one that cannot be evaluated is left out."""
        found, reading = set(), Reading(facts)
        for rule in self.of(event):
            try:
                if rule.id is not None and rule.matches(reading):
                    found.add(rule.id)
            except DatabaseError:
                raise
            except Exception as fault:
                logger.warning("Rule %s (%r) failed on %s", rule.id, rule.name, event, exc_info=fault)
        return found

    def explain(self, event: str, facts: Mapping[str, Any]) -> list[Explanation]:
        """What each rule would make of these facts. Nothing is done, so what an action changes is not seen."""
        reading, stopped, told = Reading(facts), False, []
        for rule in self.of(event):
            explanation = explain(rule, reading, reached=not stopped)
            told.append(explanation)
            stopped = stopped or (explanation.matched and rule.stop)
        return told

    def _apply(self, run: RuleRun, rule: CompiledRule, target: Any, *, quiet: bool) -> list[list[str]]:
        did = []
        for step in rule.steps:
            if quiet and not step.kind.changes:
                continue
            try:
                outcome = step.apply(target, rule.name)
            except DatabaseError:
                raise
            except Exception as fault:
                _note(run, rule, fault)
                continue
            if outcome:
                did.append([step.kind.name, shorten(outcome)])
        return did

    def _circle(self, run: RuleRun, rule: CompiledRule) -> None:
        if not rule.changes:
            return
        if rule.id is not None:
            Rule.objects.filter(pk=rule.id, paused_because="").update(paused_because=CIRCLE)
            self.paused.add(rule.id)
        logger.warning("Rule %s (%r) paused: rules of %s went round in circles", rule.id, rule.name, run.event)
        _note(run, rule, RuleInvalid(gettext(CIRCLE)))


CIRCLE = gettext_noop("This rule and others started each other again and again.")


def explain(rule: CompiledRule, reading: Reading, *, reached: bool = True) -> Explanation:
    """What one rule makes of these facts, with the outcome of every comparison."""
    try:
        matched = rule.matches(reading)
        reasons = rule.reasons(reading)
    except DatabaseError:
        raise
    except Exception as fault:
        return Explanation(rule.id, rule.name, False, reached, (), shorten(str(fault) or type(fault).__name__))
    return Explanation(rule.id, rule.name, matched, reached, reasons)


def _note(run: RuleRun, rule: CompiledRule, fault: Exception) -> None:
    if not isinstance(fault, RuleInvalid):
        logger.warning("Rule %s (%r) failed on %s", rule.id, rule.name, run.event, exc_info=fault)
    if len(run.errors) < MAX_ERRORS:
        run.errors.append(_fault(rule.id, rule.name, fault))


def _fault(pk: int | None, name: str, fault: Exception) -> dict[str, Any]:
    return {"rule": pk, "name": name, "error": shorten(str(fault) or type(fault).__name__)}


_compiled: dict[int, tuple[Any, CompiledRule | None, dict[str, Any] | None]] = {}
_known: tuple[tuple[Any, ...], RuleBook] = ((), RuleBook())


_revisions = Composed(lambda: Rule.objects.filter(active=True, paused_because="").values_list("pk", "revision"))


def load() -> RuleBook:
    """The active rules. One small query; only what was saved since the last call is read and built again."""
    global _known
    key = tuple(_revisions())
    if key != _known[0]:
        _known = (key, _read(key))
    book = _known[1]
    return RuleBook(book.rules, book.broken)


def _read(key: Iterable[tuple[int, Any]]) -> RuleBook:
    wanted = dict(key)
    stale = [pk for pk, revision in wanted.items() if pk not in _compiled or _compiled[pk][0] != revision]
    fresh = Rule.objects.all() if len(stale) > 500 else Rule.objects.filter(pk__in=stale)
    for rule in fresh:
        try:
            _compiled[rule.pk] = (rule.revision, compile_rule(rule), None)
        except RuleInvalid as fault:
            _compiled[rule.pk] = (rule.revision, None, {"event": rule.event, **_fault(rule.pk, rule.name, fault)})
    for gone in [pk for pk in _compiled if pk not in wanted]:
        del _compiled[gone]
    rules: dict[str, list[CompiledRule]] = {}
    broken: dict[str, list[dict[str, Any]]] = {}
    for pk in wanted:
        if pk not in _compiled:  # deleted between the two queries
            continue
        _revision, compiled, wrong = _compiled[pk]
        if compiled is not None:
            rules.setdefault(compiled.event, []).append(compiled)
        elif wrong is not None:
            broken.setdefault(wrong["event"], []).append({k: v for k, v in wrong.items() if k != "event"})
    return RuleBook(
        {event: tuple(found) for event, found in rules.items()},
        {event: tuple(found) for event, found in broken.items()},
    )
