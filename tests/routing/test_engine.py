"""Runs of rules: order, reasons, faults, circles, and what is built again."""

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from routing import engine, registry
from routing.models import Macro, Rule
from routing.registry import ActionKind, RegistryFault
from tests.routing.conftest import all_of, that

pytestmark = [pytest.mark.usefixtures("world"), pytest.mark.django_db]

EVENT = "message.received"


def rule(name, conditions=None, actions=None, position=0, **fields):
    actions = [{"action": "add_tags", "tags": [name]}] if actions is None else actions
    return Rule.objects.create(
        name=name,
        event=fields.pop("event", EVENT),
        conditions=conditions or {},
        actions=actions,
        position=position,
        **fields,
    )


def run(facts, target, event=EVENT, **options):
    return engine.load().run(event, "ticket:1", facts, target, **options)


def test_matching_rules_run_in_order_and_say_why(target):
    rule("second", all_of(that("level", "is", "2")), position=2)
    rule("first", all_of(that("subject", "contains", "Bill")), position=1)
    rule("other", all_of(that("subject", "contains", "order")), position=3)
    rule("other event", event="ticket.opened")
    found = run({"subject": "my bill", "level": 2}, target)
    assert found.pk is None
    assert (found.event, found.subject, found.errors, found.failed) == (EVENT, "ticket:1", [], False)
    first, second = Rule.objects.get(name="first"), Rule.objects.get(name="second")
    assert found.matched == [
        {
            "rule": first.pk,
            "name": "first",
            "because": [["subject", "contains", "Bill", "my bill"]],
            "did": [["add_tags", "done by first"]],
        },
        {
            "rule": second.pk,
            "name": "second",
            "because": [["level", "is", "2", "2"]],
            "did": [["add_tags", "done by second"]],
        },
    ]
    assert target.done == [("first", {"tags": ["first"]}), ("second", {"tags": ["second"]})]
    found.save()
    found.refresh_from_db()
    assert found.matched[0]["name"] == "first"


def test_only_what_held_is_given_as_reason(target):
    rule("a", {"match": "any", "items": [that("subject", "contains", "x"), that("body", "contains", "y")]})
    found = run({"subject": "none", "body": "y"}, target)
    assert found.matched[0]["because"] == [["body", "contains", "y", "y"]]


@pytest.mark.parametrize("how", ["flag", "action"])
def test_stop_ends_the_run(target, how):
    if how == "flag":
        rule("a", position=1, stop=True)
    else:
        rule("a", actions=[{"action": "add_tags", "tags": ["a"]}, {"action": "stop"}], position=1)
    rule("b", position=2)
    assert [m["name"] for m in run({}, target).matched] == ["a"]


def test_inactive_and_excluded_rules_do_not_run(target):
    rule("off", active=False)
    left_out = rule("left out")
    rule("on")
    assert [m["name"] for m in run({}, target, without={left_out.pk}).matched] == ["on"]


def test_a_later_rule_sees_what_an_earlier_one_changed():
    facts = {"level": 1}

    class Ticket:
        done = []

    def raise_level(_target, _parameters, _rule):
        facts["level"] = 2
        return "raised"

    registry.register_action(ActionKind("raise", "raise", (), raise_level))
    rule("gold before", all_of(that("level", "is", "2")), position=1)
    rule("raise", actions=[{"action": "raise"}], position=2)
    rule("gold after", all_of(that("level", "is", "2")), [{"action": "stop"}], position=3)
    assert [m["name"] for m in run(facts, Ticket()).matched] == ["raise", "gold after"]


def test_facts_are_asked_only_when_needed_and_once(target):
    asked = []

    class Facts(dict):
        def get(self, name, default=None):
            asked.append(name)
            return {"subject": "x"}.get(name, default)

    for number in range(5):
        rule(f"r{number}", all_of(that("subject", "contains", "no"), that("body", "contains", "z")))
    run(Facts(), target)
    assert asked == ["subject"]


