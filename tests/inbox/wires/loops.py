"""Running the loops of the wires inside a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from inbox.models import Channel
from inbox.services import wake
from inbox.services.sending import SendingLoop
from tests import factories
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink


def sending_channel(sink: SmtpSink | int, **options: Any) -> Channel:
    """An e-mail channel that hands its mail to the sink."""
    port = sink if isinstance(sink, int) else sink.port
    return factories.ChannelFactory(
        address=options.pop("address", "support@example.com"),
        settings={"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", **options},
    )


def mailbox_channel(server: Dovecot, user: str, **options: Any) -> Channel:
    """An e-mail channel that reads this mailbox."""
    channel = factories.ChannelFactory(
        address=options.pop("address", "support@example.com"),
        settings={
            "imap_host": "127.0.0.1",
            "imap_port": options.pop("port", server.port),
            "imap_security": "none",
            "imap_user": user,
            **options,
        },
    )
    channel.set_secrets({"imap_password": "secret"})
    channel.save()
    return channel


@contextmanager
def in_thread(run: Callable[[threading.Event], None]) -> Iterator[threading.Event]:
    """The duty in a thread of its own, ended afterwards; what it raised is raised here."""
    stopping, raised = threading.Event(), []

    def guarded() -> None:
        try:
            run(stopping)
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        wake.sending_event.set()
        wake.processing_event.set()
        thread.join(15)
        assert not thread.is_alive()
        if raised:
            raise raised[0]


def sending() -> Any:
    """The sending loop, in a thread."""
    return in_thread(SendingLoop.run)


def until(condition: Callable[[], Any], seconds: float = 30, what: str = "") -> Any:
    """Wait for a condition; its value. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(what or "it did not happen in time")
