"""Rules as sentences."""

import pytest
from django.utils import translation

from routing.conditions import Reason
from routing.words import Labels, action, actions, conditions, reason
from tests.routing.conftest import all_of, any_of, none_of, that

pytestmark = pytest.mark.usefixtures("world")


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "Always"),
        (all_of(), "Always"),
        (all_of(that("subject", "contains", "invoice")), "If subject contains “invoice”"),
        (all_of(that("level", "is", "2"), that("automatic", "no")), "If customer’s level is Gold and not automatic"),
        (any_of(that("level", "one_of", ["1", "2"]), that("level", "empty")), "If customer’s level is one of Normal or Gold or customer’s level is empty"),
        (all_of(that("level", "one_of", ["2"])), "If customer’s level is Gold"),
        (all_of(that("intents", "one_of", ["order"])), "If intents has Order"),
        (all_of(that("tags", "none_of", ["a"])), "If tags has not “a”"),
        (all_of(that("age", "greater", "3")), "If age is more than “3” years"),
        (
            all_of(that("subject", "is", "a"), any_of(that("automatic", "yes"), that("tags", "set"))),
            "If subject is “a” and (automatic or tags is filled in)",
        ),
        (all_of(none_of(that("automatic", "yes"), that("tags", "set"))), "If none of these: automatic; tags is filled in"),
        (all_of(that("subject", "contains", "x" * 100)), "If subject contains “" + "x" * 59 + "…”"),
        (all_of(that("gone", "is", "x"), that("subject", "gone", "x")), "If gone and subject"),
    ],
)  # fmt: skip
def test_conditions(tree, said):
    assert conditions(tree, Labels()) == said


def test_waiting_time_is_said_first():
    assert conditions({}, Labels(), minutes=1) == "If after 1 minute"
    assert conditions(all_of(that("automatic", "yes")), Labels(), minutes=60) == "If after 60 minutes and automatic"


def test_actions():
    steps = [{"action": "set_level", "level": "2"}, {"action": "add_tags", "tags": ["a", "b"]}, {"action": "gone"}]
    assert actions(steps, Labels()) == "level Gold, tag a, b, gone"
    assert actions([], Labels()) == "nothing"
    assert actions([], Labels(), stop=True) == "no further rules"
    assert action({"action": "tell", "text": "Look", "who": ""}, Labels()) == "Tell somebody “Look”"


def test_lists_have_the_readers_punctuation():
    tree = all_of(that("tags", "one_of", ["a", "b", "c"]))
    assert conditions(tree, Labels()).endswith("“a”, “b” or “c”")
    with translation.override("zh-hans"):
        assert "“a”、“b” 或 “c”" in conditions(tree, Labels())
        assert "a、b，" in actions([{"action": "add_tags", "tags": ["a", "b"]}, {"action": "gone"}], Labels())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["subject", "contains", "bill", "My bill"], "subject contains “bill” (found: My bill)"),
        (["level", "one_of", "1, 2", "2"], "customer’s level is one of Normal or Gold (found: Gold)"),
        (["tags", "not empty", "", "a, b"], "not: tags is empty (found: a, b)"),
        (["automatic", "yes", "", "True"], "automatic: yes"),
        (["automatic", "not yes", "", "False"], "automatic: no"),
        (["subject", "is", "x", ""], "subject is “x” (found: nothing)"),
        (["gone", "is", "x", "y"], "gone is x"),
        (["subject", "gone", "x", "y"], "subject gone “x” (found: y)"),
    ],
)
def test_reasons(row, said):
    assert reason(row, Labels()) == said
    assert Reason(*row, holds=True).row() == row


def test_choices_are_looked_up_once(monkeypatch, world):
    asked = []

    def choices():
        asked.append(1)
        return [("x", "X")]

    world.register_fact(world.Fact("place", "place", "choice", choices))
    labels = Labels()
    for _time in range(3):
        conditions(all_of(that("place", "is", "x")), labels)
    assert asked == [1]
