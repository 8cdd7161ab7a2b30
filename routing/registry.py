"""What rules can ask and do. The rooms above register their facts and actions here, once, at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django_stubs_ext import StrOrPromise

FactKind = Literal["text", "choice", "set", "number", "flag"]
"""`text`: str. `choice`: one value out of `choices`. `set`: several strings. `number`: int or Decimal. `flag`: bool."""
ParameterKind = Literal["choice", "choices", "text", "long", "tags", "number"]
"""Widget and stored type: one value (str), several (list[str]), a line, several lines, list[str] typed freely, int."""
Choices = Callable[[], Iterable[tuple[str, "StrOrPromise"]]]
Apply = Callable[[Any, Mapping[str, Any], str], str]
"""`(target, parameters, rule name)` → what came of it, in no language (a name, a key): `ActionKind.told` has the words.

An empty text when there was nothing to do.
"""


class RegistryFault(Exception):
    """Two parts of the program claim one name."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a condition can ask about. `choices` gives (stored value, label) and is called for each screen."""

    name: str
    label: StrOrPromise
    kind: FactKind
    choices: Choices | None = None
    events: frozenset[str] | None = None
    """Events in which it is known; None: all of them."""
    unit: StrOrPromise = ""
    group: StrOrPromise = ""
    """What it is about, such as the customer: the editor shows it with the others that are."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing an action must be told."""

    name: str
    label: StrOrPromise
    kind: ParameterKind = "text"
    choices: Choices | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class ActionKind:
    """Something a rule or a macro can do."""

    name: str
    label: StrOrPromise
    parameters: tuple[Parameter, ...]
    apply: Apply
    changes: bool = True
    """False when no rule can see its outcome (a notice): such an action cannot make rules go round in circles."""
    macro: bool = True
    """Whether a macro may use it."""
    told: Callable[[str], StrOrPromise] = str
    """What came of it → how that is read in a rule run."""
    sentence: StrOrPromise = ""
    """How lists tell it, with the parameters' names as places: `queue → {queue}`; empty: label and values."""


@dataclass(frozen=True, slots=True)
class PastCase:
    """Something that happened, to try a rule on. `facts` is asked lazily."""

    label: str
    at: datetime
    facts: Mapping[str, Any]
    url: str = ""


History = Callable[["AbstractBaseUser", int], Iterable[PastCase]]
"""`(user, how many)` → the newest cases of an event that this user may see."""

_facts: dict[str, Fact] = {}
_actions: dict[str, ActionKind] = {}
_history: dict[str, History] = {}


def register_fact(fact: Fact) -> Fact:
    """Make a fact known. Raises RegistryFault when the name is taken."""
    if fact.name in _facts:
        raise RegistryFault(f"The fact {fact.name!r} is registered twice.")
    _facts[fact.name] = fact
    return fact


def register_action(action: ActionKind) -> ActionKind:
    """Make an action known. Raises RegistryFault when the name is taken. `stop` is built in."""
    if action.name in _actions:
        raise RegistryFault(f"The action {action.name!r} is registered twice.")
    _actions[action.name] = action
    return action


def register_history(event: str, provider: History) -> None:
    """Say where past cases of an event come from. Raises RegistryFault when somebody said so already."""
    if event in _history:
        raise RegistryFault(f"The history of {event!r} is registered twice.")
    _history[event] = provider


def fact(name: str) -> Fact | None:
    """The fact of this name."""
    return _facts.get(name)


def action(name: str) -> ActionKind | None:
    """The action of this name."""
    return _actions.get(name)


def facts(event: str = "") -> list[Fact]:
    """All facts, or those known in one event, in the order of registration."""
    return [f for f in _facts.values() if not event or f.events is None or event in f.events]


def actions(*, macro: bool = False) -> list[ActionKind]:
    """All actions, or those a macro may use, in the order of registration."""
    return [a for a in _actions.values() if a.macro or not macro]


def history(event: str) -> History | None:
    """Where past cases of the event come from."""
    return _history.get(event)


STOP = register_action(
    ActionKind(
        "stop",
        _("Stop: no further rules"),
        (),
        lambda _target, _parameters, _rule: "stop",
        changes=False,
        macro=False,
        told=lambda _outcome: _("no further rules"),
    )
)
"""The engine looks for this one itself."""
