"""Rules that time starts: tickets nobody touches, customers who wait for an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.organisation.models import Notification
from crm.service import clocks, services
from crm.service.models import Ticket
from inbox.services import replies
from routing.models import Rule, RuleRun


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
    RuleRun.objects.update(at=timezone.now() - timedelta(minutes=20))
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
    rule("ticket.waiting", 3, ("origin", "is", "fax"))
    waits(ticket, 4)
    clocks.run_waiting_rules()
    with django_assert_num_queries(7) as asked:
        assert clocks.run_waiting_rules() == 0
    assert not [
        query
        for query in asked.captured_queries
        if "UPDATE" in query["sql"].upper().replace("FOR NO KEY UPDATE", "UPDATE")
    ]
