"""What follows a missed call: one call-back task a person and queue, whatever else is planned with him."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from crm.planning import services as planning
from crm.planning.models import Task
from crm.service.models import Ticket
from inbox.models import Call
from tests import factories
from tests.inbox.calls.conftest import NUMBER, caller, hours, lena, phone, post, report

__all__ = ["caller", "hours", "lena", "phone", "post", "report"]

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Ten in Berlin; the queue works from nine to five."""


@pytest.fixture
def miss(report: Any, post: Callable[[], None]) -> Callable[..., None]:
    """Somebody rings and nobody answers."""

    def ring(call: str, **fields: str) -> None:
        report("newCall", call, **fields)
        report("hangup", call, cause="cancel", **fields)
        post()

    return ring


@pytest.mark.parametrize("kind", ["call-back", "todo"])
def test_what_a_colleague_planned_with_him_is_no_call_back_of_this_call(
    miss: Callable[..., None], caller: Any, lena: Any, queue: Any, kind: str
) -> None:
    with time_machine.travel(MONDAY, tick=False):
        wanted = planning.NewTask(title="Renewal", kind=kind, assignee=lena, queue=queue, contact=caller)
        own = planning.open_task(wanted, by=lena)
        rule = planning.open_task(wanted, by=None, name="rule: Renewals")
        planning.put_off(own, MONDAY - timedelta(days=9), by=lena)
        miss("1")
    task = Task.objects.exclude(pk__in=(own.pk, rule.pk)).get()
    assert (task.kind, task.queue, task.contact, task.phone) == ("call-back", queue, caller, NUMBER)
    assert task.due_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    own.refresh_from_db()
    assert (own.note, own.due_at) == ("", MONDAY - timedelta(days=9))


def test_who_rings_again_raises_the_call_back_that_waits(miss: Callable[..., None], caller: Any, lena: Any) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        miss("1")
        clock.shift(timedelta(minutes=20))
        miss("2")
        task, ticket = Task.objects.get(), Ticket.objects.get()
        assert task.due_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC), "the earlier promise stays"
        assert task.note == f"Called again on 2 Mar 2026, 10:20, see #{ticket.number}."
        planning.hand_over(task, assignee=lena, by=lena)
        planning.put_off(task, MONDAY + timedelta(days=7), by=lena)
        clock.shift(timedelta(days=2))
        miss("3")
        task, other = Task.objects.get(), Call.objects.get(call_id="3").ticket
        assert other is not None and other != ticket
        assert task.due_at == datetime(2026, 3, 4, 10, 20, tzinfo=UTC), "put off, but he rings now"
        assert task.note.splitlines()[1] == f"Called again on 4 Mar 2026, 10:20, see #{other.number}."
        assert task.assignee == lena


def test_another_queue_calls_back_itself(miss: Callable[..., None], phone: Any, caller: Any, queue: Any) -> None:
    sales = factories.QueueFactory(name="Sales")
    phone.settings = {**phone.settings, "queues": "+49 40 555 200 = Sales"}
    phone.save()
    miss("1")
    miss("2", to="4940555200")
    assert set(Task.objects.values_list("queue", flat=True)) == {queue.pk, sales.pk}


def test_the_note_of_somebody_who_rings_all_day_ends(miss: Callable[..., None], caller: Any) -> None:
    miss("1")
    Task.objects.update(note="x" * 2000)
    miss("2")
    assert Task.objects.get().note == "x" * 2000