def test_a_rule_that_cannot_be_built_does_not_stop_the_others(target):
    bad = rule("bad", all_of(that("subject", "matches", "[")), position=1)
    rule("good", position=2)
    found = run({}, target)
    assert [m["name"] for m in found.matched] == ["good"]
    assert [(e["rule"], e["name"]) for e in found.errors] == [(bad.pk, "bad")]
    assert "missing ]" in found.errors[0]["error"]
    assert found.failed is True


def test_a_failing_action_is_noted_and_the_rest_is_done(target, caplog):
    failing = rule("failing", actions=[{"action": "fail"}, {"action": "add_tags", "tags": ["t"]}], position=1)
    rule("good", position=2)
    found = run({}, target)
    assert found.errors == [{"rule": failing.pk, "name": "failing", "error": "no such queue"}]
    assert [m["did"] for m in found.matched] == [[["add_tags", "done by failing"]], [["add_tags", "done by good"]]]
    assert "('failing') failed on message.received" in caplog.text


def test_a_failing_fact_is_noted_for_the_rules_that_ask_for_it(target):
    class Facts(dict):
        def get(self, name, default=None):
            if name == "age":
                raise ValueError("no birthday")
            return default

    old = rule("old", all_of(that("age", "greater", "3")), position=1)
    rule("good", position=2)
    found = run(Facts(), target)
    assert found.errors == [{"rule": old.pk, "name": "old", "error": "no birthday"}]
    assert [m["name"] for m in found.matched] == ["good"]


def test_a_broken_transaction_is_not_swallowed(target):
    def break_it(_target, _parameters, _rule):
        raise DatabaseError("aborted")

    registry.register_action(ActionKind("break", "break", (), break_it))
    rule("breaks", actions=[{"action": "break"}])
    with pytest.raises(DatabaseError):
        run({}, target)


def test_rules_that_start_each_other_are_paused_at_depth_ten(target, caplog):
    """S-68. The caller raises `depth` each time rules were started by what rules did."""
    tags = rule("tags again", event="ticket.changed", position=1)
    rule("only tells", event="ticket.changed", actions=[{"action": "tell", "text": "x"}], position=2)
    depth = 0
    while any(m["name"] == "tags again" for m in run({}, target, "ticket.changed", depth=depth).matched):
        depth += 1
        assert depth < 50
    assert depth == 10
    tags.refresh_from_db()
    assert tags.paused_because == "This rule and others started each other again and again."
    assert Rule.objects.get(name="only tells").paused_because == ""
    assert "paused" in caplog.text
    assert [m["name"] for m in run({}, target, "ticket.changed").matched] == ["only tells"]


def test_the_run_that_pauses_says_so_and_the_book_in_hand_knows(target):
    paused = rule("again", event="ticket.changed")
    book = engine.load()
    found = book.run("ticket.changed", "ticket:1", {}, target, depth=10)
    assert found.matched == []
    assert found.errors == [
        {"rule": paused.pk, "name": "again", "error": "This rule and others started each other again and again."}
    ]
    assert book.run("ticket.changed", "ticket:2", {}, target).matched == []


def test_saving_wakes_a_paused_rule(target):
    one = rule("again")
    Rule.objects.update(paused_because="circle")
    assert run({}, target).matched == []
    one.refresh_from_db()
    one.save()
    assert [m["name"] for m in run({}, target).matched] == ["again"]


def test_idle_rules_wait_for_their_minutes(target):
    rule("a day", event="ticket.idle", idle_minutes=1440)
    assert run({"idle_minutes": 1439}, target, "ticket.idle").matched == []
    assert run({}, target, "ticket.idle").matched == []
    assert len(run({"idle_minutes": 1440}, target, "ticket.idle").matched) == 1


def test_load_asks_once_and_builds_only_what_changed(django_assert_num_queries):
    rule("a", position=2)
    second = rule("b", position=1)
    engine.load()
    with django_assert_num_queries(1):
        book = engine.load()
    assert [r.name for r in book.of(EVENT)] == ["b", "a"]
    kept = book.of(EVENT)[1]
    second.name = "c"
    second.save()
    with django_assert_num_queries(2):
        book = engine.load()
    assert [r.name for r in book.of(EVENT)] == ["c", "a"]
    assert book.of(EVENT)[1] is kept
    second.delete()
    assert [r.name for r in engine.load().of(EVENT)] == ["a"]


