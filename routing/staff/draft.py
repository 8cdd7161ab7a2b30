"""A rule while somebody writes it: rows of a form, which may be unfinished or wrong.

The form sends, in the order of the page, `line` values `gKEY` (a group begins), `cKEY` (a condition), `e` (the group
ends) and `aKEY` (an action); the fields of a row carry the same mark. A submit button named `do` changes the draft
without saving, so the editor works without JavaScript; with it, the same answer replaces the editor in the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from routing import conditions, engine, registry
from routing.conditions import RuleInvalid
from routing.operators import Operator, operators
from routing.registry import ActionKind, Fact, Parameter
from routing.words import Labels

MAX_LINES = 400


@dataclass
class Condition:
    """One comparison. `value` is a text, or a list where several are asked for."""

    key: int
    fact: str = ""
    operator: str = ""
    value: str | list[str] = ""
    error: str = ""
    is_group = False

    @property
    def kind(self) -> Fact | None:
        """The fact, when there is one of this name."""
        return registry.fact(self.fact)

    @property
    def comparison(self) -> Operator | None:
        """The operator, when the fact has it."""
        return operators(self.kind).get(self.operator) if self.kind else None

    @property
    def blank(self) -> bool:
        """Nothing has been chosen yet."""
        return not self.fact

    @property
    def values(self) -> list[str]:
        """The value as a list."""
        return self.value if isinstance(self.value, list) else [self.value] if self.value else []

    @property
    def text(self) -> str:
        """The value as lines."""
        return "\n".join(self.values)

    def stored(self) -> dict[str, Any]:
        """As Rule keeps it."""
        needs = self.comparison.needs if self.comparison else "one"
        stored: dict[str, Any] = {"fact": self.fact, "operator": self.operator}
        if needs == "many":
            stored["value"] = self.values
        elif needs != "nothing":
            stored["value"] = self.values[0] if self.values else ""
        return stored


@dataclass
class Group:
    """Conditions that belong together."""

    key: int
    match: str = "all"
    items: list[Condition | Group] = field(default_factory=list)
    error: str = ""
    is_group = True

    def stored(self) -> dict[str, Any]:
        """As Rule keeps it, without what is still blank."""
        items = [item.stored() for item in self.items if isinstance(item, Group) or not item.blank]
        return {"match": self.match, "items": [item for item in items if "match" not in item or item["items"]]}

    def everything(self) -> Iterator[Condition | Group]:
        """The group, and all that is in it."""
        yield self
        for item in self.items:
            yield from item.everything() if isinstance(item, Group) else [item]


@dataclass
class Action:
    """One action with what it is told."""

    key: int
    action: str = ""
    values: dict[str, str | list[str]] = field(default_factory=dict)
    error: str = ""

    @property
    def kind(self) -> ActionKind | None:
        """The action, when there is one of this name."""
        return registry.action(self.action)

    def stored(self) -> dict[str, Any]:
        """As Rule keeps it."""
        given = {name: value for name, value in self.values.items() if value not in ("", [], None)}
        return {"action": self.action, **given}


@dataclass
class Draft:
    """All rows of the editor."""

    root: Group = field(default_factory=lambda: Group(0))
    actions: list[Action] = field(default_factory=list)
    last_key: int = 0
    focus: str = ""
    """Key of the row that a person goes on with."""

    def key(self) -> int:
        """A key that no row has."""
        self.last_key += 1
        return self.last_key

    # From and to what is stored

    @classmethod
    def of(cls, tree: Any, steps: Any) -> Draft:
        """The draft of a stored rule or macro."""
        draft = cls()
        if isinstance(tree, dict) and "match" in tree:
            draft.root = draft._read_group(tree)
        draft.actions = [
            Action(draft.key(), str(step.get("action", "")), {k: v for k, v in step.items() if k != "action"})
            for step in steps or ()
            if isinstance(step, dict)
        ]
        return draft

    def _read_group(self, tree: Mapping[str, Any]) -> Group:
        group = Group(self.key(), str(tree["match"]))
        for item in tree.get("items", ()):
            if "match" in item:
                group.items.append(self._read_group(item))
                continue
            value = item.get("value")
            read = [str(one) for one in value] if isinstance(value, list) else "" if value is None else str(value)
            group.items.append(Condition(self.key(), str(item.get("fact")), str(item.get("operator")), read))
        return group

    @classmethod
    def posted(cls, data: QueryDict) -> Draft:
        """The draft in a submitted form; lines that cannot be read are left out."""
        draft = cls()
        open_groups: list[Group] = []
        for line in data.getlist("line")[:MAX_LINES]:
            kind, number = line[:1], line[1:]
            if kind == "e":
                if len(open_groups) > 1:
                    open_groups.pop()
                continue
            if not number.isdecimal() or len(number) > 6:
                continue
            key = int(number)
            draft.last_key = max(draft.last_key, key)
            if kind == "a":
                draft.actions.append(_posted_action(data, key))
            elif kind == "g":
                match = data.get(f"g{key}-match", "all")
                group = Group(key, match if match in conditions.GROUPS else "all")
                if open_groups:
                    open_groups[-1].items.append(group)
                else:
                    draft.root = group
                open_groups.append(group)
            elif kind == "c" and open_groups:
                open_groups[-1].items.append(_posted_condition(data, key))
        return draft

    def stored_conditions(self) -> dict[str, Any]:
        """As Rule keeps them; empty when there are none."""
        stored = self.root.stored()
        return stored if stored["items"] else {}

    def stored_actions(self) -> list[dict[str, Any]]:
        """As Rule keeps them, without what is still blank."""
        return [step.stored() for step in self.actions if step.action]

    # Changes by the buttons of the editor

    def change(self, what: str) -> None:
        """Do what a button named `do` says; anything unknown changes nothing."""
        verb, _colon, where = what.partition(" ")
        if verb == "add-action":
            self.actions.append(Action(self.key()))
            self.focus = f"a{self.last_key}"
        elif verb in ("add-condition", "add-group"):
            group = next((g for g in self.root.everything() if isinstance(g, Group) and f"g{g.key}" == where), None)
            if group is not None:
                row = Condition(self.key())
                self.focus = f"c{row.key}"
                group.items.append(Group(self.key(), "any", [row]) if verb == "add-group" else row)
        elif verb in ("remove", "up", "down"):
            self._rearrange(verb, where)

    def _rearrange(self, verb: str, where: str) -> None:
        rows: list[list[Any]] = [self.actions]
        rows += [g.items for g in self.root.everything() if isinstance(g, Group)]
        for siblings in rows:
            for place, row in enumerate(siblings):
                mark = f"{'a' if isinstance(row, Action) else 'g' if row.is_group else 'c'}{row.key}"
                if mark != where:
                    continue
                siblings.pop(place)
                if verb != "remove":
                    siblings.insert(max(0, place + (-1 if verb == "up" else 1)), row)
                    self.focus = where
                return

    # Checks

    def faults(self) -> list[str]:
        """What the last check found."""
        return [row.error for row in [*self.root.everything(), *self.actions] if row.error]

    def check(self, event: str = "", *, macro: bool = False, labels: Labels | None = None) -> bool:
        """Build every row by itself and write what is wrong beside it; True when nothing is."""
        labels = labels or Labels()
        for item in self.root.everything():
            item.error = "" if isinstance(item, Group) or item.blank else _fault_of(item, event, labels)
        for step in self.actions:
            step.error = _fault_of_action(step, labels, macro=macro) if step.action else ""
        return not self.faults()


def _posted_condition(data: QueryDict, key: int) -> Condition:
    fact = data.get(f"c{key}-fact", "")[:60]
    operator = data.get(f"c{key}-operator", "")[:20]
    known = registry.fact(fact)
    if known is not None and operator not in operators(known):
        operator = next(iter(operators(known)))
    row = Condition(key, fact, operator)
    given = [value.strip() for value in data.getlist(f"c{key}-value") if value.strip()]
    if row.comparison is not None and row.comparison.needs == "many":
        row.value = given if known and known.choices else [one for text in given for one in _several(text, lines=True)]
    else:
        row.value = given[0] if given else ""
    return row


def _posted_action(data: QueryDict, key: int) -> Action:
    step = Action(key, data.get(f"a{key}-action", "")[:60])
    for parameter in step.kind.parameters if step.kind else ():
        name = f"a{key}-{parameter.name}"
        if parameter.kind == "choices":
            step.values[parameter.name] = [value for value in data.getlist(name) if value]
        elif parameter.kind == "tags":
            step.values[parameter.name] = _several(data.get(name, ""))
        else:
            step.values[parameter.name] = data.get(name, "").replace("\r\n", "\n").strip()
    return step


def _several(text: str, *, lines: bool = False) -> list[str]:
    parts = text.splitlines() if lines and "\n" in text else re.split(r"[,，、;；\n]", text)
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _fault_of(row: Condition, event: str, labels: Labels) -> str:
    try:
        conditions.comparison(row.stored())
    except RuleInvalid as fault:
        return str(fault)
    known = row.kind
    if known is None or row.comparison is None:
        return ""
    if event and known.events is not None and event not in known.events:
        return _("This is not known at the time the rule runs.")
    if known.choices and row.comparison.needs in ("one", "many", "number"):
        gone = [value for value in row.values if value not in labels.of(known, known)]
        if gone and known.kind != "set":
            return _("“%(value)s” is no longer there: choose another.") % {"value": gone[0]}
    return ""


def _fault_of_action(step: Action, labels: Labels, *, macro: bool) -> str:
    try:
        kind = engine.compile_action(step.stored()).kind
    except RuleInvalid as fault:
        return str(fault)
    if macro and not kind.macro:
        return _("A macro cannot do this.")
    for parameter in kind.parameters:
        if parameter.choices and (gone := _gone(step, kind, parameter, labels)):
            return _("“%(value)s” is no longer there: choose another.") % {"value": gone}
    return ""


def _gone(step: Action, kind: ActionKind, parameter: Parameter, labels: Labels) -> str:
    value = step.values.get(parameter.name) or []
    several = value if isinstance(value, list) else [value]
    known = labels.of(kind, parameter)
    return next((str(one) for one in several if str(one) not in known), "")
