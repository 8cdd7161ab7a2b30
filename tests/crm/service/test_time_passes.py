"""Rules that time starts: tickets nobody touches, customers who wait for an answer."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from crm.organisation.models import Notification
from crm.service import clocks, narrowing, rules, services
from crm.service.changes import Change
from crm.service.models import Ticket, TimedRule
from inbox.services import replies
from routing import conditions
from routing.facts import Reading
from routing.models import Rule, RuleRun
from tests import factories


def rule(event: str, minutes: int, *conditions: tuple[str, str, Any], **action: Any) -> Rule:
    items = [{"fact": fact, "operator": operator, "value": value} for fact, operator, value in conditions]
    made = Rule(
        name=f"After {minutes}",
        event=event,
        idle_minutes=minutes,
        conditions={"match": "all", "items": items},
        actions=[action or {"action": "add_tags", "tags": ["seen"]}],
    )
    made.full_clean()
    made.save()
    return made


def waits(ticket: Ticket, minutes: int, **more: Any) -> None:
    since = timezone.now() - timedelta(minutes=minutes)
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=since, **more)


def test_a_resolved_ticket_can_be_closed_after_days_of_silence(ticket: Ticket, agent: Any) -> None:
    closing = {"action": "set_status", "status": "closed"}
    rule("ticket.idle", 3 * 24 * 60, ("status", "is", "resolved"), **closing)
    services.set_status(ticket, "resolved", by=agent)
    assert clocks.run_idle_rules() == 0
    Ticket.objects.update(activity_at=timezone.now() - timedelta(days=3))
    assert (clocks.run_idle_rules(), clocks.run_idle_rules()) == (1, 0)
    ticket.refresh_from_db()
    assert ticket.status == "closed"


def test_silence_after_the_end_starts_only_rules_that_name_it(ticket: Ticket, agent: Any) -> None:
    rule("ticket.idle", 60, ("status", "is_not", "new"))
    services.set_status(ticket, "resolved", by=agent)
    Ticket.objects.update(activity_at=timezone.now() - timedelta(days=3))
    assert clocks.run_idle_rules() == 0
    rule("ticket.idle", 61, ("status", "one_of", ["resolved", "open"]), action="set_priority", priority=4)
    assert clocks.run_idle_rules() == 1


def test_a_waiting_customer_is_told_of_once_until_somebody_answers(ticket: Ticket, agent: Any, channel: Any) -> None:
    """Whatever happens on the ticket meanwhile: only an answer ends the wait."""
    rule("ticket.waiting", 3, action="notify", whom="queue", text="waits")
    waits(ticket, 2)
    assert clocks.run_waiting_rules() == 0
    waits(ticket, 4, activity_at=timezone.now())
    assert (clocks.run_waiting_rules(), clocks.run_waiting_rules()) == (1, 0)
    services.set_priority(ticket, 4, by=agent)
    assert clocks.run_waiting_rules() == 0
    run = RuleRun.objects.get(event="ticket.waiting")
    assert (run.subject, run.matched[0]["name"], Notification.objects.count()) == (f"ticket:{ticket.pk}", "After 3", 1)
    assert run.matched[0]["because"] == [["waiting_minutes", "at_least", "3", "4"]]
    assert run.matched[0]["did"] == [["notify", "queue"]]
    replies.reply(ticket, author=agent, text="Here I am", channel=channel)
    Ticket.objects.update(status="open")
    assert clocks.run_waiting_rules() == 0
    TimedRule.objects.update(at=timezone.now() - timedelta(minutes=20))
    waits(ticket, 5)
    assert clocks.run_waiting_rules() == 1


@pytest.mark.parametrize(
    ("origin", "status", "told"), [("chat", "open", 1), ("email", "open", 0), ("chat", "pending", 0)]
)
def test_conditions_say_who_is_meant(ticket: Ticket, origin: str, status: str, told: int) -> None:
    rule("ticket.waiting", 3, ("origin", "is", "chat"), ("waiting_minutes", "greater", 3))
    waits(ticket, 4, origin=origin, status=status)
    assert clocks.run_waiting_rules() == told


def test_tickets_that_no_rule_is_for_are_not_locked(ticket: Ticket, django_assert_num_queries: Any) -> None:
    rule("ticket.waiting", 3, ("subject", "contains", "fax"))
    waits(ticket, 4)
    clocks.run_waiting_rules()
    with django_assert_num_queries(8) as asked:
        assert clocks.run_waiting_rules() == 0
    assert not [
        query
        for query in asked.captured_queries
        if "UPDATE" in query["sql"].upper().replace("FOR NO KEY UPDATE", "UPDATE")
    ]


def test_what_a_rule_has_done_its_work_on_is_not_read_again(ticket: Ticket, queue: Any) -> None:
    rule("ticket.waiting", 3, action="notify", whom="queue", text="waits")
    for _number in range(3):
        waits(factories.TicketFactory(queue=queue), 4)
    waits(ticket, 4)
    assert clocks.run_waiting_rules() == 4
    with mock.patch.object(Change, "look_at", side_effect=AssertionError("a ticket was read")):
        assert clocks.run_waiting_rules() == 0


@pytest.mark.parametrize(
    "condition",
    [
        ("queue", "is", "Accounting"),
        ("queue", "none_of", ["Support", "Sales"]),
        ("status", "is", "pending"),
        ("priority", "at_least", 3),
        ("assigned", "yes", None),
        ("origin", "is", "fax"),
    ],
    ids=lambda c: " ".join(map(str, c)),
)
def test_tickets_that_cannot_match_are_not_read(ticket: Ticket, other_queue: Any, condition: Any) -> None:
    rule("ticket.waiting", 3, condition)
    waits(ticket, 4)
    with mock.patch.object(Change, "look_at", side_effect=AssertionError("a ticket was read")):
        assert clocks.run_waiting_rules() == 0


_CASES = (
    ("status", "is", "new"),
    ("status", "none_of", ["open", "pending"]),
    ("queue", "is_not", "Support"),
    ("priority", "less", 3),
    ("assigned", "no", None),
    ("origin", "is_not", "fax"),
    ("tags", "one_of", ["hot"]),
    ("subject", "contains", "leak"),
)


def _leaf(number: int) -> dict[str, Any]:
    fact, operator, value = _CASES[number]
    return {"fact": fact, "operator": operator, "value": value}


@pytest.mark.parametrize("seed", range(40))
def test_no_ticket_that_matches_is_left_out(queue: Any, other_queue: Any, agent: Any, seed: int) -> None:
    """Whatever the groups are: what the rule itself says of each ticket stands against what the database finds."""
    chance = random.Random(seed)

    def group(depth: int) -> dict[str, Any]:
        items = [
            group(depth - 1) if depth and chance.random() < 0.4 else _leaf(chance.randrange(len(_CASES)))
            for _number in range(chance.randint(0, 3))
        ]
        return {"match": chance.choice(["all", "any", "none"]), "items": items}

    for _number in range(12):
        ticket = factories.TicketFactory(
            queue=chance.choice([queue, other_queue]),
            status=chance.choice(["new", "open", "pending", "snoozed"]),
            priority=chance.randint(1, 4),
            assignee=chance.choice([agent, None]),
            origin=chance.choice(["email", "fax", "telex"]),
            subject=chance.choice(["A leak", "A bill"]),
        )
        if chance.random() < 0.5:
            services.tag(ticket, add=["hot"], by=None)
    tree = group(2)
    built = conditions.build(tree)
    look = Change.look_at(Ticket.objects.values_list("pk", flat=True))
    matching = {c.ticket.pk for c in look if built.test(Reading(rules.Facts(c, {})))}
    found = set(Ticket.objects.filter(narrowing.possible(tree)).values_list("pk", flat=True))
    assert matching <= found, tree
    written = json.dumps(tree)
    if not any(vague in written for vague in ('"tags"', '"subject"', '"origin"', '"items": []')):
        assert matching == found, tree


def test_a_rule_that_ends_the_others_ends_them_for_one_turn(ticket: Ticket) -> None:
    first = rule("ticket.waiting", 3, action="add_tags", tags=["first"])
    Rule.objects.filter(pk=first.pk).update(stop=True)
    rule("ticket.waiting", 4, action="add_tags", tags=["second"])
    waits(ticket, 5)
    found = []
    for _turn in range(3):
        clocks.run_waiting_rules()
        found.append(sorted(tag.name for tag in ticket.tags.all()))
    assert found == [["first"], ["first", "second"], ["first", "second"]]
