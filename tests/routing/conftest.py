"""Facts and actions of a small world of their own, so that these tests depend on no room above."""

import pytest

from routing import registry
from routing.registry import ActionKind, Fact, Parameter


class Target:
    """Stands for the ticket: remembers what was done to it."""

    def __init__(self):
        self.done = []


def _remember(target, parameters, rule):
    target.done.append((rule, dict(parameters)))
    return f"done by {rule}"


def _fail(_target, _parameters, _rule):
    raise ValueError("no such queue")


LEVELS = (("1", "Normal"), ("2", "Gold"))


@pytest.fixture
def world(monkeypatch):
    """A registry with a known content."""
    monkeypatch.setattr(registry, "_facts", {})
    monkeypatch.setattr(registry, "_actions", {"stop": registry.STOP})
    monkeypatch.setattr(registry, "_history", {})
    for fact in (
        Fact("subject", "subject", "text"),
        Fact("body", "body", "text"),
        Fact("level", "customer’s level", "choice", lambda: LEVELS),
        Fact("tags", "tags", "set"),
        Fact("intents", "intents", "set", lambda: (("complaint", "Complaint"), ("order", "Order"))),
        Fact("age", "age", "number", unit="years"),
        Fact("idle_minutes", "idle time", "number", events=frozenset({"ticket.idle"})),
        Fact("automatic", "automatic", "flag"),
    ):
        registry.register_fact(fact)
    registry.register_action(
        ActionKind(
            "set_level", "Set the level", (Parameter("level", "level", "choice", lambda: LEVELS),), _remember,
            sentence="level {level}",
        )
    )  # fmt: skip
    registry.register_action(
        ActionKind("add_tags", "Add tags", (Parameter("tags", "tags", "tags"),), _remember, sentence="tag {tags}")
    )
    registry.register_action(
        ActionKind(
            "tell", "Tell somebody", (Parameter("text", "text", "long"), Parameter("who", "who", required=False)),
            _remember, changes=False,
        )
    )  # fmt: skip
    registry.register_action(ActionKind("fail", "Fail", (), _fail))
    return registry


@pytest.fixture
def target():
    return Target()


def all_of(*items):
    return {"match": "all", "items": list(items)}


def any_of(*items):
    return {"match": "any", "items": list(items)}


def none_of(*items):
    return {"match": "none", "items": list(items)}


def that(fact, operator, value=None):
    return {"fact": fact, "operator": operator, "value": value}
