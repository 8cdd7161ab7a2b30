"""A visitor's words become a ticket, and an answer reaches him."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from crm.service import services
from crm.service.models import Ticket, TicketLink
from inbox.models import Conversation, Delivery, Message, RawMessage, Visitor
from inbox.services import chats, replies
from tests.inbox.chat.conftest import ORIGIN, Browser

pytestmark = pytest.mark.django_db


def test_a_message_becomes_a_ticket_and_the_answer_reaches_the_visitor(chat: Any, here: Any) -> None:
    visitor = Browser(chat, locale="en-GB")
    assert (visitor.welcome["duty"], visitor.welcome["conversation"]) == ("open", None)
    seq = visitor.say("My machine leaks. What can I do?")
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.origin, ticket.queue) == ("My machine leaks. What can I do?", "chat", chat.queue)
    message = ticket.messages.get()
    assert (message.kind, message.text, message.channel) == ("inbound", "My machine leaks. What can I do?", chat)
    assert message.facts["page_url"] == f"{ORIGIN}/cart"
    assert message.facts["referrer"] == "https://search.test/"
    row = Visitor.objects.get()
    assert (message.from_address, message.contact, ticket.contact) == (row.address, row.contact, row.contact)

    chats.take_over(ticket, here)
    answer = replies.reply(ticket, author=here, text="Please close the valve.")
    assert (answer.channel, answer.to) == (chat, [[row.address, ""]])
    news = visitor.events(seq)
    assert [(e["kind"], e["text"]) for e in news["events"]] == [
        ("note", "Agent has joined."),
        ("answer", "Please close the valve."),
    ]
    assert news["events"][1]["agent"] == {"name": "Agent", "picture": None, "initials": "A"}
    assert news["seq"] == Ticket.objects.get().sequence
    assert visitor.events(news["seq"])["events"] == []


def test_an_answer_is_delivered_when_the_browser_has_it(chat: Any, here: Any) -> None:
    visitor = Browser(chat)
    visitor.say("Hello?")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="Hello!")
    assert Delivery.objects.get().state == "queued"
    news = visitor.events(0)
    assert Delivery.objects.get().state == "queued"  # the answer to the request may never have arrived
    visitor.events(news["seq"])
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.recipient) == ("sent", Visitor.objects.get().address)
    talk = Conversation.objects.get()
    assert (talk.fetched, talk.visitor_seen) == (news["seq"], 0)
    assert visitor.post("seen", seq=news["seq"]).status_code == 204
    talk.refresh_from_db()
    assert talk.visitor_seen == news["seq"]
    assert chats.visitor_of(ticket).seen == news["seq"]


def test_a_retry_is_stored_once_through_any_door(chat: Any) -> None:
    visitor, name = Browser(chat), str(uuid.uuid4())
    first = visitor.say("Only once", name)
    assert [visitor.say("Only once", name) for _ in range(4)] == [first] * 4
    assert RawMessage.objects.count() == Message.objects.count() == Ticket.objects.count() == 1
    events = visitor.events()["events"]
    assert [(e["id"], e["text"], e["kind"]) for e in events] == [(name, "Only once", "said")]


def test_all_words_of_a_talk_go_to_one_ticket_in_order(chat: Any) -> None:
    visitor = Browser(chat)
    numbers = [visitor.say(f"Line {n}") for n in range(5)]
    assert numbers == sorted(set(numbers))
    ticket = Ticket.objects.get()
    assert [m.text for m in ticket.messages.order_by("seq")] == [f"Line {n}" for n in range(5)]
    assert [e["text"] for e in visitor.events()["events"]] == [f"Line {n}" for n in range(5)]


def test_a_finished_ticket_is_followed_by_a_new_one_that_is_linked(chat: Any, here: Any) -> None:
    visitor = Browser(chat)
    first = visitor.say("The first matter")
    old = Ticket.objects.get()
    services.close(old, by=here)
    assert visitor.events(first)["status"] == "ended"
    second = visitor.say("Another matter")
    new = Ticket.objects.exclude(pk=old.pk).get()
    assert second > first
    assert TicketLink.objects.filter(ticket=new, other=old, kind="related").exists()
    assert [e["text"] for e in visitor.events(first)["events"] if e["kind"] == "said"] == ["Another matter"]
    assert Conversation.objects.filter(ended_at=None).get().ticket == new
    page = visitor.ask("GET", "events", {"before": second}).json()
    assert [e["text"] for e in page["events"] if e["kind"] == "said"] == ["The first matter"]
    assert page["more"] is False


def test_notes_and_what_others_wrote_are_not_for_visitors(chat: Any, here: Any, channel: Any, contact: Any) -> None:
    from tests import factories

    visitor = Browser(chat)
    visitor.say("Hello")
    ticket = Ticket.objects.get()
    replies.add_note(ticket, author=here, text="He is a difficult one")
    factories.MessageFactory(ticket=ticket, contact=contact, channel=channel, text="Mail of somebody else")
    factories.MessageFactory(ticket=ticket, kind="outbound", channel=channel, to=[["x@y.test", ""]], text="Our answer")
    factories.MessageFactory(ticket=ticket, kind="call", contact=contact, text="A call")
    news = visitor.events()
    assert [e["text"] for e in news["events"]] == ["Hello"]


def test_the_visitor_ends_the_talk(chat: Any, here: Any) -> None:
    visitor = Browser(chat)
    visitor.say("Hello")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="Hello!")
    assert visitor.post("end").status_code == 204
    ticket.refresh_from_db()
    assert ticket.status == "resolved"
    news = visitor.events()
    assert news["status"] == "ended"
    assert news["events"][-1]["text"] == "You ended the chat."
    assert (chats.of(ticket).ended_by, chats.open_for(here)) == ("visitor", [])


def test_an_unanswered_ticket_stays_open_when_the_visitor_goes(chat: Any) -> None:
    visitor = Browser(chat)
    visitor.say("Hello")
    visitor.post("end")
    assert Ticket.objects.get().status == "new"
    visitor.say("Still there?")
    assert Ticket.objects.count() == 1
    assert Conversation.objects.get().ended_at is None


def test_cors_names_the_origin_that_is_listed_and_no_other(chat: Any) -> None:
    path = f"/chat/v1/{chat.settings['key']}/session"
    answer = Client().options(path, headers={"origin": ORIGIN, "access-control-request-method": "POST"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    for other in ("https://evil.test", "null", f"{ORIGIN}.evil.test", f"http{ORIGIN[5:]}", None):
        browser = Browser(chat, other, enter=False)
        refused = browser.post("session")
        assert (refused.status_code, refused.json()["code"]) == (403, "origin")
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert Visitor.objects.count() == 0
