"""Screens of tasks and appointments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.planning import services
from crm.planning.models import Appointment, Task
from tests import factories

MARKUP = '"><img src=x onerror=__xss=1>'


def test_the_agenda_is_in_order(login: Any, agent: Any, queue: Any, contact: Any, ticket: Any) -> None:
    now = timezone.now()
    for title, due in (("Late", now - timedelta(days=2)), ("Some day", None), ("Far", now + timedelta(days=9))):
        factories.TaskFactory(title=title, assignee=agent, queue=None, due_at=due)
    factories.TaskFactory(title="Of the line", queue=queue, reference=f"ticket:{ticket.pk}", contact=contact)
    factories.TaskFactory(title="Foreign")
    client = login(agent)
    page = client.get("/desk/tasks/").content.decode()
    assert [page.index(word) for word in ("Late", "Far", "Some day")] == sorted(
        page.index(word) for word in ("Late", "Far", "Some day")
    )
    assert "Of the line" not in page
    page = client.get("/desk/tasks/?of=queues").content.decode()
    assert "Of the line" in page
    assert f"#{ticket.number}" in page
    assert "Late" not in page
    assert "Foreign" not in client.get("/desk/tasks/?of=all").content.decode()


def test_one_click(login: Any, agent: Any, queue: Any) -> None:
    client, task = login(agent), factories.TaskFactory(queue=queue, due_at=timezone.now())
    base = f"/desk/tasks/{task.pk}"
    assert client.post(f"{base}/take/", {"next": "/desk/tasks/?of=queues"})["Location"] == "/desk/tasks/?of=queues"
    task.refresh_from_db()
    assert (task.assignee, task.queue) == (agent, queue)
    client.post(f"{base}/tomorrow/")
    task.refresh_from_db()
    assert timezone.localtime(task.due_at).date() == timezone.localtime().date() + timedelta(days=1)
    client.post(f"{base}/until/", {"until": "2036-03-10T09:30"})
    task.refresh_from_db()
    assert timezone.localtime(task.due_at).strftime("%Y-%m-%d %H:%M") == "2036-03-10 09:30"
    client.post(f"{base}/until/", {"until": "nonsense"})
    assert client.post(f"{base}/done/", {"outcome": "Well", "next": "//evil.test"})["Location"] == "/desk/tasks/"
    task.refresh_from_db()
    assert (task.state, task.outcome, task.due_at.year) == ("done", "Well", 2036)
    page = client.get(base + "/").content.decode()
    assert "Well" in page
    assert "Open again" in page
    assert client.post(f"{base}/explode/").status_code == 404
    assert client.get(f"{base}/drop/").status_code == 405


def test_the_form_makes_and_changes(login: Any, agent: Any, queue: Any, contact: Any) -> None:
    client = login(agent)
    body = {
        "title": "Call back",
        "kind": "call-back",
        "priority": "3",
        "due_at": "2036-03-10T09:30",
        "assignee": agent.pk,
        "contact": contact.pk,
        "phone": "+49 (40) 123-4567",
    }
    task_url = client.post("/desk/tasks/all/new/", body)["Location"]
    task = Task.objects.get()
    assert task_url == f"/desk/tasks/{task.pk}/"
    assert (task.created_by, task.phone, task.customer, task.priority) == (
        agent,
        "+49401234567",
        contact.customer,
        3,
    )
    client.post(f"/desk/tasks/all/edit/{task.pk}/", {**body, "title": "Call", "assignee": "", "queue": queue.pk})
    task.refresh_from_db()
    assert (task.title, task.assignee, task.queue) == ("Call", None, queue)
    assert [event.what for event in task.events.all()] == ["made", "title", "customer", "queue", "assignee"]
    page = client.get(f"/desk/contacts/{contact.pk}/").content.decode()
    assert "Call" in page
    assert f"?contact={contact.pk}" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"assignee": ""}, "Say whose task it is"),
        ({"title": ""}, "required"),
        ({"phone": "call me"}, "Write the number with its country"),
        ({"assignee": "customer"}, "valid choice"),
        ({"contact": "999999"}, "valid choice"),
    ],
)
def test_the_form_refuses(login: Any, agent: Any, customer_user: Any, change: dict[str, str], said: str) -> None:
    """S-27, S-31: foreign and made-up ids are no choices; what is no field is ignored."""
    if change.get("assignee") == "customer":
        change = {"assignee": customer_user.pk}
    body = {"title": "x", "kind": "todo", "priority": "2", "assignee": agent.pk, "state": "done", "created_by": "1"}
    page = login(agent).post("/desk/tasks/all/new/", {**body, **change}).content.decode()
    assert said in page
    assert Task.objects.count() == 0


def test_a_finished_task_is_not_edited(login: Any, agent: Any) -> None:
    task = factories.TaskFactory(assignee=agent, queue=None, state="done", title="Old")
    body = {"title": "New", "kind": "todo", "priority": "2", "assignee": agent.pk}
    page = login(agent).post(f"/desk/tasks/all/edit/{task.pk}/", body).content.decode()
    assert "This task is finished already." in page
    task.refresh_from_db()
    assert task.title == "Old"


def test_an_appointment_is_made_and_kept(login: Any, agent: Any, contact: Any) -> None:
    client = login(agent)
    body = {
        "topic": "Demo",
        "kind": "visit",
        "starts_at": "2036-03-10T09:30",
        "ends_at": "2036-03-10T09:00",
        "people": [agent.pk],
        "contact": contact.pk,
    }
    assert "ends after it begins" in client.post("/desk/appointments/new/", body).content.decode()
    assert Appointment.objects.count() == 0
    client.post("/desk/appointments/new/", {**body, "ends_at": ""})
    row = Appointment.objects.get()
    assert (row.ends_at - row.starts_at, list(row.people.all()), row.created_by, row.source) == (
        timedelta(minutes=30),
        [agent],
        agent,
        "desk",
    )
    client.post(f"/desk/appointments/edit/{row.pk}/", {**body, "ends_at": "", "place": "Hamburg"})
    page = client.get(f"/desk/appointments/{row.pk}/").content.decode()
    assert "Hamburg" in page
    client.post(f"/desk/appointments/{row.pk}/kept/", {"outcome": "Sold one"})
    client.post(f"/desk/appointments/{row.pk}/cancel/")
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("done", "Sold one")


def test_nothing_is_run(login: Any, agent: Any, contact: Any) -> None:
    """S-03: what somebody typed is text everywhere."""
    task = factories.TaskFactory(
        assignee=agent, queue=None, title=MARKUP, note=MARKUP, outcome=MARKUP, contact=contact, reference=MARKUP
    )
    row = factories.AppointmentFactory(people=[agent], topic=MARKUP, place=MARKUP, note=MARKUP, contact=contact)
    client = login(agent)
    for path in (
        "/desk/tasks/",
        f"/desk/tasks/{task.pk}/",
        "/desk/tasks/all/",
        "/desk/appointments/",
        f"/desk/appointments/{row.pk}/",
        f"/desk/contacts/{contact.pk}/",
    ):
        page = client.get(path).content.decode()
        assert "<img src=x" not in page, path
        assert "&lt;img src=x" in page, path


def test_the_agenda_takes_few_queries(login: Any, agent: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        factories.TaskFactory(assignee=agent, queue=None, contact=factories.ContactFactory(name=""))
    client = login(agent)
    client.get("/desk/tasks/")
    with django_assert_max_num_queries(24):
        client.get("/desk/tasks/")


def test_numbers_are_dialled_by_the_desk_which_knows_who_must_not_be_called(login: Any, agent: Any) -> None:
    when = timezone.now() + timedelta(hours=3)
    task = services.open_task(
        services.NewTask(title="Call", assignee=agent, phone="+494012345678", due_at=when), by=agent
    )
    appointment = services.arrange(
        services.NewAppointment(
            topic="Call", starts_at=when, ends_at=when + timedelta(minutes=15), people=[agent], phone="+494012345678"
        ),
        by=agent,
    )
    desk = login(agent)
    for page in ("/desk/tasks/", f"/desk/tasks/{task.pk}/", f"/desk/appointments/{appointment.pk}/"):
        html = desk.get(page).content.decode()
        assert 'data-dial="+494012345678"' in html and "tel:" not in html, page
