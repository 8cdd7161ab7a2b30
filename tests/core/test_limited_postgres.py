"""A PostgreSQL that says nothing while its machine answers TCP (R-33)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from core import limited_postgres
from core.limited_postgres import LimitedConnection

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]


@pytest.fixture
def link() -> Iterator[LimitedConnection]:
    given = connection.settings_dict
    names = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"]}
    made = LimitedConnection.connect(dbname=given["NAME"], autocommit=True, **{k: v for k, v in names.items() if v})
    yield made
    made.close()


def test_a_server_that_is_silent_for_too_long_is_given_up(link: LimitedConnection) -> None:
    assert link.cursor().execute("SELECT 1").fetchone() == (1,)
    link.seconds = 0.5
    begun = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        link.cursor().execute("SELECT pg_sleep(30)")
    assert time.monotonic() - begun < 10
    assert link.closed


def test_a_check_is_given_less_time(link: LimitedConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    given, wait = [], psycopg.Connection.wait

    def noted(self: Any, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        given.append(timeout)
        return wait(self, gen, interval, timeout)

    monkeypatch.setattr(psycopg.Connection, "wait", noted)
    link.execute("")
    assert set(given) == {limited_postgres.CHECK_SECONDS}
    given.clear()
    link.execute("SELECT 1")
    assert set(given) == {limited_postgres.STATEMENT_SECONDS}
