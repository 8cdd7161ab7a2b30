"""Views, filters, pages and counts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.service.models import Ticket
from inbox import queries
from inbox.models import Mention, SavedView, TicketSeen
from tests import factories

pytestmark = pytest.mark.django_db


def keys(page: queries.Page) -> list[int]:
    return [ticket.pk for ticket in page.tickets]


def listed(user, filters, **how) -> list[int]:
    return keys(queries.page(queries.narrow(Ticket.objects.visible_to(user), filters, user), user, **how))


@pytest.fixture
def tickets(queue, other_queue, agent):
    """Ten of the agent's queue, one a minute, and one that he does not see."""
    now = timezone.now()
    made = [factories.TicketFactory(queue=queue, activity_at=now - timedelta(minutes=n)) for n in range(10)]
    factories.TicketFactory(queue=other_queue, activity_at=now)
    return made


def test_pages_follow_each_other_without_gap_or_repetition(agent, tickets):
    same = tickets[3].activity_at
    Ticket.objects.filter(pk__in=[t.pk for t in tickets[3:7]]).update(activity_at=same)
    base = Ticket.objects.visible_to(agent)
    for order, expected in (
        ("newest", base.order_by("-activity_at", "-pk")),
        ("oldest", base.order_by("activity_at", "pk")),
    ):
        found, after, rounds = [], "", 0
        while True:
            page = queries.page(base, agent, order=order, after=after, size=3)
            found += keys(page)
            after, rounds = page.after, rounds + 1
            if not after:
                break
        assert found == [ticket.pk for ticket in expected]
        assert (len(found), rounds) == (10, 4)


def test_a_ticket_that_moves_up_between_two_pages_is_not_lost(agent, tickets):
    base = Ticket.objects.visible_to(agent)
    first = queries.page(base, agent, size=4)
    Ticket.objects.filter(pk=tickets[8].pk).update(activity_at=timezone.now() + timedelta(minutes=1))
    second = queries.page(base, agent, after=first.after, size=10)
    assert keys(second) == [t.pk for t in tickets[4:8]] + [tickets[9].pk]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": ["open"]}, {1, 2}),
        ({"status": ["open", "pending"]}, {1, 2, 3}),
        ({"assignee": ["me"]}, {1}),
        ({"assignee": ["none"], "status": ["open"]}, {2}),
        ({"assignee": ["me", "none"], "status": ["open"]}, {1, 2}),
        ({"priority": ["4"]}, {3}),
        ({"tag": ["urgent words"]}, {2}),
        ({"due": ["over"]}, {3}),
        ({"due": ["soon"]}, {2, 3}),
        ({"mentions": ["me"]}, {2}),
        ({"channel": ["fax"]}, {1}),
    ],
)
def test_filters(filters, expected, agent, tickets):
    now = timezone.now()
    Ticket.objects.filter(pk__in=[t.pk for t in tickets]).update(status="new")
    Ticket.objects.filter(pk=tickets[1].pk).update(status="open", assignee=agent, origin="fax")
    Ticket.objects.filter(pk=tickets[2].pk).update(status="open", due_at=now + timedelta(hours=1))
    Ticket.objects.filter(pk=tickets[3].pk).update(
        status="pending", priority=4, due_at=now - timedelta(hours=1), assignee=factories.StaffFactory()
    )
    tickets[2].tags.create(name="urgent words")
    message = factories.MessageFactory(ticket=tickets[2], kind="note")
    Mention.objects.create(user=agent, ticket=tickets[2], message=message)
    assert set(listed(agent, filters)) == {tickets[n].pk for n in expected}


def test_merged_tickets_are_listed_only_when_asked_for(agent, tickets):
    Ticket.objects.filter(pk=tickets[0].pk).update(status="merged")
    assert tickets[0].pk not in listed(agent, {})
    assert listed(agent, {"status": ["merged"]}) == [tickets[0].pk]


