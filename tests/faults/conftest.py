"""Processes that can be killed, and what they work on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import child_environment
from tests.faults.nursery import Nursery
from tests.servers.fixtures import box, dovecot, sink  # noqa: F401


@pytest.fixture(scope="session")
def zygote(django_db_setup: None, django_db_blocker: Any) -> Iterator[Nursery]:
    with django_db_blocker.unblock():
        env = child_environment()
    made = Nursery(env)
    yield made
    made.close()


@pytest.fixture
def nursery(zygote: Nursery, transactional_db: None) -> Iterator[Nursery]:
    """The zygote, with every child gone at the end of the test, before the database is emptied."""
    yield zygote
    zygote.clear()
