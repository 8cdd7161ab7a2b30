"""One way a ticket changes: history, clocks, rules, access."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from crm.organisation.models import Notification, User
from crm.service import clocks, services
from crm.service.changes import Change
from crm.service.models import Escalation, Satisfaction, Ticket, TicketEvent
from routing.models import Rule, SLAPolicy
from tests import factories


def history(ticket: Ticket) -> list[tuple[str, str, str, str]]:
    return list(ticket.events.order_by("seq").values_list("actor_name", "what", "old", "new"))


def test_every_change_is_a_line_of_history(ticket: Ticket, agent: Any, other_queue: Any) -> None:
    before = ticket.sequence
    services.set_priority(ticket, 4, by=agent)
    services.assign(ticket, agent, by=agent)
    services.tag(ticket, add=["leak", "urgent"], by=agent)
    services.tag(ticket, remove=["urgent", "never there"], by=agent)
    services.move(ticket, other_queue, by=None)
    services.set_status(ticket, "resolved", by=agent)
    assert history(ticket) == [
        ("Agent", "priority", "2", "4"),
        ("Agent", "assignee", "", "Agent"),
        ("Agent", "tags", "", "leak, urgent"),
        ("Agent", "tags", "urgent", ""),
        ("", "queue", "Support", "Accounting"),
        ("Agent", "status", "new", "resolved"),
    ]
    ticket.refresh_from_db()
    assert ticket.sequence == before + 6 and ticket.resolved_at is not None
    assert [t.name for t in ticket.tags.all()] == ["leak"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_ticket_that_the_clock_closes_stays_at_its_place_in_the_lists(
    ticket: Ticket, agent: Any, by_hand: bool
) -> None:
    services.set_status(ticket, "resolved", by=agent)
    then = timezone.now() - timedelta(days=5)
    Ticket.objects.update(activity_at=then)
    services.close(ticket, by=agent if by_hand else None)
    ticket.refresh_from_db()
    assert ticket.status == "closed"
    assert (ticket.activity_at == then) is not by_hand


def test_what_is_so_already_leaves_no_line(ticket: Ticket, agent: Any) -> None:
    services.set_priority(ticket, ticket.priority, by=agent)
    services.set_status(ticket, ticket.status, by=agent)
    services.assign(ticket, None, by=agent)
    assert history(ticket) == []


@pytest.mark.parametrize("status", ["merged", "nonsense", ""])
def test_a_state_that_is_no_choice_is_refused(ticket: Ticket, agent: Any, status: str) -> None:
    with pytest.raises(ValueError):
        services.set_status(ticket, status, by=agent)
    assert history(ticket) == []


def test_a_snoozed_ticket_wakes_when_its_time_has_come(ticket: Ticket, agent: Any) -> None:
    services.snooze(ticket, timezone.now() + timedelta(hours=1), by=agent)
    assert clocks.wake_snoozed() == 0
    Ticket.objects.update(snoozed_until=timezone.now() - timedelta(days=3))
    assert (clocks.wake_snoozed(), clocks.wake_snoozed()) == (1, 0)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.snoozed_until) == ("open", None)


def test_a_rating_needs_a_finished_ticket(ticket: Ticket, contact: Any, agent: Any) -> None:
    with pytest.raises(services.RatingImpossible):
        services.rate(ticket, contact, 5)
    ticket = services.close(ticket, by=agent)
    for score in (0, 6):
        with pytest.raises(services.RatingImpossible):
            services.rate(ticket, contact, score)
    services.rate(ticket, contact, 2, "slow")
    services.rate(ticket, contact, 4, "better")
    assert [(s.score, s.comment) for s in Satisfaction.objects.all()] == [(4, "better")]


@pytest.fixture
def promised(queue: Any) -> Any:
    queue.sla = SLAPolicy.objects.create(name="Gold", first_answer=60, next_answer=120, solution=480)
    queue.save()
    return queue


def test_promises_are_dates_on_the_ticket(promised: Any, contact: Any, agent: Any, channel: Any) -> None:
    from inbox.services import replies

    change = Change.opening(subject="x", queue=promised, contact=contact, origin="email")
    from django.db import transaction

    with transaction.atomic():
        change.save()
    ticket = change.ticket
    opened = ticket.opened_at
    assert (ticket.first_answer_due, ticket.solution_due, ticket.due_at) == (
        opened + timedelta(hours=1),
        opened + timedelta(hours=8),
        opened + timedelta(hours=1),
    )
    replies.reply(ticket, author=agent, text="Hello")
    ticket.refresh_from_db()
    assert (ticket.first_answer_due, ticket.due_at) == (None, opened + timedelta(hours=8))
    services.close(ticket, by=agent)
    ticket.refresh_from_db()
    assert ticket.due_at is None


def test_a_missed_promise_is_told_once_and_rules_act_on_it(promised: Any, contact: Any, supervisor: Any) -> None:
    from django.db import transaction

    Rule.objects.create(
        name="late",
        event="ticket.escalated",
        conditions={"match": "all", "items": [{"fact": "sla_level", "operator": "is", "value": "breach"}]},
        actions=[
            {"action": "set_priority", "priority": "4"},
            {"action": "notify", "whom": "supervisor", "text": "late"},
        ],
    )
    change = Change.opening(
        subject="x", queue=promised, contact=contact, origin="email", at=timezone.now() - timedelta(minutes=50)
    )
    with transaction.atomic():
        change.save()
    assert (clocks.escalate(), clocks.escalate()) == (1, 0)
    assert Escalation.objects.values_list("clock", "level").get() == ("first", "warning")
    assert Ticket.objects.get().priority == 2
    Ticket.objects.update(
        opened_at=timezone.now() - timedelta(minutes=70),
        first_answer_due=timezone.now() - timedelta(minutes=10),
        due_at=timezone.now() - timedelta(minutes=10),
    )
    assert (clocks.escalate(), clocks.escalate()) == (1, 0)
    assert (Ticket.objects.get().priority, Notification.objects.get().user) == (4, supervisor)


def test_an_idle_rule_does_its_work_once_a_stretch_of_silence(ticket: Ticket, agent: Any) -> None:
    Rule.objects.create(
        name="quiet",
        event="ticket.idle",
        idle_minutes=60,
        conditions={"match": "all", "items": []},
        actions=[{"action": "add_tags", "tags": ["quiet"]}],
    )
    assert clocks.run_idle_rules() == 0
    Ticket.objects.update(activity_at=timezone.now() - timedelta(hours=2))
    assert (clocks.run_idle_rules(), clocks.run_idle_rules()) == (1, 0)
    services.tag(ticket, remove=["quiet"], by=agent)
    assert clocks.run_idle_rules() == 0


def test_rules_that_start_each_other_are_paused(ticket: Ticket, agent: Any, caplog: Any) -> None:
    for one, two in (("a", "b"), ("b", "a")):
        Rule.objects.create(
            name=f"{one} to {two}",
            event="ticket.changed",
            conditions={"match": "all", "items": [{"fact": "tags", "operator": "one_of", "value": [one]}]},
            actions=[{"action": "remove_tags", "tags": [one]}, {"action": "add_tags", "tags": [two]}],
        )
    services.tag(ticket, add=["a"], by=agent)
    assert Rule.objects.exclude(paused_because="").exists() and "paused" in caplog.text
    # Ten rounds of two rules with two lines each, and the tag that began it.
    assert TicketEvent.objects.filter(ticket=ticket).count() == 41
    services.set_priority(ticket, 4, by=agent)
    ticket.refresh_from_db()
    assert ticket.priority == 4


def test_an_innocent_rule_is_not_paused_with_those_that_go_in_circles(ticket: Ticket, agent: Any) -> None:
    """The third rule is reached in every round, but has something to do in the first alone."""
    for one, two in (("a", "b"), ("b", "a")):
        Rule.objects.create(
            name=f"{one} to {two}",
            event="ticket.changed",
            conditions={"match": "all", "items": [{"fact": "tags", "operator": "one_of", "value": [one]}]},
            actions=[{"action": "remove_tags", "tags": [one]}, {"action": "add_tags", "tags": [two]}],
        )
    innocent = Rule.objects.create(
        name="urgent",
        event="ticket.changed",
        conditions={"match": "any", "items": [{"fact": "tags", "operator": "one_of", "value": ["a", "b"]}]},
        actions=[{"action": "set_priority", "priority": "4"}],
    )
    services.tag(ticket, add=["a"], by=agent)
    paused = set(Rule.objects.exclude(paused_because="").values_list("name", flat=True))
    assert paused and paused <= {"a to b", "b to a"}
    innocent.refresh_from_db()
    assert innocent.paused_because == ""
    ticket.refresh_from_db()
    assert ticket.priority == 4


def test_a_rule_tells_once_of_one_change_though_it_changes_the_ticket_itself(
    ticket: Ticket, agent: Any, supervisor: Any
) -> None:
    Rule.objects.create(
        name="urgent",
        event="ticket.changed",
        conditions={"match": "all", "items": [{"fact": "priority", "operator": "is", "value": 4}]},
        actions=[
            {"action": "notify", "whom": "supervisor", "text": "urgent"},
            {"action": "add_tags", "tags": ["urgent"]},
        ],
    )
    services.set_priority(ticket, 4, by=agent)
    assert Notification.objects.count() == 1
    services.tag(ticket, add=["leak"], by=agent)
    assert Notification.objects.count() == 2


def test_who_sees_a_ticket(
    ticket: Ticket,
    agent: Any,
    supervisor: Any,
    administrator: Any,
    marketer: Any,
    editor: Any,
    other_queue: Any,
    customer_user: Any,
) -> None:
    foreign = factories.StaffFactory(role="agent")
    factories.QueueMemberFactory(queue=other_queue, user=foreign)
    seen = {
        person.email
        for person in (agent, supervisor, administrator, marketer, editor, foreign, customer_user)
        if Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
    }
    assert seen == {agent.email, supervisor.email, administrator.email}
    services.assign(ticket, foreign, by=None)
    assert Ticket.objects.visible_to(foreign).count() == 1
    User.objects.filter(pk=agent.pk).update(is_active=False)
    assert not Ticket.objects.visible_to(User.objects.get(pk=agent.pk)).exists()
    assert not Ticket.objects.visible_to(None).exists()


@pytest.mark.django_db(transaction=True)
def test_round_robin_under_many_workers_never_exceeds_capacity(queue: Any, agent: Any, contact: Any) -> None:
    """S-87: one assignee each, spread at most one, capacity kept, under as many writers as the database takes."""
    from crm.service import rules

    if connection.vendor == "sqlite":
        workers, tickets = 2, 12
    else:
        workers, tickets = 20, 200
    queue.strategy = "round-robin"
    queue.save()
    people = [factories.StaffFactory(role="agent", capacity=5) for _ in range(5)]
    for person in people:
        factories.QueueMemberFactory(queue=queue, user=person)
    queue.members.filter(user=agent).delete()
    keys = [factories.TicketFactory(queue=queue, contact=contact).pk for _ in range(tickets)]

    def work(mine: list[int]) -> None:
        from django.db import transaction

        for key in mine:
            try:
                with transaction.atomic():
                    change = Change.lock(key)
                    rules.assign_by_strategy(change, "round-robin")
                    change.save()
            finally:
                connections.close_all()  # there are fewer in the pool than workers

    together(*(partial(work, keys[n::workers]) for n in range(workers)))
    loads = [Ticket.objects.filter(assignee=p).count() for p in people]
    assert sum(loads) == min(tickets, 25) and max(loads) <= 5 and max(loads) - min(loads) <= 1
    assert TicketEvent.objects.filter(what="assignee").count() == sum(loads)


def together(*deeds: Callable[[], None]) -> None:
    """Do them all at once, each in a thread."""
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_persons_choice_wins_and_who_went_away_gets_no_more(queue: Any, agent: Any, contact: Any) -> None:
    """S-87: assigned by hand while the turn goes round; one colleague goes away in the middle of it."""
    from django.db import transaction

    from crm.service import rules

    queue.strategy = "round-robin"
    queue.save()
    chosen, leaving, staying = (
        factories.StaffFactory(role="agent", capacity=50, name=name) for name in ("Chosen", "Leaving", "Staying")
    )
    for person in (leaving, staying):
        factories.QueueMemberFactory(queue=queue, user=person)
    queue.members.filter(user=agent).delete()
    keys = [factories.TicketFactory(queue=queue, contact=contact).pk for _ in range(12)]
    had: list[int] = []

    def in_turn() -> None:
        try:
            for key in keys:
                if key == keys[6]:
                    User.objects.filter(pk=leaving.pk).update(is_available=False)
                    had.append(TicketEvent.objects.filter(what="assignee", new=str(leaving)).count())
                with transaction.atomic():
                    change = Change.lock(key)
                    rules.assign_by_strategy(change, "round-robin")
                    change.save()
        finally:
            connections.close_all()

    def by_hand() -> None:
        try:
            for key in keys[::2]:
                services.assign(Ticket.objects.get(pk=key), chosen, by=agent)
        finally:
            connections.close_all()

    together(in_turn, by_hand)
    assignees = dict(Ticket.objects.filter(pk__in=keys).values_list("pk", "assignee"))
    assert {assignees[key] for key in keys[::2]} == {chosen.pk}
    assert {assignees[key] for key in keys[1::2]} <= {leaving.pk, staying.pk}
    assert {assignees[key] for key in keys[7::2]} == {staying.pk}
    assert [TicketEvent.objects.filter(what="assignee", new=str(leaving)).count()] == had


@pytest.mark.django_db(transaction=True)
def test_those_who_watch_the_queue_it_left_are_told_too(ticket: Ticket, other_queue: Any, monkeypatch: Any) -> None:
    from inbox import live

    told: list[str] = []
    monkeypatch.setattr(live, "push", lambda hints: told.extend(group for group, _hint in hints))
    old = ticket.queue_id
    services.move(ticket, other_queue, by=None)
    assert {f"queue.{old}", f"queue.{other_queue.pk}", f"ticket.{ticket.pk}"} <= set(told)
