"""A process is killed at every named point; the next one finishes the work. Nothing is lost, nothing comes twice.

R-01, R-02, R-03, R-04, R-11, and the window of R-13 … R-16 for one-to-one mail.
"""

from __future__ import annotations

import os
import random
import re
import signal
import smtplib
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.utils import timezone

from core import fault
from crm.service.models import Ticket
from inbox.models import Delivery, Message, RawMessage
from inbox.services import replies
from tests import factories
from tests.faults.nursery import Nursery
from tests.inbox.wires.loops import mailbox_channel, until
from tests.processes import free_port
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.dovecot]

RECEIVING = [
    "imap.fetch",
    "imap.fetched",
    "accept.stored",
    "accept.inserted",
    "imap.before_commit",
    "imap.committed",
    "imap.mark_seen",
    "imap.move",
    "imap.after_import",
    "process.claimed",
    "process.read",
    "post.decided",
    "post.queues",
    "post.tickets",
    "post.messages",
    "post.finished",
]
BEFORE_DATA = ["sending.claimed", "sending.composed", "sending.marked", "smtp.before_data", "smtp.data_open"]
WINDOW = ["smtp.body_written", "smtp.dot_written", "smtp.answered", "sending.before_record", "sending.recorded"]
ELSEWHERE = ["door.before_accept", "door.accepted", "accept.committed", "scheduler.job", "reply.written"]
CALLING = ["webhook.claimed", "webhook.answered"]
S = Delivery.State


def mail(n: int) -> bytes:
    return (
        f"From: Person {n} <p{n}@customer.test>\r\nTo: support@example.com\r\nSubject: Mail {n}\r\n"
        f"Message-ID: <m{n}@customer.test>\r\n\r\nThe machine number {n} leaks.\r\n"
    ).encode()


def desk(dovecot, box, sink, **options):
    """A channel with acknowledgements, its mailbox and its mail server."""
    channel = mailbox_channel(dovecot, box, smtp_host="127.0.0.1", smtp_port=sink.port, smtp_security="none", **options)
    channel.acknowledge = factories.TemplateFactory(
        purpose="automatic", texts={"en": ("We have it", "Thank you."), "zh-hans": ("收到", "谢谢")}
    )
    channel.save()
    return channel


def agents_answer(channel) -> Delivery:
    ticket = factories.TicketFactory(queue=channel.queue, contact=factories.ContactFactory(email="anna@customer.test"))
    factories.MessageFactory(ticket=ticket, contact=ticket.contact, from_address="anna@customer.test")
    author = factories.StaffFactory()
    replies.reply(ticket, author=author, text="Close the valve.", channel=channel)
    return Delivery.objects.get(purpose=Delivery.Purpose.REPLY)


def settled(mails: int) -> bool:
    return (
        RawMessage.objects.filter(state=RawMessage.State.DONE).count() == mails
        and not Delivery.objects.filter(state__in=[S.QUEUED, S.DEFERRED, S.SENDING]).exists()
    )


def settle(nursery: Nursery, mails: int, seconds: float = 60) -> None:
    """Wait until everything that came is done and everything that goes is gone."""
    try:
        until(lambda: settled(mails), seconds)
    except AssertionError:
        raise AssertionError(f"{history()}\n{nursery.tail()}") from None


def history() -> dict[str, object]:
    """Where everything stands, for the message of a failure."""
    open_ones = Delivery.objects.filter(state__in=[S.QUEUED, S.DEFERRED, S.SENDING])
    waiting = RawMessage.objects.exclude(state=RawMessage.State.DONE)
    return {
        "raw": Counter(RawMessage.objects.values_list("state", flat=True)),
        "waiting": list(waiting.values_list("uid", "attempts", "error", "next_at", "lease_until")),
        "deliveries": Counter(Delivery.objects.values_list("state", flat=True)),
        "open": list(open_ones.values_list("pk", "attempts", "response", "next_at", "lease_until")),
    }


def check_received(mails: int) -> None:
    """I1, I2, I4: in = stored = ticketed = acknowledged."""
    assert RawMessage.objects.count() == mails
    assert sorted(Ticket.objects.filter(subject__startswith="Mail").values_list("subject", flat=True)) == sorted(
        f"Mail {n}" for n in range(mails)
    )
    assert Message.objects.filter(kind=Message.Kind.INBOUND, subject__startswith="Mail").count() == mails
    assert Delivery.objects.filter(purpose=Delivery.Purpose.AUTOMATIC).count() == mails


