"""An SMTP server that keeps what it gets, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Kept:
    sender: str
    recipient: str
    content: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> Message:
        return message_from_bytes(self.content, policy=POLICY)

    @property
    def mail_id(self) -> str:
        return str(self.message["Message-ID"]).strip("<> ")


Plan = Callable[[str], str | None]
"""Told the recipient (or sender), answers what to do: an SMTP reply, `hang`, `close`, or None to go on."""


class _Counting(SMTP):
    def __init__(self, sink: SmtpSink, *args: Any, **kwargs: Any) -> None:
        self.sink = sink
        super().__init__(*args, **kwargs)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._over_ssl_already(transport):
            self.sink.connections += 1
            self.sink.open_connections += 1
            self.sink.most_connections = max(self.sink.most_connections, self.sink.open_connections)
        self._raw = transport
        self.sink._transports.add(transport)
        super().connection_made(transport)

    def _over_ssl_already(self, transport: asyncio.BaseTransport) -> bool:
        return transport.get_extra_info("sslcontext") is not None and self.sink.starttls

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open_connections -= 1
        self.sink._transports.discard(self._raw)
        super().connection_lost(error)


class SmtpSink:
    """`on_mail`, `on_rcpt`, `on_data` (before 354), `on_end` (before the final answer; `keep-and-close` keeps the mail
    and hangs up without an answer) are plans."""

    def __init__(
        self, *, users: dict[str, str] | None = None, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.kept: list[Kept] = []
        self.connections = self.open_connections = self.most_connections = self.logins = 0
        self.on_mail: Plan = lambda _s: None
        self.on_rcpt: Plan = lambda _s: None
        self.on_data: Plan = lambda _s: None
        self.on_end: Plan = lambda _s: None
        self.on_kept: Callable[[Kept], object] = lambda _kept: None
        self.starttls = tls is not None
        self._users, self._tls = users, tls
        self._transports: set[Any] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-sink", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self, port: int) -> asyncio.Server:
        return await self._loop.create_server(self._protocol, "127.0.0.1", port)

    def _protocol(self) -> SMTP:
        options: dict[str, Any] = {}
        if self._users is not None:
            options = {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": self.starttls}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a login without TLS: this is loopback
            return self._made(options)

    def _made(self, options: dict[str, Any]) -> SMTP:
        return _Counting(
            self,
            self,
            hostname="sink.test",
            data_size_limit=20_000_000,
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            require_starttls=self.starttls,
            loop=self._loop,
            **options,
        )

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins += 1
        good = self._users is not None and self._users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 Wrong password")

    async def _do(self, server: SMTP, what: str | None) -> str | None:
        if what == "hang":
            await asyncio.sleep(3600)
        if what == "close":
            server.transport.abort()
            await asyncio.sleep(3600)
        return what

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        answer = await self._do(server, self.on_mail(address))
        if answer:
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        answer = await self._do(server, self.on_rcpt(address))
        if answer:
            return answer
        answer = await self._do(server, self.on_data(address))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        plan = self.on_end(envelope.rcpt_tos[0])
        if plan not in ("keep-and-close", "keep-and-hang"):
            answer = await self._do(server, plan)
            if answer:
                return answer
        for recipient in envelope.rcpt_tos:
            self.kept.append(Kept((envelope.mail_from or "").strip("<>"), recipient, bytes(envelope.content or b"")))
            await asyncio.to_thread(self.on_kept, self.kept[-1])
        if plan == "keep-and-close":
            await self._do(server, "close")
        if plan == "keep-and-hang":
            await self._do(server, "hang")
        return "250 2.0.0 Kept"

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            for transport in list(self._transports):
                transport.abort()
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
