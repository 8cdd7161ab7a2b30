"""One request and every channel: a ticket goes from chat to mail to telephone to fax to a visit, and stays one."""

from __future__ import annotations

import email
from typing import Any

import pytest
from django.test import Client

from crm.service.models import Ticket
from inbox.channels import registry
from inbox.models import Call, Delivery
from inbox.services import call_tokens
from inbox.services.accept import accept
from inbox.services.processing import process, process_waiting
from tests import factories
from tests.inbox.calls.conftest import TOKEN, log_form
from tests.inbox.chat.conftest import Browser, make_chat
from tests.inbox.fax.conftest import settings_of

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
ANNA, PHONE, FAX = "anna@home.test", "+493055571600", "+493055571601"


@pytest.fixture
def desk(login: Any, agent: Any) -> Client:
    return login(agent)


def answer(desk: Client, ticket: Ticket, channel: Any, to: str, text: str) -> Delivery:
    """Typed into the composer, with another way chosen for it."""
    ticket.refresh_from_db()
    data = {"text": text, "seen": ticket.sequence, "channel": channel.pk, "to": to}
    assert desk.post(f"/desk/inbox/{ticket.number}/reply/", data, **HTMX).status_code == 200
    return Delivery.objects.latest("pk")


def test_from_channel_to_channel_it_stays_one(
    desk: Client, queue: Any, channel: Any, agent: Any, client: Client
) -> None:
    phone = factories.ChannelFactory(
        name="Phone", kind="phone", address="+4940555100", queue=queue, settings={"region": "DE"}
    )
    call_tokens.renew(phone, TOKEN)
    fax = factories.ChannelFactory(
        name="Fax",
        kind="fax",
        address="+49404321560",
        queue=queue,
        settings=settings_of(in_ocr="off", out_by="hfaxd", out_host="fax.test"),
    )
    visitor = Browser(make_chat(queue))
    visitor.say("My machine leaks.")
    ticket = Ticket.objects.get()

    offered = desk.get(f"/desk/inbox/{ticket.number}/ways/", {"q": ANNA}, **HTMX).context
    assert [each.channel for each in (*offered["ways"], *offered["others"])] == [channel]
    sent = answer(desk, ticket, channel, ANNA, "I write you by mail.")
    mail = email.message_from_bytes(registry.adapter("email").compose(sent, channel).content)
    reply = f"From: Anna <{ANNA}>\nTo: {channel.address}\nMessage-ID: <1@home.test>\nIn-Reply-To: {mail['Message-ID']}\n\nThank you."
    assert process(accept(channel, reply.encode())).ticket_id == ticket.pk

    event = {"callId": "1", "direction": "in", "from": PHONE, "to": phone.address}
    client.post(f"/api/v1/cti/{TOKEN}", {"event": "newCall", **event})
    client.post(f"/api/v1/cti/{TOKEN}", {"event": "answer", "user": agent.email, **event})
    call = Call.objects.get()
    assert desk.post(f"/desk/calls/{call.pk}/ticket/", {"ticket": ticket.number}).status_code == 200
    client.post(f"/api/v1/cti/{TOKEN}", {"event": "hangup", "cause": "normalClearing", **event})
    while process_waiting():
        pass

    answer(desk, ticket, fax, FAX, "The drawing comes by fax.")
    for what in ("visit", "letter-in"):
        form = log_form(desk, f"?ticket={ticket.number}&what={what}", what=what, note=f"A {what}.")
        assert desk.post("/desk/calls/new/", form).status_code == 302
    visitor.say("And here I am again.")

    assert Ticket.objects.get() == ticket
    said = [(message.kind, message.channel.kind) for message in ticket.messages.order_by("seq")]
    assert said == [
        ("inbound", "chat"),
        ("outbound", "email"),
        ("inbound", "email"),
        ("call", "phone"),
        ("outbound", "fax"),
        ("call", "phone"),
        ("call", "phone"),
        ("inbound", "chat"),
    ]
    page = desk.get(f"/desk/inbox/{ticket.number}/").content.decode()
    for words in ("My machine leaks.", "I write you by mail.", "Thank you.", "The drawing comes by fax.", "A visit."):
        assert words in page, words
