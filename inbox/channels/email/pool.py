"""SMTP connections kept open and shared, and the breakers that keep us from hammering a server that says no."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection

from core.said import said as _
from inbox.channels.base import Outbound, Outcome, Receipt
from inbox.channels.email.grants import keep_refresh_token
from inbox.channels.email.servers import Server, smtp_server
from inbox.channels.email.smtp import Refused, Session, is_doubtful, later

if TYPE_CHECKING:
    from inbox.models import Channel

IDLE_SECONDS = 30.0
"""A connection is closed when nothing was sent over it for so long."""
MAILS_A_CONNECTION = 100
DOUBTS = 3
"""So many recipients in a row refused by policy means that it is us who are refused."""
FAULT_SECONDS = 1.0
"""So long a fault of the whole account answers for the messages that were already under way."""
DOMAIN_FAILURES, DOMAIN_PAUSE = 5, 120.0
"""After so many temporary refusals in a row a domain is left alone for so many seconds."""


class Account:
    """The connections of one channel."""

    def __init__(self, channel: Channel, server: Server, connections: int) -> None:
        self.pk, self.server = channel.pk, server
        self._free: list[Session] = []
        self._slots = asyncio.Semaphore(connections)
        self._doubted: dict[str, None] = {}
        self._doubted_before: set[int] = set()
        self._domains: dict[str, tuple[int, float]] = {}
        self._fault: tuple[Receipt | None, float] = None, 0.0

    async def send(self, out: Outbound) -> Receipt:
        """One message over one connection, one of the channel's few."""
        domain = out.recipient.rpartition("@")[2].lower()
        async with self._slots:
            fault, until = self._fault
            if fault and time.monotonic() < until:
                return fault  # the one before us met it a moment ago: no need to knock again
            failures, until = self._domains.get(domain, (0, 0.0))
            if failures >= DOMAIN_FAILURES and time.monotonic() < until:
                return later(451, _("%(domain)s has refused mail for now several times.", domain=domain))
            receipt = await self._attempt(out)
            if receipt.outcome is Outcome.ACCOUNT_FAULT or receipt.whole_account:
                self._fault = receipt, time.monotonic() + FAULT_SECONDS
            return self._learn(out, domain, receipt)

    async def _attempt(self, out: Outbound) -> Receipt:
        session = None
        try:
            session = await self._session(out)
            if out.go and not await out.go():
                await self._put_back(session, reset=True)
                return later(0, "lease lost")
            receipt = await session.content(out)
        except Refused as no:
            if session and no.usable:
                await self._put_back(session, reset=True)
            elif session:
                session.close()
            return no.receipt
        except BaseException:
            if session:
                session.close()
            raise
        await self._put_back(session)
        return receipt

    async def _session(self, out: Outbound) -> Session:
        """A connection on which sender and recipient were taken. Raises Refused."""
        while self._free:
            session = self._free.pop()
            if not session.is_open:
                continue
            try:
                return await self._addressed(session, out)
            except Refused as no:
                if no.usable or no.receipt.code not in (0, 421):
                    raise
                # It had been closed on the other side while it lay idle.
        session = Session(self.server, settings.MAIL_TIMEOUT, self._keep_refresh_token)
        await session.open()
        return await self._addressed(session, out)

    async def _addressed(self, session: Session, out: Outbound) -> Session:
        try:
            await session.envelope(out.envelope_from, out.recipient, len(out.content))
        except Refused as no:
            if no.usable:
                await self._put_back(session, reset=True)
            else:
                session.close()
            raise
        except BaseException:
            session.close()
            raise
        return session

    async def _put_back(self, session: Session, *, reset: bool = False) -> None:
        if reset and not await session.reset():
            return
        if session.sent >= MAILS_A_CONNECTION:
            await session.quit()
        elif session.is_open:
            session.used_at = time.monotonic()
            self._free.append(session)

    def _learn(self, out: Outbound, domain: str, receipt: Receipt) -> Receipt:
        """Keep the breakers, and tell a refused recipient from a refused account."""
        if receipt.outcome is Outcome.LATER and not receipt.whole_account and receipt.code:
            failures = self._domains.get(domain, (0, 0.0))[0] + 1
            self._domains[domain] = failures, time.monotonic() + DOMAIN_PAUSE
        elif receipt.outcome in (Outcome.SENT, Outcome.RECIPIENT_FAULT):
            self._domains.pop(domain, None)
        if receipt.outcome is Outcome.SENT:
            self._doubted.clear()
        if not is_doubtful(receipt):
            return receipt
        self._doubted[out.recipient] = None
        if len(self._doubted) >= DOUBTS:
            return Receipt(Outcome.ACCOUNT_FAULT, receipt.code, receipt.response)
        if out.delivery_id in self._doubted_before:
            self._doubted_before.discard(out.delivery_id)
            return receipt
        self._doubted_before.add(out.delivery_id)
        return later(receipt.code, receipt.response)

    def _keep_refresh_token(self, token: str) -> None:
        # Called in a thread of its own.
        keep_refresh_token(self.pk, token)
        connection.close()

    async def close_idle(self, seconds: float) -> None:
        """Close what was not used for so long."""
        keep: list[Session] = []
        old: list[Session] = []
        for session in self._free:
            (old if time.monotonic() - session.used_at >= seconds or not session.is_open else keep).append(session)
        self._free = keep
        for session in old:
            await session.quit()


class Pool:
    """The accounts of all channels; a connection belongs to the event loop that opened it."""

    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Account]] = WeakKeyDictionary()

    async def send(self, channel: Channel, out: Outbound) -> Receipt:
        """Hand one message to the channel's server. Never raises for a fault of the other side."""
        server = smtp_server(channel.settings, channel.secrets())
        if server is None:
            return Receipt(Outcome.ACCOUNT_FAULT, 0, _("No SMTP server is set for this channel."))
        accounts = self._loops.setdefault(asyncio.get_running_loop(), {})
        account = accounts.get(channel.pk)
        if account is None or account.server != server:
            if account:
                await account.close_idle(0)
            account = Account(channel, server, int(channel.settings.get("smtp_connections") or 2))
            accounts[channel.pk] = account
        return await account.send(out)

    async def close_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Close connections of this loop that were not used for so long; 0 closes all that are free."""
        for account in list(self._loops.get(asyncio.get_running_loop(), {}).values()):
            await account.close_idle(seconds)


POOL = Pool()
