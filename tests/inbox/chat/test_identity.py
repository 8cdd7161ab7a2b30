"""Who a visitor is: proved by the site's signature or not at all (S-75), and what claims are worth."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.customers.models import Contact, ContactPoint
from crm.service.models import Ticket
from inbox.models import Conversation, Message, Visitor, VisitorKey
from inbox.services import channel_setup, chats, visitors
from tests import factories
from tests.inbox.chat.conftest import ORIGIN, SECRET, Browser, make_chat

pytestmark = pytest.mark.django_db


def proof(identifier: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), identifier.encode(), hashlib.sha256).hexdigest()


def user(identifier: str, **more: Any) -> dict[str, Any]:
    return {"identifier": identifier, "identifier_hash": proof(identifier), **more}


def test_a_proved_address_ties_the_visitor_to_its_contact(chat: Any, contact: Any) -> None:
    browser = Browser(chat, user=user("anna@customer.test", name="Anna S."))
    assert browser.welcome["person"] == {"name": "Anna S.", "email": True, "identified": True}
    browser.say("It is me")
    assert Ticket.objects.get().contact == contact
    assert chats.visitor_of(Ticket.objects.get()).identified == "anna@customer.test"


@pytest.mark.parametrize(
    "wrong",
    [
        {"identifier_hash": ""},
        {"identifier_hash": proof("somebody@else.test")},
        {"identifier_hash": proof("anna@customer.test", "another secret")},
        {"identifier_hash": proof("anna@customer.test")[:32]},
        {"identifier_hash": None},
        {"identifier": "", "identifier_hash": proof("")},
        {"identifier_hash": "é" * 64},
    ],
)
def test_without_the_right_proof_nothing_is_shown_and_nothing_changes(wrong: Any, chat: Any, contact: Any) -> None:
    real = Browser(chat, user=user("anna@customer.test"))
    real.say("My secret order")
    before = (Visitor.objects.count(), VisitorKey.objects.count(), Contact.objects.count())
    thief = Browser(chat, enter=False)
    answer = thief.post("session", user={**user("anna@customer.test"), **wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert b"secret order" not in answer.content
    assert (Visitor.objects.count(), VisitorKey.objects.count(), Contact.objects.count()) == before


def test_a_channel_without_a_secret_identifies_nobody(queue: Any) -> None:
    chat = make_chat(queue)
    chat.sealed = ""
    chat.save()
    answer = Browser(chat, enter=False).post(
        "session", user={"identifier": "a@b.test", "identifier_hash": proof("a@b.test", "")}
    )
    assert answer.status_code == 400


def test_an_identity_sees_its_earlier_talks_in_another_browser(chat: Any, contact: Any) -> None:
    first = Browser(chat, user=user("u-17", email="anna@customer.test"))
    first.say("From the office")
    second = Browser(chat, user=user("u-17"))
    assert [e["text"] for e in second.welcome["conversation"]["events"]] == ["From the office"]
    assert Browser(chat, user=user("u-18")).welcome["conversation"] is None
    # The address beside the identifier is not signed: it is a claim, and ties to nobody.
    assert Ticket.objects.get().contact != contact


def test_a_strangers_talk_becomes_his_when_he_proves_who_he_is(chat: Any, contact: Any) -> None:
    browser = Browser(chat)
    seq = browser.say("Before the login")
    old = browser.token
    browser.enter(user=user("anna@customer.test"))
    assert [e["text"] for e in browser.welcome["conversation"]["events"]] == ["Before the login"]
    browser.say("After the login")
    ticket = Ticket.objects.get()
    assert ticket.contact == contact
    assert [e["text"] for e in browser.events(0)["events"]] == ["Before the login", "After the login"]
    assert seq > 0
    assert old == browser.token or VisitorKey.objects.get(digest=visitors.digest_of(old)).until < timezone.now() + (
        visitors.OVERLAP + timedelta(seconds=1)
    )


def test_a_talk_of_a_stranger_joins_the_talks_of_a_known_identity(chat: Any, contact: Any) -> None:
    Browser(chat, user=user("anna@customer.test")).say("At home")
    browser = Browser(chat)
    browser.say("On the train")
    browser.enter(user=user("anna@customer.test"))
    texts = [e["text"] for e in browser.welcome["conversation"]["events"]]
    assert texts == ["At home", "On the train"]
    assert Visitor.objects.get(identifier="anna@customer.test").conversations.filter(ended_at=None).count() == 1
    assert set(Ticket.objects.values_list("contact", flat=True)) == {contact.pk}


def test_after_the_login_ended_the_page_shows_nothing_of_it(chat: Any) -> None:
    browser = Browser(chat, user=user("anna@customer.test"))
    browser.say("Private")
    welcome = browser.enter()  # the page knows nobody any more
    assert (welcome["conversation"], welcome["person"]["identified"]) == (None, False)


def test_a_claimed_address_is_only_a_claim(chat: Any, contact: Any, here: Any) -> None:
    browser = Browser(chat)
    assert browser.post("person", name="Not Anna", email="Anna@Customer.test").status_code == 204
    browser.say("Show me my orders")
    ticket = Ticket.objects.get()
    assert ticket.contact != contact
    assert not ContactPoint.objects.filter(contact=ticket.contact).exists()
    card = chats.visitor_of(ticket)
    assert (card.claimed_email, card.identified) == ("anna@customer.test", "")
    assert browser.enter()["person"] == {"name": "Not Anna", "email": True, "identified": False}
    assert browser.post("person", email="no address").json()["code"] == "invalid"


def test_tokens_end_by_leaving_by_time_and_by_rotation(chat: Any) -> None:
    browser = Browser(chat)
    browser.say("Hello")
    assert browser.post("leave").status_code == 204
    assert (browser.ask("GET", "events").status_code, browser.ask("GET", "events").json()["code"]) == (401, "token")
    assert browser.enter()["conversation"] is None

    other = Browser(chat)
    VisitorKey.objects.filter(visitor=Visitor.objects.latest("pk")).update(until=timezone.now())
    assert other.ask("GET", "events").status_code == 401

    third = Browser(chat)
    old = third.token
    VisitorKey.objects.filter(visitor=Visitor.objects.latest("pk")).update(
        made_at=timezone.now() - visitors.ROTATED_AFTER
    )
    third.enter()
    assert third.token != old
    VisitorKey.objects.filter(digest=visitors.digest_of(old)).update(until=timezone.now())
    assert third.ask("GET", "events").status_code == 200
    third.token = old
    assert third.ask("GET", "events").status_code == 401


def test_a_token_is_good_at_its_own_site_only(chat: Any, other_queue: Any) -> None:
    browser, other = Browser(chat), make_chat(other_queue)
    browser.say("Secret")
    thief = Browser(other, enter=False)
    thief.token = browser.token
    for what in ("say", "seen", "end", "person", "leave", "rating", "transcript"):
        answer = thief.post(what, id="8f14e45f-ceea-467f-9575-1c2d3e4f5a6b", text="x", seq=1, score=5)
        assert (answer.status_code, answer.json()["code"]) == (401, "token"), what
    assert thief.ask("GET", "events").status_code == 401
    assert Message.objects.count() == 1
    assert thief.enter()["conversation"] is None


def test_only_a_digest_of_the_token_is_kept(chat: Any) -> None:
    browser = Browser(chat)
    assert len(browser.token) >= 43
    assert not VisitorKey.objects.filter(digest=browser.token).exists()


def test_visitors_files_are_for_themselves(chat: Any, here: Any) -> None:
    browser, other = Browser(chat), Browser(chat)
    browser.say("Hello")
    other.say("Hello")
    ticket = Conversation.objects.earliest("pk").ticket
    message = ticket.messages.get()
    factories.AttachmentFactory(message=message, name="invoice.pdf", content=b"%PDF")
    hidden = factories.MessageFactory(ticket=ticket, kind="note", text="internal")
    secret = factories.AttachmentFactory(message=hidden, name="note.txt", content=b"secret")
    (file,) = browser.events()["events"][0]["files"]
    assert (file["name"], file["size"], file["image"]) == ("invoice.pdf", 4, False)
    answer = browser.ask("GET", f"file/{file['id']}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="invoice.pdf"'
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    for close in answer._resource_closers:  # not answer.close(): it ends the connection of the test
        close()
    assert other.ask("GET", f"file/{file['id']}").status_code == 404
    from core.tokens import sign

    assert browser.ask("GET", f"file/{sign('chat file', f'f-{secret.pk}')}").status_code == 404
    assert browser.ask("GET", f"file/f-{secret.pk}.aaaa").status_code == 404


def test_a_new_secret_ends_old_proofs(chat: Any) -> None:
    channel_setup.save_channel(chat, {}, {"identity_secret": "another-secret-that-is-long"}, by=None)
    assert Browser(chat, enter=False).post("session", user=user("anna@customer.test")).status_code == 400
