"""What the acceptance tests of security share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from inbox.models import Channel, RawMessage
from inbox.services.accept import accept
from inbox.services.processing import process
from tests import factories
from tests.servers.fixtures import sink  # noqa: F401

VOLATILE = ("django_session", "core_hit", "core_auditentry", "core_lease", "django_tasks", "sqlite_")
"""Tables that a refused request may touch: sessions, counters of limits, the audit log."""


def checksum() -> dict[str, str]:
    """A hash of all rows of each table, to show that nothing was changed."""
    sums = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith(VOLATILE):
                cursor.execute(f'SELECT * FROM "{table}"')
                sums[table] = hashlib.sha256("\n".join(sorted(map(repr, cursor.fetchall()))).encode()).hexdigest()
    return sums


def entered(user: Any) -> Client:
    """A client of its own, logged in."""
    client = Client()
    client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    return client


@pytest.fixture
def receive(channel: Channel) -> Callable[[bytes], RawMessage]:
    """`receive(mail)`: one mail through the whole intake; the journal's row afterwards."""
    return lambda content: process(accept(channel, content))


@pytest.fixture
def anna(db: None) -> Any:
    """A customer with a login, anna@schmidt.test."""
    user = factories.UserFactory(email="anna@schmidt.test", name="Anna", language="en")
    contact = factories.ContactFactory(name="Anna", user=user, customer=factories.CustomerFactory(name="Schmidt"))
    factories.PointFactory(contact=contact, value=user.email, verified=True)
    return user
