"""Fixtures around the servers of this package."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.clamd import Clamd
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One Dovecot for the run; every test takes a user of its own (`box`). Mark the test `dovecot`."""
    server = Dovecot(Path(tempfile.mkdtemp(prefix="guichet-dovecot-")))
    yield server
    server.close()


@pytest.fixture
def box() -> str:
    """A mailbox name nobody else uses."""
    return f"u{uuid.uuid4().hex[:12]}"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """An SMTP server that keeps what it gets."""
    server = SmtpSink()
    yield server
    server.close()


@pytest.fixture(scope="module")
def clamd() -> Iterator[Clamd]:
    """A virus scanner that knows EICAR's test file. Mark the test `clamav`."""
    with tempfile.TemporaryDirectory(prefix="guichet-clamd-") as folder:
        server = Clamd(Path(folder))
        yield server
        server.stop()