@pytest.mark.parametrize(
    "query",
    [
        "status=nowhere",
        "field__regex=1",
        "status__in=open",
        "assignee=1 OR 1=1",
        "queue=x",
        "queue=" + "9" * 40,
        "order=id;DROP",
        "order=-password",
        "_connector=OR",
        "view=nothing",
        "view=saved-1",
        "after=zzz",
        "after=MTk3MC0wMS0wMSAx",
        "priority=9",
        "due=then",
        "&".join("tag=x" for _ in range(60)),
    ],
)
def test_a_list_that_cannot_be_is_refused(query, agent, queue, login):
    for name in ("list", "rows", "panes"):
        assert login(agent).get(reverse(f"inbox:{name}") + "?" + query).status_code == 400, name


def test_counts_stop_at_the_limit_and_cost_one_statement(agent, queue, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(queries, "COUNT_LIMIT", 3)
    for _ in range(5):
        factories.TicketFactory(queue=queue, status="new")
    factories.TicketFactory(queue=queue, status="pending")
    factories.TicketFactory(status="new")
    base = Ticket.objects.visible_to(agent)
    views = queries.views_of(agent, queries.queues_of(agent))
    with django_assert_num_queries(1):
        counts = queries.counts(base, views, agent)
    assert counts == {
        "mine": 0,
        "unassigned": 3,
        "open": 3,
        "mentions": 0,
        "due": 0,
        "pending": 1,
        "snoozed": 0,
        "resolved": 0,
        "all": 3,
        f"queue-{queue.pk}": 3,
    }


def test_unread_means_something_happened_since(agent, queue):
    ticket = factories.TicketFactory(queue=queue)
    factories.MessageFactory(ticket=ticket)
    base = Ticket.objects.visible_to(agent)
    assert queries.page(base, agent).tickets[0].unread is True
    TicketSeen.objects.create(user=agent, ticket=ticket, seq=ticket.sequence)
    assert queries.page(base, agent).tickets[0].unread is False
    factories.MessageFactory(ticket=ticket)
    assert queries.page(base, agent).tickets[0].unread is True


def test_the_filter_that_is_shown_becomes_a_view(agent, supervisor, queue, login):
    Ticket.objects.all().delete()
    wanted = factories.TicketFactory(queue=queue, status="open", priority=4)
    factories.TicketFactory(queue=queue, status="open", priority=1)
    url = reverse("inbox:save_view")
    data = {"name": "  Burning   things ", "query": "view=open&priority=4", "shared": "1"}
    assert login(agent).post(url, data).status_code == 302
    view = SavedView.objects.get()
    assert (view.name, view.user, view.filters) == (
        "Burning things",
        agent,
        {"status": ["new", "open"], "priority": ["4"]},
    )
    page = login(agent).get(reverse("inbox:list"), {"view": f"saved-{view.pk}"})
    assert page.context["page"].tickets == [wanted]
    assert "Burning things" in page.content.decode()
    assert login(supervisor).get(reverse("inbox:list"), {"view": f"saved-{view.pk}"}).status_code == 400
    login(supervisor).post(url, data)
    assert SavedView.objects.filter(user=None).count() == 1
    assert login(agent).post(url, {"name": "Bad", "query": "view=open&password=x"}).status_code == 400
    assert login(agent).post(url, {"name": "", "query": "view=open"}).status_code == 422


def test_a_broken_saved_view_harms_only_itself(agent, queue, login):
    factories.TicketFactory(queue=queue)
    view = SavedView.objects.create(name="Old", user=agent, filters={"colour": ["red"]})
    assert login(agent).get(reverse("inbox:list")).status_code == 200
    assert login(agent).get(reverse("inbox:list"), {"view": f"saved-{view.pk}"}).status_code == 400
    assert f"saved-{view.pk}" not in login(agent).get(reverse("inbox:counts")).json()


@pytest.mark.parametrize("payload", ['"><img src=x onerror=__xss=1>', "\u202egnp.exe", "a\u200bb"])
def test_names_and_subjects_are_text(payload, agent, queue, login):
    contact = factories.ContactFactory(name=payload)
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject=payload, preview=payload)
    ticket.tags.create(name=payload[:50])
    body = login(agent).get(reverse("inbox:list"), {"view": "all"}).content.decode()
    assert "<img src=x" not in body
    assert "\u202e" not in body
    found = login(agent).get(reverse("inbox:find"), {"q": str(ticket.number)}).json()["items"][0]
    assert "\u202e" not in found["subject"]
    assert "\u200b" not in found["contact"]
