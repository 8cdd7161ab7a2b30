"""Commits that do not wait for the disk, and those that do."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from core.durability import relaxed
from core.models import Hit


def waits() -> str:
    """How a commit at this moment would wait."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


@pytest.fixture
def strict(transactional_db: None) -> str:
    """As in use; the tests of everything else wait for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL" if connection.vendor == "sqlite" else "SET synchronous_commit TO on")
    yield waits()
    connection.close()


def test_only_what_is_inside_does_not_wait(strict: str) -> None:
    with relaxed():
        Hit.objects.create(key="mark", window="2026-01-01T00:00Z")
        assert waits() == ("1" if connection.vendor == "sqlite" else "off")
    assert waits() == strict
    assert Hit.objects.count() == 1


def test_what_fails_inside_is_undone_and_the_next_waits(strict: str) -> None:
    with pytest.raises(ZeroDivisionError), relaxed():
        Hit.objects.create(key="mark", window="2026-01-01T00:00Z")
        raise ZeroDivisionError
    assert waits() == strict
    assert Hit.objects.count() == 0


def test_a_transaction_around_it_decides(strict: str) -> None:
    with transaction.atomic():
        with relaxed():
            Hit.objects.create(key="mark", window="2026-01-01T00:00Z")
        assert waits() == strict
