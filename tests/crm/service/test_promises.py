"""Promises through a ticket's life: standing still, changed policies, warnings, and a slow count of the same time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.service import clocks, promises, services
from crm.service.changes import Change
from crm.service.models import Escalation, Ticket
from routing.models import BusinessHours, Holiday, Queue, Shift, SLAPolicy
from routing.services import promises_changed

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHIFTS = ((time(9), time(12)), (time(13), time(17)))


@pytest.fixture
def office(db: None) -> BusinessHours:
    """Nine to five with a break, in Berlin: the night of 28 March 2026 is an hour short, 31 March is a holiday."""
    hours = BusinessHours.objects.create(name="Office", time_zone="Europe/Berlin")
    for weekday in range(5):
        for opens, closes in SHIFTS:
            Shift.objects.create(hours=hours, weekday=weekday, opens=opens, closes=closes)
    Shift.objects.create(hours=hours, weekday=5, opens=time(22), closes=time(0))  # Saturday night …
    Shift.objects.create(hours=hours, weekday=6, opens=time(0), closes=time(4))  # … into Sunday, over the change
    Holiday.objects.create(hours=hours, day=date(2026, 3, 31))
    return hours


@pytest.fixture
def policy(queue: Queue) -> SLAPolicy:
    """First answer within two hours, solution within eight, around the clock."""
    queue.sla = SLAPolicy.objects.create(name="Gold", first_answer=120, solution=480)
    queue.save()
    return queue.sla


def open_ticket(queue: Queue, contact: Any, at: datetime) -> Ticket:
    with time_machine.travel(at, tick=False), transaction.atomic():
        change = Change.opening(subject="x", queue=queue, contact=contact, origin="email")
        change.save()
    return change.ticket


def put(ticket: Ticket, status: str, at: datetime, by: Any) -> Ticket:
    with time_machine.travel(at, tick=False):
        return services.set_status(ticket, status, by=by)


def hours_after(count: float) -> datetime:
    return MONDAY + timedelta(hours=count)


def test_the_solution_waits_while_we_wait_for_the_customer(policy: Any, queue: Any, contact: Any, agent: Any) -> None:
    ticket = open_ticket(queue, contact, MONDAY)
    assert ticket.solution_due == hours_after(8)
    ticket = put(ticket, "pending", hours_after(3), agent)
    assert (ticket.solution_due, ticket.first_answer_due) == (None, hours_after(2))
    ticket = put(ticket, "open", hours_after(30), agent)
    assert ticket.solution_due == hours_after(8 + 27)


def test_snoozing_a_ticket_wins_no_time(policy: Any, queue: Any, contact: Any, agent: Any) -> None:
    ticket = open_ticket(queue, contact, MONDAY)
    with time_machine.travel(hours_after(1), tick=False):
        services.snooze(ticket, hours_after(5), by=agent)
    with time_machine.travel(hours_after(6), tick=False):
        clocks.wake_snoozed()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.solution_due) == ("open", hours_after(8))


def test_a_reopened_ticket_has_the_time_that_was_left(policy: Any, queue: Any, contact: Any, agent: Any) -> None:
    ticket = open_ticket(queue, contact, MONDAY)
    put(ticket, "resolved", hours_after(6), agent)
    ticket = put(ticket, "open", hours_after(100), agent)
    assert ticket.solution_due == hours_after(102)


def test_what_was_missed_stays_missed(policy: Any, queue: Any, contact: Any, agent: Any) -> None:
    ticket = open_ticket(queue, contact, MONDAY)
    ticket = put(ticket, "pending", hours_after(9), agent)
    assert ticket.solution_due == hours_after(8)
    ticket = put(ticket, "open", hours_after(20), agent)
    assert ticket.solution_due == hours_after(8)


def test_nobody_is_told_twice_because_the_time_was_moved(policy: Any, queue: Any, contact: Any, agent: Any) -> None:
    SLAPolicy.objects.update(first_answer=None)
    queue.refresh_from_db()
    ticket = open_ticket(queue, contact, MONDAY)
    with time_machine.travel(hours_after(7), tick=False):
        assert (clocks.escalate(), clocks.escalate()) == (1, 0)
    put(ticket, "pending", hours_after(7), agent)
    with time_machine.travel(hours_after(50), tick=False):
        assert clocks.escalate() == 0
    put(ticket, "open", hours_after(50), agent)
    with time_machine.travel(hours_after(50.5), tick=False):
        assert clocks.escalate() == 0
    with time_machine.travel(hours_after(51), tick=False):
        assert (clocks.escalate(), clocks.escalate()) == (1, 0)
    assert list(Escalation.objects.order_by("pk").values_list("clock", "level", "due_at")) == [
        ("solution", "warning", hours_after(8)),
        ("solution", "breach", hours_after(51)),
    ]


def test_a_warning_comes_in_time_also_weeks_before_the_end(policy: Any, queue: Any, contact: Any) -> None:
    SLAPolicy.objects.update(first_answer=None, solution=20 * 24 * 60, warn_percent=50)
    queue.refresh_from_db()
    open_ticket(queue, contact, MONDAY)
    with time_machine.travel(MONDAY + timedelta(days=10) - MINUTE, tick=False):
        assert clocks.escalate() == 0
    with time_machine.travel(MONDAY + timedelta(days=10), tick=False):
        assert clocks.escalate() == 1
    assert Escalation.objects.get().level == "warning"


def test_a_changed_policy_holds_for_open_tickets(policy: Any, queue: Any, contact: Any) -> None:
    ticket = open_ticket(queue, contact, MONDAY)
    policy.first_answer, policy.solution = 60, 24 * 60
    policy.save()
    with time_machine.travel(hours_after(0.5), tick=False):
        promises_changed(policy)
        assert clocks.escalate() == 0
    ticket.refresh_from_db()
    assert (ticket.first_answer_due, ticket.solution_due, ticket.due_at) == (
        hours_after(1),
        hours_after(24),
        hours_after(1),
    )


def test_a_policy_that_a_queue_gets_or_loses_later_counts(policy: Any, queue: Any, contact: Any) -> None:
    queue.sla = None
    queue.save()
    ticket = open_ticket(queue, contact, MONDAY)
    assert ticket.due_at is None
    for sla, due in ((policy, hours_after(2)), (None, None)):
        queue.sla = sla
        queue.save()
        with time_machine.travel(hours_after(1), tick=False):
            promises_changed(queue)
            clocks.escalate()
        ticket.refresh_from_db()
        assert (ticket.sla, ticket.due_at) == (sla, due)


def test_a_new_holiday_moves_what_is_due(policy: Any, queue: Any, contact: Any, office: BusinessHours) -> None:
    queue.hours = office
    queue.save()
    ticket = open_ticket(queue, contact, datetime(2026, 3, 2, 16, 30, tzinfo=UTC))  # Monday, after five in Berlin
    assert ticket.first_answer_due == datetime(2026, 3, 3, 10, tzinfo=UTC)
    Holiday.objects.create(hours=office, day=date(2026, 3, 3))
    with time_machine.travel(datetime(2026, 3, 2, 17, tzinfo=UTC), tick=False):
        promises_changed(office)
        clocks.escalate()
    ticket.refresh_from_db()
    assert ticket.first_answer_due == datetime(2026, 3, 4, 10, tzinfo=UTC)


def test_who_was_told_already_is_read_and_not_locked(
    policy: Any, queue: Any, contact: Any, django_assert_num_queries: Any
) -> None:
    for _number in range(3):
        open_ticket(queue, contact, MONDAY)
    with time_machine.travel(hours_after(10), tick=False):
        assert clocks.escalate() == 6
        # The late ones, their queue, its policy, what was told of them, and that there are no more.
        with django_assert_num_queries(5):
            assert clocks.escalate() == 0


def _open_minutes(begin: datetime, states: list[tuple[datetime, str]], promised: int) -> datetime | None:
    """Count, minute by minute on a wall clock in Berlin, until the promised time is over; None while it stands."""
    zone, left, moment = ZoneInfo("Europe/Berlin"), promised, begin
    while left:
        running = [state for at, state in states if at <= moment][-1] == "open"
        if not running and moment >= states[-1][0]:
            return None
        wall = moment.astimezone(zone)
        clock = wall.hour * 60 + wall.minute
        day = wall.weekday()
        if wall.date() == date(2026, 3, 31):
            is_open = False
        elif day < 5:
            is_open = 540 <= clock < 720 or 780 <= clock < 1020
        else:
            is_open = clock >= 1320 if day == 5 else clock < 240
        left -= is_open and running
        moment += MINUTE
    return moment


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, 7 * 1440),
    stretches=st.lists(st.integers(1, 2500), max_size=5),
    promised=st.integers(1, 2400),
)
def test_the_time_of_a_solution_is_that_of_a_slow_count(
    office: BusinessHours, start: int, stretches: list[int], promised: int
) -> None:
    """Around the end of March, when the clocks change, with a night shift over midnight, a break and a holiday."""
    begin = datetime(2026, 3, 25, 0, tzinfo=UTC) + start * MINUTE
    policy = SLAPolicy(name="x", solution=promised)
    ticket = Ticket(queue=Queue(hours=office, sla=policy), opened_at=begin, status="open")
    promises.renew(ticket)
    states, moment = [(begin, "open")], begin
    for number, stretch in enumerate(stretches):
        moment += stretch * MINUTE
        ticket.status = "open" if number % 2 else "pending"
        promises.stand_or_run(ticket, moment)
        promises.renew(ticket)
        states.append((moment, ticket.status))
    assert ticket.solution_due == _open_minutes(begin, states, promised)
