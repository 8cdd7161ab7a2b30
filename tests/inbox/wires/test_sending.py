"""Handing mail over: outcomes, order, breakers, leases (R-11, R-13 … R-16)."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone, translation

import core.running
from core import ledger
from crm.service.models import Ticket, TicketEvent
from inbox.channels.base import Outcome, Receipt
from inbox.channels.email import faults
from inbox.models import Channel, Delivery, Message
from inbox.services import deliveries, outcomes, sending, wake
from inbox.workspace import history
from tests import factories
from tests.inbox.wires.loops import sending as running
from tests.inbox.wires.loops import sending_channel, until
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
S = Delivery.State


def answer(channel, recipient="anna@customer.test", ticket=None, **fields):
    ticket = ticket or factories.TicketFactory()
    message = factories.MessageFactory(
        ticket=ticket, kind=Message.Kind.OUTBOUND, channel=channel, to=[[recipient, ""]], text="Please close the valve."
    )
    return factories.DeliveryFactory(
        channel=channel, message=message, recipient=recipient, mail_id=message.mail_id, **fields
    )


def state(delivery):
    delivery.refresh_from_db()
    return delivery.state


def account_mails(channel, count):
    rows = [
        deliveries.NewDelivery(channel, None, f"p{n}@customer.test", "system", {"subject": "s", "text": "t"})
        for n in range(count)
    ]
    return deliveries.queue(rows)


def test_sent_once_and_written_down(sink):
    delivery = answer(sending_channel(sink))
    with running():
        until(lambda: state(delivery) == S.SENT)
    assert [(k.sender, k.recipient, k.mail_id) for k in sink.kept] == [
        ("support@example.com", "anna@customer.test", delivery.mail_id)
    ]
    assert (delivery.code, delivery.response, delivery.lease_token, delivery.attempts) == (250, "2.0.0 Kept", "", 1)
    channel = Channel.objects.get()
    assert (channel.sending_health, channel.sending_note) == ("good", "")


def test_a_connection_is_used_again(sink):
    channel = sending_channel(sink)
    account_mails(channel, 30)
    with running():
        until(lambda: Delivery.objects.filter(state=S.SENT).count() == 30)
    assert sorted(k.recipient for k in sink.kept) == sorted(f"p{n}@customer.test" for n in range(30))
    assert sink.connections <= 2
    assert sink.most_connections <= 2


def test_a_recipient_fault_fails_and_brings_the_ticket_back(sink):
    sink.on_rcpt = lambda who: "550 5.1.1 No such user" if who.startswith("gone") else None
    channel = sending_channel(sink)
    ticket = factories.TicketFactory(status=Ticket.Status.RESOLVED)
    bad, good = answer(channel, "gone@customer.test", ticket), answer(channel, "here@customer.test")
    with running():
        until(lambda: state(bad) == S.FAILED and state(good) == S.SENT)
    assert (bad.code, bad.response) == (550, "550 5.1.1 No such user")
    ticket.refresh_from_db()
    assert ticket.status == Ticket.Status.OPEN
    assert TicketEvent.objects.get(ticket=ticket, what="undelivered").new == "gone@customer.test"
    assert Channel.objects.get().sending_health == "good"


def test_a_refused_login_pauses_the_account_and_harms_no_recipient():
    server = SmtpSink(users={"desk": "right"})
    try:
        channel = sending_channel(server, smtp_user="desk")
        channel.set_secrets({"smtp_password": "wrong"})
        channel.save()
        rows = [answer(channel, f"p{n}@customer.test") for n in range(3)]
        with running():
            until(lambda: Channel.objects.get().sending_health == "paused")
            until(lambda: not Delivery.objects.exclude(lease_token="").exists())
            assert server.connections <= 2
            assert {state(row) for row in rows} == {S.QUEUED}
            assert {row.attempts for row in rows} == {0}
            note = Channel.objects.get().sending_note
            assert "refused the login of “desk”" in note
            assert "right" not in note
            assert "wrong" not in note.replace("Wrong password", "")
            channel.set_secrets({"smtp_password": "right"})
            channel.save()
            time.sleep(1)
            outcomes.resume(channel)
            until(lambda: {state(row) for row in rows} == {S.SENT})
        assert Channel.objects.get().sending_health == "good"
    finally:
        server.close()


def test_554_from_everywhere_is_the_account(sink):
    sink.on_rcpt = lambda _who: "554 5.7.1 Client host blocked"
    channel = sending_channel(sink)
    rows = [answer(channel, f"p{n}@other{n}.test") for n in range(5)]
    with running():
        until(lambda: Channel.objects.get().sending_health == "paused")
        until(lambda: not Delivery.objects.exclude(lease_token="").exists())
    assert {state(row) for row in rows} <= {S.QUEUED, S.DEFERRED}


def test_554_for_one_is_his_fault_in_the_end(sink):
    sink.on_rcpt = lambda who: "554 5.7.1 Not here" if who.startswith("bad") else None
    channel = sending_channel(sink)
    bad, good = answer(channel, "bad@customer.test"), answer(channel, "good@customer.test")
    with running():
        until(lambda: state(bad) == S.DEFERRED and state(good) == S.SENT)
        Delivery.objects.filter(pk=bad.pk).update(next_at=timezone.now())
        until(lambda: state(bad) == S.FAILED)
    assert Channel.objects.get().sending_health == "good"


@pytest.mark.parametrize("reply", ["450 4.2.0 Greylisted", "451 4.7.1 Later", "452 4.2.2 Full"])
def test_a_temporary_refusal_is_tried_again(sink, reply):
    sink.on_rcpt = lambda _who: reply
    delivery = answer(sending_channel(sink))
    with running():
        until(lambda: state(delivery) == S.DEFERRED)
        wait = (delivery.next_at - timezone.now()).total_seconds()
        assert 40 < wait < 75
        assert delivery.attempts == 1
        sink.on_rcpt = lambda _who: None
        Delivery.objects.update(next_at=timezone.now())
        until(lambda: state(delivery) == S.SENT)
    assert len(sink.kept) == 1


def test_421_pauses_the_account_shortly_and_recovers_alone(sink):
    sink.on_mail = lambda _who: "421 4.3.2 Shutting down"
    channel = sending_channel(sink)
    rows = [answer(channel, f"p{n}@customer.test") for n in range(4)]
    with running():
        until(lambda: Channel.objects.get().sending_health == "trouble")
        sink.on_mail = lambda _who: None
        until(lambda: {state(row) for row in rows} == {S.SENT})
    assert len(sink.kept) == 4
    assert {row.attempts for row in rows} == {1}


def test_order_in_a_conversation_is_kept_through_a_refusal(sink):
    seen = []

    def refuse_first(_who):
        seen.append(1)
        return "451 4.7.1 Later" if len(seen) == 1 else None

    sink.on_rcpt = refuse_first
    channel = sending_channel(sink)
    ticket = factories.TicketFactory()
    rows = [answer(channel, ticket=ticket) for _n in range(4)]
    other = answer(channel, "bert@customer.test", ticket=ticket)
    with running():
        until(lambda: state(other) == S.SENT and state(rows[0]) == S.DEFERRED)
        assert [state(row) for row in rows[1:]] == [S.QUEUED] * 3
        Delivery.objects.update(next_at=timezone.now())
        until(lambda: state(rows[3]) == S.SENT)
    mine = [k.mail_id for k in sink.kept if k.recipient == "anna@customer.test"]
    assert mine == [row.mail_id for row in rows]


def test_a_domain_that_refuses_is_left_alone(sink):
    asked = []
    sink.on_rcpt = lambda who: asked.append(who) or "450 4.2.0 Later"
    channel = sending_channel(sink, smtp_connections=1)
    account_mails(channel, 20)
    with running():
        until(lambda: Delivery.objects.filter(state=S.DEFERRED).count() == 20)
    assert len(asked) == 5


def test_given_up_after_three_days(sink):
    sink.on_rcpt = lambda _who: "450 4.2.0 Greylisted"
    ticket = factories.TicketFactory(status=Ticket.Status.PENDING)
    delivery = answer(sending_channel(sink), ticket=ticket, created_at=timezone.now() - timedelta(days=3, minutes=1))
    with running():
        until(lambda: state(delivery) == S.FAILED)
    ticket.refresh_from_db()
    assert ticket.status == Ticket.Status.OPEN


def test_a_lost_answer_is_sent_once_more_and_then_shown(sink):
    sink.on_end = lambda _who: "keep-and-close"
    delivery = answer(sending_channel(sink))
    with running():
        until(lambda: state(delivery) == S.UNCERTAIN)
    assert [k.mail_id for k in sink.kept] == [delivery.mail_id] * 2


def test_a_lost_answer_to_an_automatic_mail_is_only_shown(sink):
    sink.on_end = lambda _who: "keep-and-close"
    delivery = answer(sending_channel(sink), purpose=Delivery.Purpose.AUTOMATIC)
    with running():
        until(lambda: state(delivery) == S.UNCERTAIN)
    assert [k.sender for k in sink.kept] == [""]


def test_a_connection_lost_before_the_end_is_certain(sink):
    sink.on_end = lambda _who: None
    plans = iter(["close"])
    sink.on_data = lambda _who: next(plans, None)
    delivery = answer(sending_channel(sink))
    with running():
        until(lambda: state(delivery) == S.SENT)
    assert len(sink.kept) == 1
    assert "unclear" not in delivery.content


def test_a_server_that_never_answers(sink, settings):
    settings.MAIL_TIMEOUT = 0.5
    sink.on_mail = lambda _who: "hang"
    slow, other = sending_channel(sink), SmtpSink()
    try:
        stuck = answer(slow)
        good = answer(sending_channel(other, address="sales@example.com"), "bert@customer.test")
        with running():
            until(lambda: state(good) == S.SENT)
            until(lambda: Channel.objects.get(pk=slow.pk).sending_health == "trouble")
            sink.on_mail = lambda _who: None
            until(lambda: state(stuck) == S.SENT)
    finally:
        other.close()


def test_a_lost_lease_is_noticed_before_data(sink):
    """R-15: the row was given to somebody else while we were frozen."""
    delivery = answer(sending_channel(sink))
    mine = ledger.claim(sending.waiting(), limit=1, seconds=1)[0]
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    theirs = ledger.claim(sending.waiting(), limit=1, seconds=60)[0]
    assert theirs.pk == mine.pk == delivery.pk
    assert sending.mark_sending(mine) is False
    assert outcomes.record(mine, Receipt(Outcome.SENT, 250, "late")) is False
    assert state(delivery) == S.QUEUED
    assert sending.mark_sending(theirs) is True
    assert outcomes.record(theirs, Receipt(Outcome.SENT, 250, "ok")) is True
    assert (state(delivery), delivery.response) == (S.SENT, "ok")


def test_cancelled_before_it_left(sink):
    delivery = answer(sending_channel(sink))
    row = ledger.claim(sending.waiting(), limit=1, seconds=60)[0]
    assert deliveries.cancel(delivery, by=None) is True
    assert sending.mark_sending(row) is False
    assert state(delivery) == S.CANCELLED
    assert deliveries.cancel(delivery, by=None) is False
    assert deliveries.retry(delivery, by=None) is True
    with running():
        until(lambda: state(delivery) == S.SENT)


def test_an_expired_send_is_swept(sink):
    channel = sending_channel(sink)
    reply, automatic = answer(channel), answer(channel, purpose=Delivery.Purpose.AUTOMATIC)
    Delivery.objects.update(
        state=S.SENDING, lease_token="gone", lease_until=timezone.now() - timedelta(seconds=1), attempts=1
    )
    assert outcomes.sweep() == 2
    assert (state(reply), state(automatic)) == (S.DEFERRED, S.UNCERTAIN)
    Delivery.objects.filter(pk=reply.pk).update(state=S.SENDING, lease_until=timezone.now() - timedelta(seconds=1))
    assert outcomes.sweep() == 1
    assert state(reply) == S.UNCERTAIN


def test_a_process_that_is_too_slow_for_its_lease_does_not_judge_itself_dead(sink, settings, monkeypatch):
    """A starved machine, a server that takes its time: whoever still waits for the answer knows that he does."""
    settings.LEASE_SECONDS = 1
    monkeypatch.setattr(sending, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(sending.SendingLoop, "_prolong", lambda self: asyncio.sleep(3600))
    sink.on_kept = lambda _kept: time.sleep(2.5)
    delivery = answer(sending_channel(sink))
    with running():
        until(lambda: state(delivery) not in (S.QUEUED, S.SENDING))
        time.sleep(1)
    assert (state(delivery), len(sink.kept)) == (S.SENT, 1)


def test_three_loops_send_each_row_once(sink):
    """R-16; more rows on PostgreSQL, where several processes send."""
    count = 600 if connection.vendor == "postgresql" else 300
    channel = sending_channel(sink, smtp_connections=4)
    account_mails(channel, count)
    with running(), running(), running():
        until(lambda: Delivery.objects.filter(state=S.SENT).count() == count, 60)
    assert len(sink.kept) == count
    assert len({k.recipient for k in sink.kept}) == count
    assert not Delivery.objects.exclude(attempts=1).exists()


def test_without_a_channel_account_mail_waits_for_one(sink):
    rows = account_mails(None, 1)
    with running():
        until(lambda: state(rows[0]) != S.QUEUED or rows[0].response)
        assert rows[0].response == "No channel can send account mail."
        sending_channel(sink)
        Delivery.objects.update(next_at=timezone.now())
        until(lambda: state(rows[0]) == S.SENT)
    assert sink.kept[0].message["From"] == "Example Support <support@example.com>"


def test_an_answer_that_cannot_be_stored_as_it_is():
    """PostgreSQL takes neither NUL nor half a character; the outcome must be written all the same."""
    delivery = answer(factories.ChannelFactory())
    row = ledger.claim(sending.waiting(), limit=1, seconds=60)[0]
    assert sending.mark_sending(row) is True
    assert outcomes.record(row, Receipt(Outcome.SENT, 250, "kept\x00 \udcff ok")) is True
    assert (state(delivery), delivery.response) == (S.SENT, "kept  ? ok")


def test_the_sink_of_the_try_out(settings, tmp_path):
    settings.MAIL_SINK = tmp_path / "mail"
    delivery = answer(factories.ChannelFactory(address="support@example.com"))
    with running():
        until(lambda: state(delivery) == S.SENT)
    files = list((tmp_path / "mail").iterdir())
    assert [f.suffix for f in files] == [".eml"]
    assert delivery.response == f"Written to {files[0].name}"
    assert f"<{delivery.mail_id}>".encode() in files[0].read_bytes()
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_the_loop_outlives_a_database_that_fails(sink, monkeypatch):
    """R-33: it falls, is started again, and loses nothing."""
    monkeypatch.setattr(core.running, "FIRST_PAUSE", 0.05)
    failures = iter(range(3))
    real = sending.claim

    def claim(*values):
        if next(failures, None) is not None:
            raise OperationalError("the server closed the connection")
        return real(*values)

    monkeypatch.setattr(sending, "claim", claim)
    delivery = answer(sending_channel(sink))
    crew = core.running.Crew()
    crew.add("sending", sending.SendingLoop.run)
    crew.wake_at_end(wake.sending_event)
    crew.start()
    try:
        until(lambda: state(delivery) == S.SENT)
    finally:
        assert crew.stop(5) == []
    assert crew.restarts() == {"sending": 3}
    assert len(sink.kept) == 1


def test_the_loop_ends_soon(sink):
    sink.on_mail = lambda _who: "hang"
    delivery = answer(sending_channel(sink))
    loop, stopping = sending.SendingLoop(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(loop.main(stopping)))
    thread.start()
    until(lambda: Delivery.objects.exclude(lease_token="").exists())
    stopping.set()
    thread.join(4)
    assert not thread.is_alive()
    assert (state(delivery), delivery.lease_token, delivery.attempts) == (S.QUEUED, "", 0)


@pytest.mark.parametrize(
    ("settings_", "health", "words"),
    [
        ({"smtp_host": "smtp.invalid"}, "trouble", "no server called “smtp.invalid”"),
        ({"smtp_security": "starttls"}, "paused", "does not offer what is needed"),
        ({"smtp_security": "tls"}, "paused", "does not speak TLS"),
        ({"smtp_port": 1}, "trouble", "refuses connections"),
        ({"smtp_host": ""}, "paused", "No SMTP server is set"),
    ],
)
def test_a_fault_on_the_way_is_the_account_s(sink, settings_, health, words):
    """R-14: the recipient has nothing to do with it."""
    channel = sending_channel(sink, **settings_)
    delivery = answer(channel)
    with running():
        until(lambda: Channel.objects.get().sending_health == health)
        until(lambda: not Delivery.objects.exclude(lease_token="").exists())
    assert words in Channel.objects.get().sending_note
    assert (state(delivery), delivery.attempts) == (S.QUEUED, 0)
    assert not sink.kept


def test_why_it_failed_is_read_in_the_readers_language(administrator, login):
    delivery = answer(sending_channel(1))
    [row] = sending.claim(1)
    sending.prepare(row)
    with translation.override("zh-hans"):
        why = str(faults.connecting(ConnectionRefusedError(), "mx.example.test", 25, 5))
        outcomes.record(row, Receipt(Outcome.RECIPIENT_FAULT, 0, why))
    client = login(administrator)
    english = "mx.example.test refuses connections on port 25. Check the port."
    delivery.refresh_from_db()
    assert delivery.said == english
    assert in_history(delivery) == english
    assert english in client.get(reverse("deliveries:record", args=[delivery.pk])).content.decode()
    with translation.override("zh-hant"):
        delivery.refresh_from_db()
        assert "mx.example.test" in delivery.said
        assert delivery.said not in (why, english)
        assert in_history(delivery) == delivery.said


def in_history(delivery):
    return history.reason(TicketEvent.objects.get(ticket=delivery.message.ticket, what="undelivered"))
