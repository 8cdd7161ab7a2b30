"""One thread a mailbox, one lease a mailbox; and the watch that starts and stops them as channels change."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import secrets
import socket
import threading
import time

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from core.models import Lease
from core.running import rest
from core.said import said as _
from core.said import storable
from core.secrets import SecretUnreadable
from inbox.channels import registry
from inbox.channels.email import imap
from inbox.channels.email.faults import MailFault
from inbox.channels.email.grants import keep_refresh_token
from inbox.channels.email.servers import imap_server
from inbox.listening.mailbox import Intake, LeaseLost
from inbox.models import Channel

log = logging.getLogger(__name__)

HOLDER = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between attempts to connect; doubled every time."""
ACCOUNT_PAUSE = 60.0
"""Seconds at least before a refused login is tried again: hammering locks accounts."""
WATCH_SECONDS = 3.0
HEALTH_SECONDS = 60.0


class Listener(threading.Thread):
    """Keeps one mailbox connected until told to stop."""

    def __init__(self, channel: Channel, holder: str = HOLDER) -> None:
        super().__init__(name=f"imap:{channel.pk}", daemon=True)
        self.channel, self.holder = channel, holder
        self.configuration = configuration(channel)
        self._wake = threading.Event()
        self._stopping = False
        self._healthy_at = 0.0
        self._lease = f"imap:{channel.pk}"
        self._fence: int | None = None
        self._renewed_at = 0.0

    def stop(self) -> None:
        """End soon."""
        self._stopping = True
        self._wake.set()

    def run(self) -> None:
        """Connect, listen, and connect again later when that fails."""
        failures = 0
        while not self._stopping:
            pause = min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
            try:
                self._fence = Lease.take(self._lease, self.holder, settings.LEASE_SECONDS)
                self._renewed_at = time.monotonic()
                connection.close()
                if self._fence is None:
                    pause = min(settings.LEASE_SECONDS / 4, LONGEST_PAUSE)
                else:
                    failures += 1
                    self._listen(self._fence)
                    failures = 0
            except LeaseLost:
                log.warning("%s: another listener has taken over", self.channel)
            except MailFault as why:
                if self._healthy_at:
                    failures, pause = 1, FIRST_PAUSE
                if why.account:
                    pause = max(pause, ACCOUNT_PAUSE)
                self._trouble(str(why))
            except SecretUnreadable as why:
                pause = ACCOUNT_PAUSE
                self._trouble(_("The stored password cannot be read: %(detail)s", detail=why))
            except Exception as why:
                log.exception("%s: receiving fell", self.channel)
                self._trouble(_("Receiving failed: %(detail)s", detail=f"{type(why).__name__}: {why}"[:200]))
            self._healthy_at, self._fence = 0.0, None
            connection.close()
            if not self._stopping:
                self._wake.wait(pause * random.uniform(0.8, 1.2))
                self._wake.clear()
        with contextlib.suppress(Exception):
            Lease.give_back(self._lease, self.holder)
        connection.close()

    def keep(self) -> None:
        """Keep the mailbox while this thread waits for a slow server; called now and then by the watch."""
        fence = self._fence
        if fence is not None and time.monotonic() - self._renewed_at > settings.LEASE_SECONDS / 3:
            self._renewed_at = time.monotonic()
            with contextlib.suppress(DatabaseError):  # the thread's own next write finds out
                Lease.renew(self._lease, self.holder, fence, settings.LEASE_SECONDS)

    def _listen(self, fence: int) -> None:
        server = imap_server(self.channel.settings, self.channel.secrets())
        if server is None:
            raise MailFault(_("No IMAP server is set."), account=True)
        mailbox = imap.Mailbox(server, seconds=settings.MAIL_TIMEOUT, rotated=self._keep_refresh_token)
        try:
            intake = Intake(self.channel, mailbox, self._lease, self.holder, fence)
            intake.open()
            intake.catch_up()
            while not self._stopping:
                mailbox.news()
                while intake.take_new() or mailbox.news():
                    self._renew(fence)
                self._good()
                self._wake.clear()
                mailbox.idle(self._wake)
                if mailbox.news():
                    # It was announced before imaplib2 had noted that it idles, which it then never tells.
                    self._wake.set()
                while not self._stopping:
                    self._renew(fence)
                    rest()
                    if self._wake.wait(settings.LEASE_SECONDS / 3):
                        break
        finally:
            mailbox.close()

    def _renew(self, fence: int) -> None:
        self._renewed_at = time.monotonic()
        if not Lease.renew(self._lease, self.holder, fence, settings.LEASE_SECONDS):
            raise LeaseLost(self._lease)

    def _keep_refresh_token(self, token: str) -> None:
        self.channel.sealed = keep_refresh_token(self.channel.pk, token).sealed
        self.configuration = configuration(self.channel)

    def _good(self) -> None:
        if self._healthy_at and time.monotonic() - self._healthy_at < HEALTH_SECONDS:
            return
        self._healthy_at = time.monotonic()
        self._health(Channel.Health.GOOD, "")

    def _trouble(self, note: str) -> None:
        log.warning("%s: %s", self.channel, note)
        self._health(Channel.Health.TROUBLE, note)

    def _health(self, health: str, note: str) -> None:
        try:
            Channel.objects.filter(pk=self.channel.pk).update(
                receiving_health=health, receiving_note=storable(note, 300), receiving_at=timezone.now()
            )
        except Exception:
            log.exception("%s: health could not be written", self.channel)


def configuration(channel: Channel) -> tuple[str, str]:
    """What a listener must be started anew for."""
    return repr(sorted(channel.settings.items())), channel.sealed


class Watch:
    """Keeps a listener for every active mailbox, and ends those whose channel is gone or was changed."""

    def __init__(self, holder: str = HOLDER) -> None:
        self._holder = holder
        self._listeners: dict[int, Listener] = {}

    def run(self, stopping: threading.Event) -> None:
        """A duty for `core.running.Crew`."""
        try:
            while not stopping.is_set():
                self.look()
                connection.close()
                stopping.wait(WATCH_SECONDS)
        finally:
            for listener in self._listeners.values():
                listener.stop()
            until = time.monotonic() + 2
            for listener in self._listeners.values():
                listener.join(max(0.0, until - time.monotonic()))
            self._listeners.clear()

    def look(self) -> None:
        """Compare the channels with the listeners that run."""
        kinds = [each.kind for each in registry.adapters() if "fetch" in each.can]
        wanted = {
            channel.pk: channel
            for channel in Channel.objects.filter(active=True, kind__in=kinds)
            if channel.settings.get("imap_host")
        }
        for pk, listener in list(self._listeners.items()):
            channel = wanted.get(pk)
            if channel is None or configuration(channel) != listener.configuration:
                listener.stop()
            if not listener.is_alive():
                del self._listeners[pk]
            else:
                listener.keep()
        for pk, channel in wanted.items():
            if pk not in self._listeners:
                self._listeners[pk] = listener = Listener(channel, self._holder)
                listener.start()