@pytest.mark.parametrize("point", RECEIVING)
def test_killed_while_receiving(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    options = {}
    if point == "imap.move":
        dovecot.create(box, "Imported")
        options = {"after_import": "move", "move_to": "Imported"}
    desk(dovecot, box, sink, **options)
    dovecot.put(box, *(mail(n) for n in range(3)))
    victim = nursery.start("listen", "work", fault=f"{point}=kill")
    assert nursery.death(victim) == -9
    stored = RawMessage.objects.count()
    before_commit = RECEIVING.index(point) <= RECEIVING.index("imap.before_commit")
    assert stored == (0 if before_commit else 3)
    if point.startswith("post."):
        assert Ticket.objects.count() == Message.objects.count() == Delivery.objects.count() == 0

    successor = nursery.start("listen", "work")
    settle(nursery, 3)
    check_received(3)
    assert Counter(kept.recipient for kept in sink.kept) == {f"p{n}@customer.test": 1 for n in range(3)}
    if point == "imap.move":
        until(lambda: not dovecot.mails(box))
        assert len(dovecot.mails(box, "Imported")) == 3
    else:
        until(lambda: all(b"\\Seen" in flags for flags, _content in dovecot.mails(box)))
        assert len(dovecot.mails(box)) == 3
    nursery.end(successor)


@pytest.mark.parametrize("point", BEFORE_DATA + WINDOW)
def test_killed_while_sending(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    delivery = agents_answer(desk(dovecot, box, sink))
    victim = nursery.start("work", fault=f"{point}=kill")
    assert nursery.death(victim) == -9
    delivered = len(sink.kept)
    assert delivered <= (1 if point in WINDOW else 0)
    successor = nursery.start("work")
    settle(nursery, 0)
    delivery.refresh_from_db()
    assert delivery.state == S.SENT
    if point in BEFORE_DATA:
        assert len(sink.kept) == 1
    # In the window nobody can know: at most one double a kill, and under the same Message-ID.
    assert 1 <= len(sink.kept) <= 2
    assert {kept.mail_id for kept in sink.kept} == {delivery.mail_id}
    nursery.end(successor)


def test_an_automatic_answer_is_not_doubled_in_the_window(nursery: Nursery, dovecot: Dovecot, box, sink):
    desk(dovecot, box, sink)
    dovecot.put(box, mail(0))
    victim = nursery.start("listen", "work", fault="smtp.answered=kill")
    assert nursery.death(victim) == -9
    successor = nursery.start("listen", "work")
    settle(nursery, 1)
    assert Delivery.objects.get().state == S.UNCERTAIN
    assert len(sink.kept) == 1
    nursery.end(successor)


@pytest.mark.parametrize("point", ["door.before_accept", "accept.committed", "door.accepted"])
def test_killed_at_the_mail_door(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    """The other side got no 250, so it comes again; the same bytes are one message."""
    desk(dovecot, box, sink)
    port = free_port()
    victim = nursery.start("listen", "work", fault=f"{point}=kill", door=f"127.0.0.1:{port}")
    with pytest.raises((smtplib.SMTPException, OSError)):
        hand_over(port, mail(0))
    assert nursery.death(victim) == -9
    assert RawMessage.objects.count() == (0 if point == "door.before_accept" else 1)
    successor = nursery.start("listen", "work", door=f"127.0.0.1:{port}")
    hand_over(port, mail(0))
    settle(nursery, 1)
    check_received(1)
    nursery.end(successor)


def hand_over(port: int, content: bytes) -> None:
    def connect() -> smtplib.SMTP | None:
        try:
            return smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=10)
        except OSError:
            return None

    with until(connect) as smtp:
        smtp.sendmail("p0@customer.test", ["support@example.com"], content)


def test_killed_scheduler_is_replaced(nursery: Nursery, ticket):
    """R-32: what fell due meanwhile is done once."""
    Ticket.objects.update(status=Ticket.Status.SNOOZED, snoozed_until=timezone.now() - timedelta(days=3))
    victim = nursery.start("clock", fault="scheduler.job=kill")
    assert nursery.death(victim) == -9
    first, second = nursery.start("clock"), nursery.start("clock")
    until(lambda: Ticket.objects.get().status == Ticket.Status.OPEN)
    time.sleep(0.5)
    assert ticket.events.filter(what="status").count() == 1
    nursery.end(first)
    nursery.end(second)


def test_an_answer_is_written_whole_or_not_at_all(ticket, agent, channel, monkeypatch):
    monkeypatch.setattr(fault, "_ARMED", "reply.written=raise")
    monkeypatch.setattr(fault, "_passes", 0)
    with pytest.raises(fault.FaultInjected):
        replies.reply(ticket, author=agent, text="Half", channel=channel)
    assert Message.objects.filter(kind=Message.Kind.OUTBOUND).count() == Delivery.objects.count() == 0


@pytest.mark.parametrize("seed", range(10))
def test_killed_at_random_moments(nursery: Nursery, dovecot: Dovecot, box, sink, seed):
    """The history checker: in = stored = ticketed; queued = sent ∪ unclear; doubles only in the window."""
    chance = random.Random(seed)
    channel = desk(dovecot, box, sink)
    answer = agents_answer(channel)
    count = 30
    dovecot.put(box, *(mail(n) for n in range(count)))
    kills = 2
    for _round in range(kills):
        victim = nursery.start("listen", "work")
        time.sleep(chance.uniform(0.1, 1.2))
        nursery.kill(victim)
    successor = nursery.start("listen", "work")
    settle(nursery, count)
    check_received(count)
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert set(states) <= {S.SENT, S.UNCERTAIN}
    got = Counter(kept.mail_id for kept in sink.kept)
    queued = set(Delivery.objects.filter(state=S.SENT).values_list("mail_id", flat=True))
    assert queued <= set(got)
    automatic = set(Delivery.objects.filter(purpose="automatic").values_list("mail_id", flat=True))
    assert all(got[mail_id] <= 1 for mail_id in automatic)
    assert got[answer.mail_id] <= 1 + kills
    nursery.end(successor)


def check_replaced(nursery: Nursery, frozen: int) -> None:
    """Another process does the two mails' work while `frozen` stands still; woken up, it adds nothing."""
    until(lambda: nursery.is_stopped(frozen))
    other = nursery.start("listen", "work")
    settle(nursery, 2)
    os.kill(frozen, signal.SIGCONT)
    time.sleep(1.5)
    check_received(2)
    nursery.end(frozen)
    nursery.end(other)


# Several processes need PostgreSQL: one that is frozen while it closes an SQLite file keeps that file locked.
@pytest.mark.postgresql
@pytest.mark.parametrize("point", ["imap.fetch", "imap.fetched", "imap.before_commit"])
def test_a_frozen_listener_is_replaced_and_writes_nothing(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    """R-08 with real processes."""
    desk(dovecot, box, sink)
    dovecot.put(box, mail(0), mail(1))
    check_replaced(nursery, nursery.start("listen", fault=f"{point}=stop"))


@pytest.mark.postgresql
@pytest.mark.parametrize("point", ["post.messages", "post.finished"])
def test_a_worker_frozen_in_the_middle_of_writing_is_replaced(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    """R-15: the locks of its transaction do not outlive its lease by long."""
    desk(dovecot, box, sink)
    dovecot.put(box, mail(0), mail(1))
    check_replaced(nursery, nursery.start("listen", "work", fault=f"{point}=stop"))


@pytest.mark.postgresql
@pytest.mark.parametrize("point", ["sending.claimed", "sending.composed", "sending.marked"])
def test_a_frozen_sender_sends_nothing_afterwards(nursery: Nursery, dovecot: Dovecot, box, sink, point):
    """R-15: it wakes with a lease that ended long ago."""
    delivery = agents_answer(desk(dovecot, box, sink))
    frozen = nursery.start("work", fault=f"{point}=stop")
    until(lambda: nursery.is_stopped(frozen))
    other = nursery.start("work")
    settle(nursery, 0)
    before = len(sink.kept)  # a starved machine may let the other one's lease of a second end in the window, too
    os.kill(frozen, signal.SIGCONT)
    time.sleep(1.5)
    delivery.refresh_from_db()
    assert delivery.state == S.SENT
    assert 1 <= before == len(sink.kept)
    assert {kept.mail_id for kept in sink.kept} == {delivery.mail_id}
    nursery.end(frozen)
    nursery.end(other)


def test_every_point_is_in_a_scenario():
    """And there are at least twenty-five of them."""
    found = set()
    for package in ("core", "routing", "crm", "inbox", "portal"):
        for path in (Path(project.BASE_DIR) / package).rglob("*.py"):
            found |= set(re.findall(r"fault\.point\(\"([^\"]+)\"\)", path.read_text()))
    told = {*RECEIVING, *BEFORE_DATA, *WINDOW, *ELSEWHERE, *CALLING}
    for file, points in (("test_fax.py", r"fax\.\w+"), ("test_chat.py", r"utterances\.\w+")):
        told |= set(re.findall(rf"\"({points})\"", Path(__file__).with_name(file).read_text()))
    assert found == told
    assert len(found) >= 25
