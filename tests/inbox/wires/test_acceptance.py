"""The whole loop with real servers: mailbox → ticket → answer → the sender's mailbox → his answer → the same ticket."""

from __future__ import annotations

import threading
import time
from email import message_from_bytes
from email.policy import default

import pytest

from crm.service.models import Ticket
from inbox.listening import listener as listening
from inbox.listening.listener import Watch
from inbox.models import Delivery, RawMessage
from inbox.services import replies, wake
from inbox.services.processing import process_waiting
from tests import factories
from tests.inbox.wires.loops import in_thread, mailbox_channel, sending, until
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dovecot]


def processing(stopping: threading.Event) -> None:
    from core.running import every

    every(0.5, process_waiting, wake=wake.processing_event)(stopping)


def read(content: bytes):
    return message_from_bytes(content, policy=default)


def test_a_conversation_by_mail(dovecot: Dovecot, box, sink, agent, monkeypatch):
    monkeypatch.setattr(listening, "WATCH_SECONDS", 0.2)
    queue = factories.QueueFactory(name="Support")
    factories.QueueMemberFactory(queue=queue, user=agent)
    channel = mailbox_channel(
        dovecot, box, smtp_host="127.0.0.1", smtp_port=sink.port, smtp_security="none", plus_addressing=True
    )
    channel.queue = queue
    channel.save()
    customer = f"anna-{box}"
    # The company's mail server: what is handed over lands in the customer's mailbox.
    sink.on_kept = lambda kept: dovecot.drop(customer, kept.content)
    first = (
        b"From: Anna Schmidt <anna@customer.test>\r\nTo: support@example.com\r\nSubject: The machine leaks\r\n"
        b"Message-ID: <first@customer.test>\r\nReferences: <older@customer.test>\r\n\r\nWater runs out below.\r\n"
    )
    with in_thread(lambda stopping: Watch().run(stopping)), in_thread(processing), sending():
        until(lambda: dovecot.drop(box, first) or True)
        ticket = until(Ticket.objects.first)
        assert (ticket.subject, ticket.queue, ticket.message_count) == ("The machine leaks", queue, 1)

        replies.reply(ticket, author=agent, text="Please close the valve.")
        landed = until(lambda: dovecot.mails(customer))
        got = read(landed[0][1])
        assert got["In-Reply-To"] == "<first@customer.test>"
        assert got["References"].split()[-1] == "<first@customer.test>"
        assert got["Subject"] == f"Re: The machine leaks [Ticket#{ticket.number}]"
        assert got["From"] == "Example Support <support@example.com>"
        assert got["To"] == "anna@customer.test"
        assert got["Reply-To"].startswith("Example Support <support+t")
        assert "Auto-Submitted" not in got
        text = got.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert text.startswith("Please close the valve.\n")
        assert "> Water runs out below." in text
        until(lambda: Delivery.objects.get().state == Delivery.State.SENT)

        began = time.monotonic()
        second = (
            f"From: Anna Schmidt <anna@customer.test>\r\nTo: {got['From']}\r\nSubject: Re: {got['Subject']}\r\n"
            f"Message-ID: <second@customer.test>\r\nIn-Reply-To: {got['Message-ID']}\r\n"
            f"References: {got['References']} {got['Message-ID']}\r\n\r\nThat helped, thank you.\r\n"
        ).encode()
        dovecot.drop(box, second)
        until(lambda: Ticket.objects.get().message_count == 3)
        assert time.monotonic() - began < 3
    assert Ticket.objects.count() == 1
    assert RawMessage.objects.get(uid=2).outcome == RawMessage.Outcome.APPENDED
    assert [m.kind for m in ticket.messages.order_by("seq")] == ["inbound", "outbound", "inbound"]
