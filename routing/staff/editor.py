"""What the template of the rule editor shows: a draft as a flat list of lines with their widgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext as _

from routing import registry
from routing.conditions import MAX_DEPTH
from routing.operators import operators
from routing.staff.draft import Action, Condition, Draft, Group
from routing.words import Labels

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Widget = Literal["none", "select", "checks", "text", "lines", "number", "pattern", "long", "tags"]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select or a list of check boxes."""

    value: str
    label: StrOrPromise
    chosen: bool = False
    group: StrOrPromise = ""


@dataclass(slots=True)
class Field:
    """One widget."""

    name: str
    label: StrOrPromise
    widget: Widget
    value: str = ""
    options: list[Option] = field(default_factory=list)
    unit: StrOrPromise = ""
    required: bool = True

    @property
    def wide(self) -> bool:
        """Needs a line of its own: more check boxes than fit beside the comparison."""
        return self.widget == "checks" and sum(len(str(option.label)) + 4 for option in self.options) > 45


@dataclass(slots=True)
class Line:
    """One row of the editor, or the end of a group."""

    type: Literal["group", "condition", "action", "end"]
    mark: str = ""
    key: int = 0
    number: int = 0
    error: str = ""
    focus: bool = False
    first: bool = False
    last: bool = False
    outermost: bool = False
    deepest: bool = False
    """No group fits into this one."""
    joint: StrOrPromise = ""
    """The word between this row and the one above."""
    choose: Field | None = None
    compare: Field | None = None
    fields: list[Field] = field(default_factory=list)


class Editor:
    """A draft, ready to be shown."""

    def __init__(self, draft: Draft, event: str = "", *, macro: bool = False) -> None:
        self.draft, self.event, self.macro = draft, event, macro
        self.labels = Labels()

    def condition_lines(self) -> list[Line]:
        """Groups, conditions and ends, in the order of the page."""
        return list(self._group(self.draft.root))

    def action_lines(self) -> list[Line]:
        """The actions."""
        steps = self.draft.actions
        return [self._action(step, place, len(steps)) for place, step in enumerate(steps)]

    def _group(self, group: Group, *, depth: int = 0, **place: Any) -> Iterator[Line]:
        outermost = depth == 0
        matches = {
            "all": _("All of these must hold"),
            "any": _("At least one of these must hold"),
            "none": _("None of these may hold"),
        }
        choose = Field(f"g{group.key}-match", _("How many must hold"), "select")
        choose.options = [Option(value, label, value == group.match) for value, label in matches.items()]
        yield Line("group", f"g{group.key}", group.key, outermost=outermost, choose=choose, **place)
        joint = {"any": _("or"), "none": _("nor")}.get(group.match, _("and"))
        for number, item in enumerate(group.items):
            where: dict[str, Any] = {
                "first": number == 0,
                "last": number == len(group.items) - 1,
                "joint": joint if number else "",
            }
            if isinstance(item, Group):
                yield from self._group(item, depth=depth + 1, **where)
            else:
                yield self._condition(item, **where)
        yield Line("end", f"g{group.key}", outermost=outermost, deepest=depth >= MAX_DEPTH - 1)

    def _condition(self, row: Condition, **place: Any) -> Line:
        choose = Field(f"c{row.key}-fact", _("What to ask about"), "select")
        choose.options = [Option("", _("Choose…"), not row.fact)]
        known = registry.facts(self.event)
        if row.kind is not None and row.kind not in known:
            known.append(row.kind)
        groups = list(dict.fromkeys(str(fact.group) for fact in known))
        known.sort(key=lambda fact: groups.index(str(fact.group)))
        choose.options += [Option(f.name, _capital(f.label), f.name == row.fact, f.group) for f in known]
        if row.fact and row.kind is None:
            choose.options.append(Option(row.fact, row.fact, True))
        line = Line("condition", f"c{row.key}", row.key, error=row.error, choose=choose, **place)
        line.focus = self.draft.focus == line.mark
        if row.kind is None:
            return line
        line.compare = Field(f"c{row.key}-operator", _("How to compare"), "select")
        line.compare.options = [
            Option(name, operator.label, name == row.operator) for name, operator in operators(row.kind).items()
        ]
        value = self._value(row)
        if value is not None:
            line.fields = [value]
        return line

    def _value(self, row: Condition) -> Field | None:
        fact, operator = row.kind, row.comparison
        if fact is None or operator is None or operator.needs == "nothing":
            return None
        shown = Field(f"c{row.key}-value", _("Value"), "text", row.values[0] if row.values else "", unit=fact.unit)
        if operator.needs == "pattern":
            shown.widget = "pattern"
        elif fact.choices and (operator.needs == "many" or fact.kind != "set"):
            shown.widget = "checks" if operator.needs == "many" else "select"
            shown.options = self._options(self.labels.of(fact, fact), row.values)
            if shown.widget == "select":
                shown.options.insert(0, Option("", _("Choose…"), not row.values))
        elif operator.needs == "many":
            shown.widget, shown.value = "lines", row.text
        elif operator.needs == "number":
            shown.widget = "number"
        return shown

    def _options(self, labels: dict[str, str], chosen: list[str]) -> list[Option]:
        options = [Option(value, label, value in chosen) for value, label in labels.items()]
        gone = [value for value in chosen if value not in labels]
        return options + [Option(value, _("%(value)s (no longer there)") % {"value": value}, True) for value in gone]

    def _action(self, step: Action, place: int, count: int) -> Line:
        choose = Field(f"a{step.key}-action", _("What to do"), "select")
        choose.options = [Option("", _("Choose…"), not step.action)]
        known = registry.actions(macro=self.macro)
        choose.options += [Option(kind.name, _capital(kind.label), kind.name == step.action) for kind in known]
        if step.action and step.kind not in known:
            choose.options.append(Option(step.action, step.kind.label if step.kind else step.action, True))
        line = Line("action", f"a{step.key}", step.key, place + 1, step.error, choose=choose)
        line.first, line.last = place == 0, place == count - 1
        line.focus = self.draft.focus == line.mark
        kind = step.kind
        if kind is None:
            return line
        for parameter in kind.parameters:
            value = step.values.get(parameter.name) or ""
            several = [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
            shown = Field(
                f"a{step.key}-{parameter.name}", _capital(parameter.label), "text", required=parameter.required
            )
            shown.value = ", ".join(several)
            if parameter.kind in ("choice", "choices"):
                shown.widget = "checks" if parameter.kind == "choices" else "select"
                shown.options = self._options(self.labels.of(kind, parameter), several)
                if shown.widget == "select":
                    shown.options.insert(0, Option("", _("Choose…"), not several))
            elif parameter.kind in ("long", "tags", "number"):
                shown.widget = parameter.kind
            line.fields.append(shown)
        return line


def _capital(label: StrOrPromise) -> str:
    text = str(label)
    return text[:1].upper() + text[1:]
