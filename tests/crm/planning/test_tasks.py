"""Tasks: every change is one line of history, and nobody sees what is not his."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.customers import identity, timeline
from crm.customers.models import TimelineEntry
from crm.organisation.models import Notification
from crm.planning import services
from crm.planning.models import Priority, Task
from crm.planning.services import NewTask
from routing.models import Rule
from tests import factories

SOON = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)


def history(task: Task) -> list[tuple[str, str, str, str, str]]:
    return list(task.events.values_list("actor_name", "what", "old", "new", "why"))


def entries(contact: Any) -> list[tuple[str, str, str]]:
    return list(contact.timeline.order_by("id").values_list("kind", "title", "reference"))


def told(user: Any) -> list[tuple[str, str]]:
    return list(Notification.objects.filter(user=user).order_by("id").values_list("text", "url"))


def test_a_task_goes_its_way(agent: Any, supervisor: Any, contact: Any, queue: Any) -> None:
    task = services.open_task(
        NewTask("  Call   back ", queue=queue, kind="call-back", contact=contact, due_at=SOON, phone="+49401234567"),
        by=supervisor,
    )
    assert (task.title, task.customer, task.state, task.remind_at) == ("Call back", contact.customer, "open", SOON)
    services.hand_over(task, by=supervisor, assignee=agent, queue=queue)
    services.put_off(task, LATER, by=agent, why="on holiday")
    services.edit_task(task, {"priority": Priority.HIGH, "title": "Call back today"}, by=agent)
    services.complete(task, by=agent, outcome="He was glad")
    services.complete(task, by=supervisor, outcome="Too late")
    services.reopen(task, by=supervisor)
    services.drop(task, by=supervisor, why="not needed")
    task.refresh_from_db()
    assert (task.state, task.outcome, task.due_at, task.remind_at) == ("dropped", "not needed", LATER, None)
    assert history(task) == [
        ("Supervisor", "made", "", "Call back", ""),
        ("Supervisor", "assignee", "", "Agent", ""),
        ("Agent", "due_at", "2026-03-10T09:00+00:00", "2026-03-12T09:00+00:00", "on holiday"),
        ("Agent", "title", "Call back", "Call back today", ""),
        ("Agent", "priority", "2", "3", ""),
        ("Agent", "state", "open", "done", "He was glad"),
        ("Supervisor", "state", "done", "open", ""),
        ("Supervisor", "state", "open", "dropped", "not needed"),
    ]
    assert entries(contact) == [
        ("task.opened", "Call back", f"task:{task.pk}"),
        ("task.done", "Call back today", f"task:{task.pk}"),
        ("task.reopened", "Call back today", f"task:{task.pk}"),
        ("task.dropped", "Call back today", f"task:{task.pk}"),
    ]
    assert told(agent) == [("Supervisor gave you a task: Call back", f"/desk/tasks/{task.pk}/")]


def test_what_is_told_is_in_the_readers_language(agent: Any, supervisor: Any) -> None:
    agent.language = "zh-hans"
    agent.save()
    services.open_task(NewTask("回电", assignee=agent), by=supervisor)
    services.open_task(NewTask("For myself", assignee=supervisor), by=supervisor)
    assert [text for text, _url in told(agent)] != []
    assert told(supervisor) == []


def test_nothing_changes_on_refusal(agent: Any, customer_user: Any, queue: Any) -> None:
    task = factories.TaskFactory(assignee=agent, queue=None)
    for wanted in (NewTask("  ", assignee=agent), NewTask("Nobody's"), NewTask("A customer's", assignee=customer_user)):
        with pytest.raises(services.NotPossible):
            services.open_task(wanted, by=agent)
    with pytest.raises(services.NobodyResponsible):
        services.hand_over(task, by=agent)
    services.complete(task, by=agent)
    for deed in (
        lambda: services.drop(task, by=agent),
        lambda: services.put_off(task, LATER, by=agent),
        lambda: services.hand_over(task, by=agent, queue=queue),
        lambda: services.edit_task(task, {"title": "x"}, by=agent),
    ):
        with pytest.raises(services.Finished):
            deed()
    task.refresh_from_db()
    assert Task.objects.count() == 1
    assert (task.state, task.due_at, task.queue) == ("done", None, None)
    assert [line[1] for line in history(task)] == ["state"]


def test_a_task_is_somebodys_in_the_database_too(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.create(title="Nobody's")


def test_who_sees_a_task(agent: Any, supervisor: Any, marketer: Any, customer_user: Any, queue: Any) -> None:
    other = factories.StaffFactory()
    mine = factories.TaskFactory(assignee=agent, queue=None)
    line = factories.TaskFactory(queue=queue)
    asked = factories.TaskFactory(assignee=other, queue=None, created_by=agent)
    foreign = factories.TaskFactory(assignee=other, queue=None, contact=customer_user.contact)
    assert set(Task.objects.visible_to(agent)) == {mine, line, asked}
    assert set(Task.objects.visible_to(other)) == {asked, foreign}
    assert set(Task.objects.visible_to(supervisor)) == {mine, line, asked, foreign}
    for nobody in (customer_user, marketer, None):
        assert list(Task.objects.visible_to(nobody)) == []
    agent.is_active = False
    agent.save()
    assert list(Task.objects.visible_to(type(agent).objects.get(pk=agent.pk))) == []


def test_the_timeline_hides_foreign_tasks(agent: Any, contact: Any) -> None:
    """S-26: the line of a task that one may not see is not shown, and its label not told."""
    mine = services.open_task(NewTask("Mine", assignee=agent, contact=contact), by=None)
    foreign = services.open_task(NewTask("Secret", assignee=factories.StaffFactory(), contact=contact), by=None)
    shown = timeline.visible_to(agent, TimelineEntry.objects.order_by("id"), 10)
    assert [(line.title, line.words, line.url) for line in shown] == [("Mine", "Task", f"/desk/tasks/{mine.pk}/")]
    assert timeline.links(agent, [f"task:{mine.pk}", f"task:{foreign.pk}", "ticket:1", "nonsense"]) == {
        f"task:{mine.pk}": ("Task", f"/desk/tasks/{mine.pk}/")
    }


def test_tasks_move_with_the_contact_and_back(agent: Any, contact: Any) -> None:
    other = factories.ContactFactory()
    task, old = factories.TaskFactory(contact=other), factories.TaskFactory(contact=contact)
    appointment = factories.AppointmentFactory(contact=other)
    link = identity.link(contact, other, by=agent)
    assert set(contact.tasks.all()) == {task, old}
    assert list(contact.appointments.all()) == [appointment]
    identity.unlink(link, by=agent)
    assert list(other.tasks.all()) == [task]
    assert list(other.appointments.all()) == [appointment]
    assert list(contact.tasks.all()) == [old]


def test_due_in_business_hours(db: None) -> None:
    queue = factories.QueueFactory(hours=factories.BusinessHoursFactory())
    friday = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)  # 16:30 in Berlin; closes at 17:00
    assert services.due_in(60, queue, start=friday) == datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
    assert services.due_in(60, None, start=friday) == friday + timedelta(hours=1)
    never = factories.QueueFactory(hours=factories.BusinessHoursFactory(shifts=[]))
    assert services.due_in(60, never, start=friday) == friday + timedelta(hours=1)


# Rules


def rule(**parameters: Any) -> Rule:
    made = Rule(
        name="Ask again",
        event=Rule.Event.TICKET_CHANGED,
        conditions={"match": "all", "items": []},
        actions=[{"action": "make_task", "title": "Ask again", "kind": "follow-up", **parameters}],
    )
    made.full_clean()
    made.save()
    return made


@time_machine.travel(datetime(2026, 3, 10, 12, 0, tzinfo=UTC), tick=False)
def test_a_rule_makes_a_task_once(ticket: Any, agent: Any) -> None:
    from crm.service import services as tickets

    rule(whom="queue", hours="4")
    tickets.set_priority(ticket, 4, by=agent)
    tickets.set_priority(ticket, 3, by=agent)
    task = Task.objects.get()
    assert (task.title, task.kind, task.queue, task.assignee, task.reference, task.contact, task.priority) == (
        "Ask again",
        "follow-up",
        ticket.queue,
        None,
        f"ticket:{ticket.pk}",
        ticket.contact,
        4,
    )
    assert task.due_at == timezone.now() + timedelta(hours=4)
    assert history(task) == [("rule: Ask again", "made", "", "Ask again", "")]
    services.complete(task, by=agent)
    tickets.set_priority(ticket, 4, by=agent)
    assert Task.objects.filter(state="open").count() == 1


def test_whom_a_rule_gives_a_task(ticket: Any, agent: Any, supervisor: Any, other_queue: Any) -> None:
    from crm.service import services as tickets

    whom = [f"person:{supervisor.pk}", f"queue:{other_queue.pk}", "assignee", "queue"]
    got = []
    for each in whom:
        made = rule(whom=each)
        tickets.set_priority(ticket, 3 if ticket.priority != 3 else 4, by=agent)
        ticket.refresh_from_db()
        task = Task.objects.latest("id")
        got.append((task.assignee, task.queue))
        Task.objects.all().delete()
        made.delete()
    assert got == [(supervisor, None), (None, other_queue), (None, ticket.queue), (None, ticket.queue)]


def test_a_rule_cannot_name_whom_it_likes(ticket: Any, customer_user: Any, agent: Any) -> None:
    """What no form offers, written past it: never a customer's, and a broken name makes no task and stops nothing."""
    from crm.service import services as tickets

    for whom in (f"person:{customer_user.pk}", "person:0", "queue:999", "nonsense"):
        made = rule(whom=whom)
        tickets.set_priority(ticket, 3 if ticket.priority != 3 else 4, by=agent)
        ticket.refresh_from_db()
        task = Task.objects.get()
        assert (task.assignee, task.queue) == (None, ticket.queue)
        task.delete()
        made.delete()
    for broken in ({"whom": "person:x"}, {"whom": "queue", "kind": "murder"}):
        made = rule(**broken)
        tickets.set_priority(ticket, 3 if ticket.priority != 3 else 4, by=agent)
        ticket.refresh_from_db()
        assert Task.objects.count() == 0
        made.delete()
