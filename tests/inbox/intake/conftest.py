"""Mails as people and machines write them, put through the whole path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from itertools import count
from typing import Any

import pytest
from django.db import connections

from inbox.models import Channel, RawMessage
from inbox.services import posting
from inbox.services.accept import accept
from inbox.services.processing import process
from tests import factories

_numbers = count(1)


def letter(
    text: str = "The machine leaks.",
    *,
    sender: str = "Anna Schmidt <anna@customer.test>",
    to: str = "support@example.com",
    subject: str = "Leaking machine",
    mail_id: str | None = None,
    date: str | None = "Mon, 02 Nov 2026 09:00:00 +0100",
    **headers: str,
) -> bytes:
    mail = EmailMessage()
    if sender:
        mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    if date:
        mail["Date"] = date
    if mail_id != "":
        mail["Message-ID"] = f"<{mail_id or f'letter{next(_numbers)}@mail.customer.test'}>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


@pytest.fixture
def acknowledgement(db: None) -> Any:
    return factories.TemplateFactory(
        name="Acknowledgement",
        purpose="automatic",
        texts={
            "en": ("We have your message", "Dear {{ contact.name }}, your number is {{ ticket.number }}."),
            "de": ("Ihre Nachricht", "Guten Tag {{ contact.name }}, Ihre Nummer ist {{ ticket.number }}."),
            "zh-hans": ("已收到", "{{ contact.name }}，您好，工单号 {{ ticket.number }}。"),
        },
    )


@pytest.fixture
def mailbox(channel: Channel, acknowledgement: Any) -> Channel:
    channel.acknowledge = acknowledgement
    channel.save()
    return channel


@pytest.fixture
def sales(other_queue: Any, acknowledgement: Any) -> Channel:
    return factories.ChannelFactory(
        name="Sales", address="sales@example.com", queue=other_queue, acknowledge=acknowledgement
    )


@pytest.fixture
def receive(mailbox: Channel) -> Callable[..., RawMessage]:
    """`receive(bytes)` or `receive(text, sender=…, …)`: what became of it."""

    def take(
        content: bytes | str = "The machine leaks.", *, channel: Channel | None = None, **parts: Any
    ) -> RawMessage:
        raw = content if isinstance(content, bytes) else letter(content, **parts)
        return process(accept(channel or mailbox, raw))

    return take


@pytest.fixture
def at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[RawMessage]], None]:
    """Two workers process one message each, and both have decided before either writes, where nothing keeps them apart."""
    write, both = posting._write_messages, threading.Barrier(2)

    def written(*args: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)  # until the other one has decided too, should it be able to
        write(*args)

    def work(raw: RawMessage) -> None:
        try:
            process(raw)
        finally:
            connections.close_all()

    def run(rows: Sequence[RawMessage]) -> None:
        monkeypatch.setattr(posting, "_write_messages", written)
        threads = [threading.Thread(target=work, args=(raw,)) for raw in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run
