"""The door for mail servers: SMTP (RFC 5321) and LMTP (RFC 2033), for addresses of our channels and for nothing else.

`250` is said after the commit. A storage that fails is answered with `451`, so that the other side keeps the mail.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import connections

from core import fault
from inbox.channels import registry
from inbox.channels.email import tokens
from inbox.models import Channel
from inbox.services.accept import accept

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 100
MOST_RECIPIENTS = 100
SECONDS = 120.0
"""A connection that is silent for so long is closed."""


def channel_of(address: str) -> Channel | None:
    """The active channel that reads mail to this envelope recipient, with our plus-mark or without.

    With plus addressing any other plus-part will do too: a guessed mark is a new ticket and no refusal (S-39).
    """
    written = address.strip("<>").lower()
    channels = [c for c in Channel.objects.filter(active=True).order_by("pk") if registry.has(c.kind, "reads_mail")]
    with_plus = [c for c in channels if c.settings.get("plus_addressing")]
    for plain, among in (
        (written, channels),
        (tokens.without_mark(written), channels),
        (tokens.without_plus(written), with_plus),
    ):
        for channel in among:
            if "@" in plain and plain in {each.lower() for each in channel.addresses}:
                return channel
    return None


def take(recipient: str, sender: str, content: bytes, peer: str) -> None:
    """Store one mail for one recipient. The same bytes sent again (our answer was lost) are one message."""
    channel = channel_of(recipient)
    if channel is None:
        raise LookupError(recipient)
    digest = hashlib.sha256(b"\0".join([sender.encode("utf-8", "replace"), recipient.lower().encode(), content]))
    # What the envelope says is as a delivering server would write it down (RFC 5321, 4.4).
    trace = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode("utf-8", "replace")
    fault.point("door.before_accept")
    accept(
        channel,
        trace + content,
        external_id=f"door-{digest.hexdigest()}",
        facts={"envelope_from": sender, "envelope_to": recipient, "peer": peer},
    )
    fault.point("door.accepted")


LONGEST_LINE = 1024 * 1024
"""Octets of one line. RFC 5321 (4.5.3.1.6) allows 1,000; shops send their HTML as one line all the same, and to refuse
such a mail is to lose it."""


class _Handler:
    def __init__(self, database: ThreadPoolExecutor) -> None:
        self._database = database

    async def _run(self, work: Callable[..., Any], *values: Any) -> Any:
        def run() -> Any:
            try:
                return work(*values)
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._database, run)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Known addresses only: we never relay (S-41)."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            known = await self._run(channel_of, address)
        except Exception:
            log.exception("a recipient could not be looked up")
            return "451 4.3.0 Try again later"
        if known is None:
            return "550 5.1.1 Nobody here has this address"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One answer for all recipients; LMTP repeats it for each."""
        content = envelope.original_content or b""
        sender = (envelope.mail_from or "").strip("<>")
        peer = str(session.peer[0]) if isinstance(session.peer, tuple) else ""
        try:
            for recipient in envelope.rcpt_tos:
                await self._run(take, recipient, sender, content, peer)
        except LookupError:
            return "550 5.1.1 Nobody here has this address"
        except Exception:
            log.exception("a mail could not be stored")
            return "451 4.3.0 The message could not be stored, try again later"
        return "250 2.0.0 Stored"


class _SmtpDoor(SMTP):
    line_length_limit = LONGEST_LINE


class _LmtpDoor(LMTP):
    line_length_limit = LONGEST_LINE


class Door:
    """Listens on `address` (`host:port`) until told to stop."""

    def __init__(self, address: str, *, lmtp: bool = False) -> None:
        self.host, _colon, port = address.rpartition(":")
        self.port = int(port)
        self._kind = _LmtpDoor if lmtp else _SmtpDoor
        self._name = "LMTP" if lmtp else "SMTP"
        self.ready = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """A duty for `core.running.Crew`."""
        asyncio.run(self._serve(stopping))

    async def _serve(self, stopping: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        database = ThreadPoolExecutor(2, thread_name_prefix="door-database")
        handler = _Handler(database)
        open_ones: set[SMTP] = set()

        def made() -> SMTP:
            open_ones.difference_update([each for each in open_ones if each.transport is None])
            protocol = self._kind(
                handler,
                data_size_limit=settings.MAIL_MAX_BYTES,
                hostname="guichet",
                ident="Guichet",
                enable_SMTPUTF8=True,
                decode_data=False,
                timeout=SECONDS if len(open_ones) < MOST_CONNECTIONS else 1,
                loop=loop,
            )
            open_ones.add(protocol)
            return protocol

        try:
            server = await loop.create_server(made, self.host or "127.0.0.1", self.port)
        except OSError as no:
            # Said in one line, with what helps: it is a setting, not a fault of ours. The crew tries again.
            log.error(
                "%s door: %s:%s cannot be listened on (%s). Choose another one with %s_DOOR=host:port.",
                *(self._name, self.host, self.port, no.strerror or no, self._name),
            )
            database.shutdown()
            return
        self.ready.set()
        log.info("%s door open on %s:%s", self._name, self.host, self.port)
        try:
            while not stopping.is_set():
                await asyncio.sleep(0.2)
        finally:
            server.close()
            for protocol in open_ones:
                if protocol.transport is not None:
                    protocol.transport.close()
            await loop.run_in_executor(None, database.shutdown)
