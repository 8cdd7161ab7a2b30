"""Who gets a chat: presence, capacity, the line, and colleagues who leave (S-87)."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from crm.service import services
from crm.service.models import Ticket, TicketEvent
from inbox.models import Conversation, Presence, Visitor
from inbox.services import chats, presence, replies, waiting_chats
from tests import factories
from tests.inbox.chat.conftest import Browser, make_chat

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> None:
    settings.CHAT_UNLIMITED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def team(queue: Any) -> list[Any]:
    """Three colleagues who are here, two chats each, in turn."""
    queue.strategy = "round-robin"
    queue.save()
    queue.members.all().delete()
    people = [factories.StaffFactory(role="agent", name=f"Agent {n}", chats_at_once=2) for n in range(3)]
    for colleague in people:
        factories.QueueMemberFactory(queue=queue, user=colleague)
        Presence.objects.create(user=colleague)
    return people


def assignees() -> list[Any]:
    return [t.assignee for t in Ticket.objects.order_by("pk").select_related("assignee")]


def test_chats_go_in_turn_to_who_is_here_and_the_rest_waits(chat: Any, team: Any) -> None:
    browsers = [Browser(chat) for _ in range(8)]
    assert browsers[0].welcome["duty"] == "open"
    for browser in browsers:
        browser.say("Hello")
    assert Counter(assignees()) == {team[0]: 2, team[1]: 2, team[2]: 2, None: 2}
    assert Browser(chat).welcome["duty"] == "busy"
    assert browsers[0].events()["duty"] == "open", "somebody is there for him"
    assert browsers[7].events()["duty"] == "busy"
    assert browsers[6].events()["wait"] == 1
    assert browsers[7].events()["wait"] == 2
    assert "wait" not in browsers[0].events()
    assert [t.ticket_id for t in chats.waiting(team[0])] == list(
        Ticket.objects.filter(assignee=None).order_by("pk").values_list("pk", flat=True)
    )
    assert len(chats.open_for(team[0])) == 2


def test_who_gets_free_is_given_the_next_at_once(chat: Any, team: Any, django_capture_on_commit_callbacks: Any) -> None:
    for _ in range(8):
        Browser(chat).say("Hello")
    first, second = Ticket.objects.filter(assignee=None).order_by("pk")
    with django_capture_on_commit_callbacks(execute=True):
        chats.end(chats.open_for(team[1])[0].ticket, team[1])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.assignee, second.assignee) == (team[1], None)
    assert waiting_chats.assign() == 0


def test_away_absent_and_unavailable_colleagues_get_none(chat: Any, team: Any) -> None:
    presence.set_state(team[0], "away")
    Presence.objects.filter(user=team[1]).update(seen_at=timezone.now() - presence.HERE)
    team[2].is_available = False
    team[2].save()
    browser = Browser(chat)
    assert browser.welcome["duty"] == "closed"
    browser.say("Hello")
    assert assignees() == [None]
    presence.set_state(team[0], "online")
    assert assignees() == [team[0]]


def test_the_first_sign_of_life_brings_waiting_chats(chat: Any, team: Any) -> None:
    Presence.objects.all().delete()
    Browser(chat).say("Hello")
    assert assignees() == [None]
    presence.beat(team[2])
    assert assignees() == [team[2]]
    before = Presence.objects.get(user=team[2]).seen_at
    presence.beat(team[2])
    assert Presence.objects.get(user=team[2]).seen_at == before
    assert presence.is_here(team[2])
    presence.gone(team[2])
    assert not presence.is_here(team[2])


def test_duty_follows_the_hours_of_the_queue(chat: Any, team: Any) -> None:
    chat.queue.hours = factories.BusinessHoursFactory(shifts=[])
    assert presence.duty(chat.queue) == "closed"
    chat.queue.hours = None
    assert presence.duty(chat.queue) == "open"


def test_a_chat_of_who_left_goes_to_another_with_its_history(chat: Any, team: Any) -> None:
    browser = Browser(chat)
    browser.say("Hello")
    ticket = Ticket.objects.get()
    assert ticket.assignee == team[0]
    replies.reply(ticket, author=team[0], text="One moment")
    Presence.objects.update(since=timezone.now() - timedelta(hours=1))
    Presence.objects.filter(user=team[0]).update(seen_at=timezone.now() - timedelta(seconds=59))
    assert waiting_chats.take_back() == 0
    Presence.objects.filter(user=team[0]).update(seen_at=timezone.now() - timedelta(seconds=61))
    assert waiting_chats.take_back() == 1
    ticket.refresh_from_db()
    assert ticket.assignee == team[1]
    lines = TicketEvent.objects.filter(ticket=ticket, what="assignee").order_by("seq")
    assert [(e.old, e.new, e.why) for e in lines] == [
        ("", "Agent 0", "queue"),
        ("Agent 0", "", "left the chat"),
        ("", "Agent 1", "chat"),
    ]
    assert [e["text"] for e in browser.events()["events"]] == [
        "Hello",
        "Agent 0 has joined.",
        "One moment",
        "Agent 1 has joined.",
    ]


def test_after_an_outage_everybody_has_time_to_come_back_to_his_chats(chat: Any, team: Any) -> None:
    """R-22: while the house was away it heard nobody, and whoever is back first does not get all chats."""
    for _ in range(3):
        Browser(chat).say("Hello")
    before = assignees()
    Presence.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert waiting_chats.take_back() == 0
    presence.beat(team[0])
    assert waiting_chats.take_back() == 0
    presence.beat(team[1])
    assert assignees() == before
    # Who is not back a minute later has left.
    Presence.objects.filter(user__in=team[:2]).update(since=timezone.now() - timedelta(seconds=61))
    assert waiting_chats.take_back() == 1
    assert team[2] not in assignees()


def test_a_chat_that_is_handed_over_does_not_come_back_by_itself(
    chat: Any, team: Any, queue: Any, django_capture_on_commit_callbacks: Any
) -> None:
    Browser(chat).say("Hello")
    ticket = Ticket.objects.get()
    giver = team[0]
    Presence.objects.exclude(user=giver).delete()
    with django_capture_on_commit_callbacks(execute=True):
        chats.hand_over(ticket, queue, giver)
    assert (assignees(), waiting_chats.assign()) == ([None], 0)
    # Somebody else comes, has it, and goes: then it may be anybody's.
    presence.beat(team[1])
    assert assignees() == [team[1]]
    Presence.objects.filter(user=team[1]).update(seen_at=timezone.now() - timedelta(minutes=2))
    Presence.objects.filter(user=giver).update(since=timezone.now() - timedelta(minutes=2))
    assert waiting_chats.take_back() == 1
    assert assignees() == [giver]


def test_a_chat_that_is_handed_over_goes_to_somebody_else_who_is_here(
    chat: Any, team: Any, queue: Any, django_capture_on_commit_callbacks: Any
) -> None:
    other = factories.QueueFactory(strategy="least-busy")
    for colleague in team[:2]:
        factories.QueueMemberFactory(queue=other, user=colleague)
    Browser(chat).say("Hello")
    ticket = Ticket.objects.get()
    assert ticket.assignee == team[0]
    for _ in range(2):
        Browser(chat).say("Hello")
    chats.take_over(chats.open_for(team[2])[0].ticket, team[1])  # has two now, the giver one
    team[1].chats_at_once = 3
    team[1].save()
    with django_capture_on_commit_callbacks(execute=True):
        chats.hand_over(ticket, other, team[0])
    ticket.refresh_from_db()
    assert (ticket.queue, ticket.assignee) == (other, team[1])
    assert [e.new for e in TicketEvent.objects.filter(ticket=ticket, what="assignee").order_by("seq")] == [
        "Agent 0",
        "",
        "Agent 1",
    ]


def test_a_chat_whose_visitor_is_gone_stays_where_it_is(chat: Any, team: Any) -> None:
    Browser(chat).say("Hello")
    Presence.objects.all().update(seen_at=timezone.now() - timedelta(seconds=61))
    Visitor.objects.update(seen_at=timezone.now() - waiting_chats.STAYED)
    assert waiting_chats.take_back() == 0
    Visitor.objects.update(seen_at=timezone.now() - waiting_chats.IDLE)
    assert waiting_chats.end_idle() == 1
    talk = Conversation.objects.get()
    assert (talk.ended_by, talk.ticket.status, talk.ticket.assignee) == ("idle", "new", team[0])


def test_taking_over_is_free_will(chat: Any, team: Any) -> None:
    for _ in range(6):
        Browser(chat).say("Hello")
    theirs = chats.open_for(team[1])[0].ticket
    chats.take_over(theirs, team[0])
    assert Counter(assignees()) == {team[0]: 3, team[1]: 1, team[2]: 2}
    Browser(chat).say("Hello")
    assert Counter(assignees()) == {team[0]: 3, team[1]: 2, team[2]: 2}


def test_manual_queues_give_nothing_by_themselves(chat: Any, here: Any) -> None:
    Browser(chat).say("Hello")
    assert (assignees(), waiting_chats.assign()) == ([None], 0)


def test_tickets_of_other_channels_know_no_presence(queue: Any, team: Any, channel: Any) -> None:
    Presence.objects.all().delete()
    from inbox.services.accept import accept
    from inbox.services.processing import process

    process(accept(channel, b"From: a@b.test\r\nSubject: Mail\r\n\r\nHello\r\n", external_id="1"))
    assert assignees() == [team[0]]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_go_over_anybodys_capacity(queue: Any) -> None:
    """S-87: 24 chats, four workers, a colleague who goes away meanwhile, and manual choices in between."""
    chat = make_chat(queue)
    queue.strategy = "round-robin"
    queue.save()
    queue.members.all().delete()
    team = [factories.StaffFactory(role="agent", name=f"Agent {n}", chats_at_once=4) for n in range(4)]
    for colleague in team:
        factories.QueueMemberFactory(queue=queue, user=colleague)
    for _ in range(24):
        Browser(chat).say("Hello")
    assert assignees() == [None] * 24
    Presence.objects.bulk_create(Presence(user=colleague) for colleague in team)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            if number == 4:
                presence.set_state(team[3], "away")
            elif number == 5:
                last = Ticket.objects.order_by("-pk")[0]
                chats.take_over(last, team[3])
            else:
                for _ in range(3):
                    waiting_chats.assign()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    waiting_chats.assign()
    counts = Counter(assignees())
    manual = Ticket.objects.order_by("-pk")[0]
    assert manual.assignee == team[3]
    for colleague in team[:3]:
        assert counts[colleague] == 4
    assert counts[team[3]] <= 5
    for ticket in Ticket.objects.exclude(assignee=None):
        assert TicketEvent.objects.filter(ticket=ticket, what="assignee", new=str(ticket.assignee)).count() == 1
    services.close(manual, by=team[3])
    assert presence.loads([team[3].pk]).get(team[3].pk, 0) == counts[team[3]] - 1
