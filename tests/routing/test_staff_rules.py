"""The rule editor, as a browser without JavaScript uses it."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse, reverse_lazy

from routing import registry
from routing.models import Macro, Rule, RuleRun
from routing.registry import PastCase
from routing.staff.draft import Draft
from tests.routing.conftest import all_of, none_of, that

pytestmark = [pytest.mark.usefixtures("world"), pytest.mark.django_db]

LIST, ADD = reverse_lazy("routing_rules:index"), reverse_lazy("routing_rules:add")


def page(**changes):
    """A filled-in editor: subject contains invoice → level Gold."""
    return {
        "name": "Invoices",
        "event": "message.received",
        "active": "on",
        "line": ["g1", "c2", "e", "a3"],
        "g1-match": "all",
        "c2-fact": "subject",
        "c2-operator": "contains",
        "c2-value": " invoice ",
        "a3-action": "set_level",
        "a3-level": "2",
        **changes,
    }


@pytest.fixture
def desk(login, supervisor):
    return login(supervisor)


def saved(desk, data):
    answer = desk.post(ADD, data)
    assert answer.status_code == 302, answer.context["form"].errors
    return Rule.objects.get(name=data["name"])


def edited(desk, do, **changes):
    """The draft after pressing a button of the editor."""
    answer = desk.post(ADD, {**page(**changes), "do": do})
    assert answer.status_code == 200
    assert Rule.objects.count() == 0
    return answer.context["form"].draft, answer


def test_a_rule_is_made_without_writing_json(desk):
    rule = saved(desk, page())
    assert rule.conditions == all_of({"fact": "subject", "operator": "contains", "value": "invoice"})
    assert rule.actions == [{"action": "set_level", "level": "2"}]
    assert (rule.event, rule.position, rule.active, rule.stop) == ("message.received", 1, True, False)


def test_groups_and_every_kind_of_value(desk):
    data = page(
        **{
            "line": ["g1", "c2", "g3", "c4", "c5", "c6", "e", "c7", "c8", "e", "a9", "a10", "a11"],
            "g3-match": "none",
            "c4-fact": "intents", "c4-operator": "one_of", "c4-value": ["complaint", "order"],
            "c5-fact": "tags", "c5-operator": "has_all", "c5-value": "a\r\nb, c\r\na",
            "c6-fact": "automatic", "c6-operator": "yes",
            "c7-fact": "age", "c7-operator": "less", "c7-value": "3.5",
            "c8-fact": "",
            "a9-action": "add_tags", "a9-tags": "vip， new,vip",
            "a10-action": "tell", "a10-text": "Look\r\nhere",
            "a11-action": "",
        }
    )  # fmt: skip
    rule = saved(desk, data)
    assert rule.conditions == all_of(
        {"fact": "subject", "operator": "contains", "value": "invoice"},
        none_of(
            {"fact": "intents", "operator": "one_of", "value": ["complaint", "order"]},
            {"fact": "tags", "operator": "has_all", "value": ["a", "b, c"]},
            {"fact": "automatic", "operator": "yes"},
        ),
        {"fact": "age", "operator": "less", "value": "3.5"},
    )
    assert rule.actions == [{"action": "add_tags", "tags": ["vip", "new"]}, {"action": "tell", "text": "Look\nhere"}]
    shown = desk.get(reverse("routing_rules:edit", args=[rule.pk])).context["form"].draft
    assert (shown.stored_conditions(), shown.stored_actions()) == (rule.conditions, rule.actions)


@pytest.mark.parametrize(
    ("changes", "mark", "words"),
    [
        ({"c2-value": ""}, "c2", "Fill in what to compare with."),
        ({"c2-fact": "age", "c2-operator": "is", "c2-value": "many"}, "c2", "Write a number."),
        ({"c2-operator": "matches", "c2-value": "["}, "c2", "missing ]"),
        ({"c2-fact": "intents", "c2-operator": "one_of", "c2-value": []}, "c2", "Name at least one value."),
        ({"c2-fact": "level", "c2-operator": "is", "c2-value": "9"}, "c2", "“9” is no longer there: choose another."),
        ({"c2-fact": "idle_minutes", "c2-operator": "greater", "c2-value": "9"}, "c2", "not known at the time"),
        ({"c2-fact": "password"}, "c2", "is not something a rule can ask about"),
        ({"a3-level": ""}, "a3", "needs “level”"),
        ({"a3-level": "9"}, "a3", "no longer there"),
        ({"a3-action": "explode"}, "a3", "is not something a rule can do"),
    ],
)
def test_what_is_wrong_is_said_at_its_row(desk, changes, mark, words):
    answer = desk.post(ADD, page(**changes))
    assert answer.status_code == 200
    assert Rule.objects.count() == 0
    form = answer.context["form"]
    assert form.non_field_errors() == ["Some rows are not finished: they are marked below."]
    lines = form.editor.condition_lines() + form.editor.action_lines()
    assert [(line.mark, words in line.error) for line in lines if line.error] == [(mark, True)]
    assert f'id="{mark}-error"' in answer.text


def test_a_rule_must_do_something(desk):
    answer = desk.post(ADD, page(**{"a3-action": ""}))
    assert "The rule does nothing: add an action." in answer.text
    assert saved(desk, page(**{"a3-action": "", "stop": "on"})).stop is True


def test_idle_rules_say_after_how_long(desk):
    answer = desk.post(ADD, page(event="ticket.idle"))
    assert answer.context["form"].errors["idle_minutes"][0].startswith("Say after how many minutes")
    assert saved(desk, page(event="ticket.idle", idle_minutes="60")).idle_minutes == 60


def test_the_buttons_change_the_rows_and_save_nothing(desk):
    draft, answer = edited(desk, "add-condition g1")
    assert [row.fact for row in draft.root.items] == ["subject", ""]
    assert draft.root.items[0].value == "invoice"
    assert "errors" not in answer.context["form"].__dict__ or not answer.context["form"].errors
    draft, _answer = edited(desk, "add-group g1")
    assert (draft.root.items[1].match, len(draft.root.items[1].items)) == ("any", 1)
    draft, _answer = edited(desk, "add-action")
    assert [step.action for step in draft.actions] == ["set_level", ""]
    draft, _answer = edited(desk, "remove c2")
    assert draft.root.items == []
    draft, _answer = edited(desk, "remove a3")
    assert draft.actions == []


def test_no_group_is_offered_where_none_fits(desk):
    lines = ["g1", "g3", "g4", "g5", "g6", "c2", "e", "e", "e", "e", "e", "a3"]
    _draft, answer = edited(desk, "refresh", line=lines)
    offered = [mark for mark in ("g1", "g3", "g4", "g5", "g6") if f'value="add-group {mark}"' in answer.text]
    assert offered == ["g1", "g3", "g4", "g5"]
    assert saved(desk, page(line=lines)).conditions["match"] == "all"
    deeper = [*lines[:5], "g7", "c2", "e", *lines[6:]]
    answer = desk.post(ADD, page(name="deep", line=deeper))
    assert "Groups can be nested 5 deep at most." in answer.text


def test_rows_move(desk):
    more = {"line": ["g1", "c2", "c4", "e", "a3", "a5"], "c4-fact": "automatic", "a5-action": "stop"}
    assert [row.fact for row in edited(desk, "down c2", **more)[0].root.items] == ["automatic", "subject"]
    assert [row.fact for row in edited(desk, "up c4", **more)[0].root.items] == ["automatic", "subject"]
    assert [row.fact for row in edited(desk, "up c2", **more)[0].root.items] == ["subject", "automatic"]
    assert [step.action for step in edited(desk, "up a5", **more)[0].actions] == ["stop", "set_level"]


@pytest.mark.parametrize("do", ["explode", "remove c99", "remove g1", "add-group c2", "up", "remove <script>"])
def test_unknown_buttons_change_nothing(desk, do):
    draft, _answer = edited(desk, do)
    assert [row.fact for row in draft.root.items] == ["subject"]


def test_choosing_another_fact_offers_what_fits_it(desk):
    _draft, answer = edited(desk, "refresh", **{"c2-fact": "level", "c2-operator": "contains", "c2-value": "2"})
    (line,) = [line for line in answer.context["form"].editor.condition_lines() if line.type == "condition"]
    assert [option.value for option in line.compare.options if option.chosen] == ["is"]
    assert (line.fields[0].widget, [o.value for o in line.fields[0].options]) == ("select", ["", "1", "2"])


@pytest.mark.parametrize(
    "lines", [["c2"], ["e", "e", "c2"], ["gx", "c-1"], ["g1"] * 300, ["a" * 9999], ["c2", "g1", "a3"]]
)
def test_a_form_that_nobody_sends_breaks_nothing(desk, lines):
    answer = desk.post(ADD, page(line=lines))
    assert answer.status_code in (200, 302)


def test_trying_shows_which_past_cases_would_match_and_why(desk, supervisor):
    asked = []

    def history(user, limit):
        asked.append((user, limit))
        at = datetime(2026, 3, 2, tzinfo=UTC)
        yield PastCase("#1 My invoice", at, {"subject": "My INVOICE"}, "/desk/inbox/1/")
        yield PastCase("#2 Hello", at, {"subject": "Hello"})

    registry.register_history("message.received", history)
    _draft, answer = edited(desk, "try")
    trial = answer.context["trial"]
    assert asked == [(supervisor, 50)]
    assert ([c.label for c in trial.matching], [c.label for c in trial.others]) == (["#1 My invoice"], ["#2 Hello"])
    assert trial.cases[0].held == ("subject contains “invoice” (found: My INVOICE)",)
    assert trial.cases[1].failed == ("subject contains “invoice” (found: Hello)",)
    assert "of the last 2 cases would match." in answer.text


def test_trying_needs_finished_rows_and_a_history(desk):
    _draft, answer = edited(desk, "try", **{"c2-value": ""})
    assert answer.context["trial_fault"] == "Finish the marked rows first."
    _draft, answer = edited(desk, "try", event="ticket.idle")
    assert "after how many minutes" in answer.context["trial_fault"]
    _draft, answer = edited(desk, "try")
    assert answer.context["trial"].known is False


def rules(*names, **fields):
    return [
        Rule.objects.create(name=name, event="message.received", position=n, actions=[{"action": "stop"}], **fields)
        for n, name in enumerate(names)
    ]


def order():
    return list(Rule.objects.filter(event="message.received").values_list("name", flat=True))


def test_the_list_says_in_words_what_each_rule_does(desk):
    Rule.objects.create(
        name="Bills",
        event="message.received",
        conditions=all_of(that("subject", "contains", "invoice"), that("level", "is", "2")),
        actions=[{"action": "set_level", "level": "2"}, {"action": "add_tags", "tags": ["bill", "new"]}],
    )
    answer = desk.get(LIST)
    assert answer.context["rules"][0]["conditions"] == "If subject contains “invoice” and customer’s level is Gold"
    assert answer.context["rules"][0]["actions"] == "level Gold, tag bill, new"


def test_the_list_marks_rules_that_cannot_do_what_they_say(desk, django_assert_max_num_queries):
    rules("fine")
    Rule.objects.create(name="gone", event="message.received", actions=[{"action": "set_level", "level": "9"}])
    Rule.objects.create(name="off", event="message.received", active=False, actions=[{"action": "explode"}])
    with django_assert_max_num_queries(20):
        shown = desk.get(LIST).context["rules"]
    assert {row["rule"].name: row["fault"] for row in shown} == {
        "fine": "",
        "gone": "“9” is no longer there: choose another.",
        "off": "",
    }


def test_the_list_says_what_failed_since_the_rule_was_saved(desk):
    (rule,) = rules("a")
    error = {"rule": rule.pk, "name": "a", "error": "no such person"}
    RuleRun.objects.create(event="message.received", subject="ticket:1", errors=[error], failed=True)
    assert desk.get(LIST).context["rules"][0]["fault"] == "It failed lately: no such person"
    rule.save()
    assert desk.get(LIST).context["rules"][0]["fault"] == ""


def test_rules_are_put_in_order(desk):
    first, second, third = rules("a", "b", "c")
    for rule, do, expected in (
        (third, "up", ["a", "c", "b"]),
        (first, "down", ["c", "a", "b"]),
        (third, "up", ["c", "a", "b"]),
        (second, "down", ["c", "a", "b"]),
    ):
        assert desk.post(reverse("routing_rules:order", args=[rule.pk]), {"do": do}).status_code == 302
        assert order() == expected


def test_rules_are_switched_off_and_on_and_a_paused_one_runs_again(desk):
    (rule,) = rules("a")
    address = reverse("routing_rules:order", args=[rule.pk])
    desk.post(address, {"do": "off"})
    assert Rule.objects.get().active is False
    Rule.objects.update(paused_because="This rule and others started each other again and again.")
    assert "started each other" in desk.get(LIST).text
    desk.post(address, {"do": "on"})
    assert (Rule.objects.get().active, Rule.objects.get().paused_because) == (True, "")


def test_a_rule_that_cannot_be_built_cannot_be_switched_on(desk):
    (rule,) = rules("a", active=False)
    Rule.objects.update(actions=[{"action": "explode"}])
    answer = desk.post(reverse("routing_rules:order", args=[rule.pk]), {"do": "on"}, follow=True)
    assert Rule.objects.get().active is False
    assert "is not something a rule can do" in answer.text


def test_a_rule_that_changes_its_event_goes_to_the_end(desk):
    (rule,) = rules("Invoices")
    Rule.objects.create(name="other", event="ticket.opened", position=7, actions=[{"action": "stop"}])
    answer = desk.post(reverse("routing_rules:edit", args=[rule.pk]), page(event="ticket.opened"))
    assert answer.headers["Location"] == f"{LIST}?event=ticket.opened#rule-{rule.pk}"
    rule.refresh_from_db()
    assert (rule.event, rule.position) == ("ticket.opened", 8)


@pytest.mark.parametrize("role", ["agent", "marketer", "editor", "customer_user"])
def test_others_see_and_change_nothing(request, login, role):
    (rule,) = rules("a")
    client = login(request.getfixturevalue(role))
    edit, move = (reverse(f"routing_rules:{name}", args=[rule.pk]) for name in ("edit", "order"))
    assert [client.get(address).status_code in (302, 403, 404) for address in (LIST, ADD, edit)] == [True] * 3
    assert client.post(move, {"do": "off"}).status_code in (302, 403, 404)
    assert client.post(ADD, page()).status_code in (302, 403, 404)
    assert Rule.objects.get().active is True


def test_strangers_are_asked_to_log_in(client):
    assert client.get(LIST).status_code == 302
    assert client.post(reverse("routing_rules:order", args=[1]), {"do": "off"}).status_code == 302


def test_a_change_needs_post(desk):
    (rule,) = rules("a")
    assert desk.get(reverse("routing_rules:order", args=[rule.pk])).status_code == 405


def test_a_macro_shares_the_rows_of_actions(desk):
    add = reverse("routing_macros:add")
    data = {
        "name": "Gold",
        "position": "1",
        "active": "on",
        "line": ["a1", "a2"],
        "a1-action": "set_level",
        "a1-level": "2",
        "a2-action": "add_tags",
        "a2-tags": "x",
    }
    assert desk.post(add, {**data, "do": "up a2"}).context["form"].draft.actions[0].action == "add_tags"
    assert Macro.objects.count() == 0
    assert desk.post(add, data).status_code == 302
    assert Macro.objects.get().actions == [{"action": "set_level", "level": "2"}, {"action": "add_tags", "tags": ["x"]}]
    assert "level Gold, tag x" in desk.get(reverse("routing_macros:index")).text
    wrong = desk.post(add, {**data, "name": "Stop", "a1-action": "stop"})
    assert "A macro cannot do this." in wrong.text
    none = desk.post(add, {"name": "None", "position": "1", "line": ["a1"], "a1-action": ""})
    assert "The macro does nothing: add an action." in none.text


def test_what_people_wrote_is_escaped(desk):
    evil = "<script>alert(1)</script>"
    saved(desk, page(name=evil, **{"c2-value": evil}))
    for address in (LIST, reverse("routing_rules:edit", args=[Rule.objects.get().pk])):
        assert evil not in desk.get(address).text


def test_a_draft_of_stored_rows_gives_the_same_rows():
    tree = all_of(that("subject", "is", "a"), none_of({"fact": "automatic", "operator": "yes"}))
    assert Draft.of(tree, [{"action": "stop"}]).stored_conditions() == tree
    assert Draft.of({}, None).stored_conditions() == {}
