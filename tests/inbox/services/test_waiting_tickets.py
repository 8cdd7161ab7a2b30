"""Tickets that came while nobody could take them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.organisation.models import User
from crm.service import services
from crm.service.models import Ticket
from inbox.models import Conversation, Visitor
from inbox.services import waiting_tickets
from inbox.workspace import history
from routing.models import Queue
from tests import factories


@pytest.fixture
def line(queue: Queue, agent: Any) -> list[Ticket]:
    """Three tickets of a queue that gives out by itself; the second came first. Its one member is not on duty."""
    Queue.objects.filter(pk=queue.pk).update(strategy="round-robin")
    User.objects.filter(pk=agent.pk).update(is_available=False, capacity=2)
    now = timezone.now()
    return [factories.TicketFactory(queue=queue, opened_at=now - timedelta(minutes=m)) for m in (2, 3, 1)]


def taken(line: list[Ticket]) -> list[str]:
    return [str(Ticket.objects.get(pk=ticket.pk).assignee or "") for ticket in line]


def test_they_are_given_out_when_somebody_comes_on_duty_and_again_when_he_has_room(
    line: list[Ticket], agent: Any
) -> None:
    assert (waiting_tickets.assign(), taken(line)) == (0, ["", "", ""])
    User.objects.update(is_available=True)
    assert (waiting_tickets.assign(), waiting_tickets.assign()) == (2, 0)
    assert taken(line) == ["Agent", "Agent", ""]
    event = line[1].events.get()
    assert (history.actor(event), history.in_words(event), history.reason(event)) == (
        "Guichet",
        "assigned it to Agent",
        "by the queue",
    )
    services.set_status(line[0], "resolved", by=agent)
    assert (waiting_tickets.assign(), taken(line)) == (1, ["Agent", "Agent", "Agent"])


def test_what_somebody_gave_back_is_for_people_to_decide(line: list[Ticket], agent: Any) -> None:
    User.objects.update(is_available=True, capacity=9)
    waiting_tickets.assign()
    services.assign(line[0], None, by=agent)
    assert (waiting_tickets.assign(), taken(line)[0]) == (0, "")


@pytest.mark.parametrize("reason", ["manual", "closed", "pending", "chat"])
def test_the_others_stay(line: list[Ticket], reason: str) -> None:
    User.objects.update(is_available=True, capacity=9)
    match reason:
        case "manual":
            Queue.objects.update(strategy="manual")
        case "closed":
            Queue.objects.update(active=False)
        case "pending":
            Ticket.objects.update(status="pending")
        case "chat":
            talk(line)
    assert waiting_tickets.assign() == 0


def talk(tickets: list[Ticket]) -> None:
    channel = factories.ChannelFactory(kind="chat", name="Website", queue=tickets[0].queue)
    for ticket in tickets:
        Conversation.objects.create(ticket=ticket, visitor=Visitor.objects.create(channel=channel))


def test_a_talk_that_is_over_is_a_ticket_like_the_others(line: list[Ticket]) -> None:
    User.objects.update(is_available=True, capacity=9)
    talk(line)
    Conversation.objects.update(ended_at=timezone.now())
    assert waiting_tickets.assign() == 3
