"""Many mails out through several senders, and very many in at once (R-10, R-16)."""

from __future__ import annotations

import smtplib
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings

from inbox.models import Delivery, Message, RawMessage
from inbox.services import deliveries
from tests import factories
from tests.load.conftest import Watch, resident, sized, until
from tests.processes import free_port, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
MANAGE = [sys.executable, "manage.py"]
MB = 1024 * 1024


def test_three_processes_send_each_row_once(
    sink: Any, process_environment: dict[str, str], tell: Callable[..., None]
) -> None:
    """R-16: 5,000 rows (fewer in CI), three `worker` processes on one PostgreSQL."""
    count = sized(5_000, 450)
    channel = factories.ChannelFactory(
        address="support@example.com",
        settings={"smtp_host": "127.0.0.1", "smtp_port": sink.port, "smtp_security": "none", "smtp_connections": 4},
    )
    rows = [
        deliveries.NewDelivery(channel, None, f"p{n}@customer.test", "system", {"subject": "s", "text": "t"})
        for n in range(count)
    ]
    deliveries.queue(rows)
    began = time.monotonic()
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(running([*MANAGE, "worker"], process_environment))
        until(lambda: not Delivery.objects.exclude(state="sent").exists(), sized(900, 180), "all are sent")
        took = time.monotonic() - began
    recipients = [kept.recipient for kept in sink.kept]
    assert (len(recipients), len(set(recipients))) == (count, count)
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    tell(rows=count, seconds=round(took, 1), connections_at_most=sink.most_connections)


def push(port: int, mails: list[tuple[str, bytes]], codes: list[int]) -> None:
    """Hand `mails` over in one session, each to its recipient; the code of each answer."""
    with smtplib.LMTP("127.0.0.1", port) as door:
        for n, (to, mail) in enumerate(mails):
            door.sendmail(f"sender{n % 400}@flood.test", [to], mail)
            codes.append(250)


def mail(number: int, to: str) -> bytes:
    return (
        f"From: Person {number % 400} <person{number % 400}@flood.test>\r\nTo: {to}\r\nSubject: Case {number}\r\n"
        f"Message-ID: <{number}.{to.replace('@', '.')}@flood.test>\r\n\r\n" + "The machine leaks again.\r\n" * 40
    ).encode()


def test_a_flood_is_taken_in_and_starves_nobody(process_environment: dict[str, str], tell: Callable[..., None]) -> None:
    """R-10: 10,000 mails in a minute (fewer in CI) through the LMTP door, and a mail now and then for another mailbox.

    Every one is acknowledged after it was stored, the backlog drains, the processes stay small, and the other mailbox's
    mails do not wait for the end of it. A mail of 150 MB is refused at the door, and costs no memory.
    """
    count, streams = sized(10_000, 400), 6
    flooded = factories.ChannelFactory(address="flood@example.com")
    quiet = factories.ChannelFactory(address="quiet@example.com")
    port = free_port()
    listen = {**process_environment, "LMTP_DOOR": f"127.0.0.1:{port}"}
    codes: list[int] = []
    with (
        running([*MANAGE, "listen"], listen, port=port) as door,
        running([*MANAGE, "worker"], process_environment) as worker,
        Watch(door.pid) as door_memory,
        Watch(worker.pid) as worker_memory,
    ):
        before = resident(door.pid)
        parts = [
            [(flooded.address, mail(n, flooded.address)) for n in range(k, count, streams)] for k in range(streams)
        ]
        threads = [threading.Thread(target=push, args=(port, part, codes)) for part in parts]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        waits = []
        while any(thread.is_alive() for thread in threads):
            number = len(waits)
            push(port, [(quiet.address, mail(number, quiet.address))], [])
            came = RawMessage.objects.filter(channel=quiet, state="done")
            waits.append(until(lambda: came.count() > number, sized(300, 90), "the other mailbox's mail"))  # noqa: B023
        for thread in threads:
            thread.join()
        taken = time.monotonic() - began
        done = RawMessage.objects.filter(channel=flooded, state="done")
        until(lambda: done.count() == count, sized(900, 120), "the backlog drains")
        drained = time.monotonic() - began

        big = b"From: a@x.test\r\nTo: flood@example.com\r\nSubject: Big\r\n\r\n"
        size = sized(150, 60) * MB
        refused = 0
        with smtplib.LMTP("127.0.0.1", port) as session:
            session.ehlo_or_helo_if_needed()
            session.mail("a@x.test")  # a size is not announced: the door has to count
            session.rcpt(flooded.address)
            session.docmd("DATA")
            session.send(big)
            line = b"A" * 76 + b"\r\n"
            block = line * 10_000
            try:
                for _ in range(size // len(block)):
                    session.send(block)
                refused = session.docmd(".")[0]
            except (OSError, smtplib.SMTPServerDisconnected):
                refused = 552
        grown = door_memory.most - before
        push(port, [(quiet.address, mail(10**6, quiet.address))], [])
        until(lambda: Message.objects.filter(subject=f"Case {10**6}").exists(), 60, "the next mail")
    assert len(codes) == count
    assert Message.objects.filter(channel=flooded).count() == count
    assert refused == 552
    assert grown < settings.MAIL_MAX_BYTES * 3 + 60 * MB
    assert worker_memory.most < 400 * MB
    assert max(waits) < 60
    tell(
        mails=count,
        taken_in_seconds=round(taken, 1),
        drained_after_seconds=round(drained, 1),
        other_mailbox_waited_at_most=round(max(waits), 2),
        other_mailbox_mails=len(waits),
        door_grew_mb=grown // MB,
        worker_mb_at_most=worker_memory.most // MB,
    )
