"""Rules as sentences that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from routing import registry
from routing.conditions import NEGATED
from routing.operators import operators

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from routing.registry import ActionKind, Fact, Parameter

SHOWN = 60
"""Characters of a value in a sentence."""


class Labels:
    """What stored values are called, looked up once a screen."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, owner: Fact | ActionKind, source: Fact | Parameter) -> dict[str, str]:
        """Value → label of a fact's or a parameter's choices; empty when anything can be written."""
        key = (owner.name if owner is not source else "", source.name)
        if key not in self._known:
            found = source.choices() if source.choices else ()
            self._known[key] = {str(value): str(label) for value, label in found}
        return self._known[key]


def comma() -> str:
    """What stands between items of a list, in the reader's punctuation."""
    return pgettext("between items of a list", ", ")


def _listed(items: Sequence[str], last: str) -> str:
    """`a, b or c` in the reader's punctuation; Django's own list keeps the Latin comma in Chinese."""
    if len(items) < 2:
        return "".join(items)
    return f"{comma().join(items[:-1])} {last} {items[-1]}"


def conditions(tree: Any, labels: Labels, minutes: int | None = None) -> str:
    """When the rule matches."""
    said = _group(tree, labels, outermost=True) if isinstance(tree, dict) else ""
    if minutes:
        waited = ngettext("after %(count)d minute", "after %(count)d minutes", minutes) % {"count": minutes}
        said = _("%(first)s and %(second)s") % {"first": waited, "second": said} if said else waited
    return _("If %(conditions)s") % {"conditions": said} if said else pgettext("rule without conditions", "Always")


def actions(steps: Any, labels: Labels, *, stop: bool = False) -> str:
    """What the rule does."""
    said = [action(step, labels) for step in steps or () if isinstance(step, dict)]
    if stop and not any(step.get("action") == "stop" for step in steps or () if isinstance(step, dict)):
        said.append(_("no further rules"))
    return pgettext("between the actions of a rule", ", ").join(said) or _("nothing")


def _group(tree: Mapping[str, Any], labels: Labels, *, outermost: bool = False) -> str:
    said = [
        _group(item, labels) if "match" in item else condition(item, labels)
        for item in tree.get("items", ())
        if isinstance(item, dict)
    ]
    said = [one for one in said if one]
    if not said:
        return ""
    match = tree.get("match")
    if match == "none":
        return _("none of these: %(conditions)s") % {"conditions": pgettext("between conditions", "; ").join(said)}
    joined = _listed(said, _("or") if match == "any" else _("and"))
    return joined if outermost or len(said) == 1 else f"({joined})"


def condition(item: Mapping[str, Any], labels: Labels) -> str:
    """One comparison."""
    name, chosen = str(item.get("fact", "")), str(item.get("operator", ""))
    fact = registry.fact(name)
    if fact is None:
        return name
    operator = operators(fact).get(chosen)
    if operator is None:
        return str(fact.label)
    if fact.kind == "flag":
        template = _("%(fact)s") if chosen == "yes" else _("not %(fact)s")
        return template % {"fact": fact.label}
    value = item.get("value")
    several = value if isinstance(value, list) else [value]
    said = f"{fact.label} {_single(fact, chosen) if len(several) == 1 else operator.label}"
    if operator.needs == "nothing":
        return f"{fact.label} {operator.label}"
    known = labels.of(fact, fact)
    shown = _listed([_quoted(str(one), known) for one in several], _("or"))
    return " ".join(filter(None, [said, shown, str(fact.unit)]))


def _single(fact: Fact, operator: str) -> StrOrPromise:
    """How a comparison with several values reads when there is only one."""
    several = {
        "one_of": pgettext("a set and one value", "has"),
        "has_all": pgettext("a set and one value", "has"),
        "none_of": pgettext("a set and one value", "has not"),
    }
    single = {"one_of": _("is"), "none_of": _("is not")}
    return (several if fact.kind == "set" else single).get(operator, operators(fact)[operator].label)


def reason(row: list[str], labels: Labels) -> str:
    """One reason of a rule run: what was asked, and what was found."""
    fact_name, operator, value, found = (list(map(str, row)) + [""] * 4)[:4]
    fact = registry.fact(fact_name)
    if fact is None:
        return f"{fact_name} {operator} {value}".strip()
    known = labels.of(fact, fact)
    if fact.kind == "flag":
        return _("%(fact)s: %(answer)s") % {"fact": fact.label, "answer": _("yes") if found == "True" else _("no")}
    chosen = operators(fact).get(operator.removeprefix(NEGATED))
    asked = f"{fact.label} {chosen.label if chosen else operator}"
    if value:
        several = value.split(", ") if chosen and chosen.needs == "many" else [value]
        asked = f"{asked} {_listed([_quoted(one, known) for one in several], _('or'))}"
    if operator.startswith(NEGATED):
        asked = _("not: %(condition)s") % {"condition": asked}
    shown = comma().join(known.get(one, one) for one in found.split(", ")) if known else found
    return _("%(condition)s (found: %(found)s)") % {"condition": asked, "found": shown or _("nothing")}


def deed(kept: list[str] | str) -> str:
    """What came of one action of a rule run. Runs of earlier releases have kept the words themselves."""
    if isinstance(kept, str):
        return kept
    name, outcome = kept
    kind = registry.action(name)
    return str(kind.told(outcome)) if kind else outcome


def action(step: Mapping[str, Any], labels: Labels) -> str:
    """One action."""
    kind = registry.action(str(step.get("action", "")))
    if kind is None:
        return str(step.get("action", ""))
    values = {}
    for parameter in kind.parameters:
        value = step.get(parameter.name)
        known = labels.of(kind, parameter)
        several = value if isinstance(value, list) else [value]
        shown = [str(one) for one in several if one not in (None, "")]
        free = parameter.kind in ("text", "long")
        values[parameter.name] = comma().join(_quoted(one, known) if free else _plain(one, known) for one in shown)
    if kind.sentence:
        return str(kind.sentence).format_map(values)
    return f"{kind.label} {comma().join(filter(None, values.values()))}".strip()


def _plain(value: str, known: Mapping[str, str]) -> str:
    said = known.get(value, value)
    return said if len(said) <= SHOWN else said[: SHOWN - 1] + "…"


def _quoted(value: str, known: Mapping[str, str]) -> str:
    return _plain(value, known) if value in known else _("“%(text)s”") % {"text": _plain(value, known)}