def test_explain_does_nothing_and_tells_every_comparison(target):
    rule("a", all_of(that("subject", "contains", "x")), position=1, stop=True)
    rule("b", all_of(that("subject", "contains", "x"), that("body", "contains", "y")), position=2)
    first, second = engine.load().explain(EVENT, {"subject": "x", "body": "z"})
    assert (first.name, first.matched, first.reached) == ("a", True, True)
    assert (second.name, second.matched, second.reached) == ("b", False, False)
    assert [(r.fact, r.found, r.holds) for r in second.reasons] == [("subject", "x", True), ("body", "z", False)]
    assert target.done == []


def test_ten_thousand_rules_are_run(target):
    """S-68."""
    Rule.objects.bulk_create(
        Rule(
            name=f"r{n}",
            event=EVENT,
            position=n,
            conditions=all_of(that("body", "contains", f"word{n}x")),
            actions=[{"action": "stop"}],
        )
        for n in range(10_000)
    )
    assert [m["name"] for m in run({"body": "a word9999x b"}, target).matched] == ["r9999"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"actions": []}, "does nothing"),
        ({"actions": [{"action": "explode"}]}, "“explode” is not something a rule can do"),
        ({"actions": ["x"]}, "is not something a rule can do"),
        ({"actions": "x"}, "actions cannot be read"),
        ({"actions": [{"action": "add_tags"}]}, "“Add tags” needs “tags”"),
        ({"actions": [{"action": "add_tags", "tags": "x"}]}, "cannot be read"),
        ({"actions": [{"action": "add_tags", "tags": ["x"], "bcc": "y"}]}, "does not know “bcc”"),
        ({"actions": [{"action": "stop"}] * 51}, "50 actions at most"),
        ({"actions": [{"action": "stop"}], "event": "ticket.idle"}, "after how many minutes"),
        ({"actions": [{"action": "stop"}], "conditions": all_of(that("age", "is", "x"))}, "Write a number"),
    ],
)
def test_a_rule_that_cannot_be_built_cannot_be_saved(fields, words):
    with pytest.raises(ValidationError, match=words):
        Rule(name="x", **{"event": EVENT, **fields}).full_clean()


def test_a_rule_that_only_stops_is_a_rule():
    Rule(name="x", event=EVENT, stop=True).full_clean()


def test_a_macro_is_checked_and_performed(target):
    Macro(name="x", actions=[{"action": "add_tags", "tags": ["a"]}]).full_clean()
    with pytest.raises(ValidationError, match="does nothing"):
        Macro(name="x").full_clean()
    with pytest.raises(ValidationError, match="needs"):
        Macro(name="x", actions=[{"action": "add_tags"}]).full_clean()
    engine.perform([{"action": "add_tags", "tags": ["a"]}, {"action": "set_level", "level": "2"}], target, "Gold")
    with pytest.raises(engine.RuleInvalid):
        engine.perform([{"action": "add_tags", "tags": ["b"]}, {"action": "explode"}], target, "Gold")
    assert [p for _name, p in target.done] == [{"tags": ["a"]}, {"level": "2"}]


def test_names_are_registered_once():
    with pytest.raises(RegistryFault):
        registry.register_fact(registry.Fact("subject", "again", "text"))
    with pytest.raises(RegistryFault):
        registry.register_action(ActionKind("add_tags", "again", (), lambda *_: ""))
    registry.register_history(EVENT, lambda _user, _limit: [])
    with pytest.raises(RegistryFault):
        registry.register_history(EVENT, lambda _user, _limit: [])
    assert [f.name for f in registry.facts("ticket.idle")][-2:] == ["idle_minutes", "automatic"]
    assert "idle_minutes" not in [f.name for f in registry.facts(EVENT)]
