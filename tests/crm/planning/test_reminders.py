"""R-32: a reminder comes once, after any pause, whatever runs twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from crm.organisation.models import Notification
from crm.planning import clocks, services
from crm.planning.models import TaskReminder
from crm.planning.services import NewAppointment, NewTask
from tests import factories

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def texts(user: Any) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("id").values_list("text", flat=True))


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_once_a_task_and_due_time(agent: Any, clock: Any) -> None:
    task = services.open_task(NewTask("Call", assignee=agent, due_at=NOON + timedelta(hours=1)), by=agent)
    assert (clocks.remind(), texts(agent)) == (0, [])
    clock.move_to(NOON + timedelta(days=3))  # the scheduler was down
    assert [clocks.remind(), clocks.remind()] == [1, 0]
    clock.move_to(NOON)  # the clock is turned back, and on again
    clocks.remind()
    clock.move_to(NOON + timedelta(days=3))
    clocks.remind()
    assert texts(agent) == ["Due: Call"]
    services.put_off(task, NOON + timedelta(days=4), by=agent)
    services.put_off(task, NOON + timedelta(hours=1), by=agent)  # the due time that was told already
    clocks.remind()
    services.put_off(task, NOON + timedelta(days=4), by=agent)
    clock.move_to(NOON + timedelta(days=4))
    clocks.remind()
    assert texts(agent) == ["Due: Call", "Due: Call"]
    assert TaskReminder.objects.filter(task=task).count() == 2


def test_a_queues_task_is_told_to_its_people(agent: Any, queue: Any, other_queue: Any, clock: Any) -> None:
    second, gone = factories.StaffFactory(), factories.StaffFactory(is_active=False)
    outside = factories.StaffFactory()
    factories.QueueMemberFactory(queue=other_queue, user=outside)
    for user in (second, gone):
        factories.QueueMemberFactory(queue=queue, user=user)
    services.open_task(NewTask("Call", queue=queue, due_at=NOON), by=None)
    assert clocks.remind() == 1
    assert [texts(user) for user in (agent, second, gone, outside)] == [["Due: Call"], ["Due: Call"], [], []]


def test_what_is_finished_is_not_told(agent: Any, clock: Any) -> None:
    done = services.open_task(NewTask("Call", assignee=agent, due_at=NOON + timedelta(hours=1)), by=agent)
    services.complete(done, by=agent)
    clock.move_to(NOON + timedelta(hours=2))
    assert (clocks.remind(), texts(agent)) == (0, [])


def test_an_appointment_is_told_before_it_begins(agent: Any, clock: Any) -> None:
    agent.time_zone = "Asia/Shanghai"
    agent.save()
    services.arrange(NewAppointment("Demo", NOON + timedelta(hours=1), people=[agent]), by=agent)
    services.arrange(NewAppointment("Slept through", NOON + timedelta(minutes=20), people=[agent]), by=agent)
    assert clocks.remind() == 0
    clock.move_to(NOON + timedelta(minutes=52))
    assert [clocks.remind(), clocks.remind()] == [1, 0]
    assert texts(agent) == ["10 Mar 2026, 21:00: Demo"]


def test_reminders_take_few_queries(queue: Any, agent: Any, clock: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        factories.TaskFactory(queue=queue, due_at=NOON, remind_at=NOON, title=f"Task {number}")
    with django_assert_max_num_queries(45):
        assert clocks.remind() == 30
    assert len(texts(agent)) == 30


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_tell_once() -> None:
    user = factories.StaffFactory()
    for _ in range(20):
        factories.TaskFactory(assignee=user, queue=None, due_at=timezone.now(), remind_at=timezone.now())
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        clocks.remind()
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()
    assert Notification.objects.filter(user=user).count() == 20
    assert TaskReminder.objects.count() == 20
