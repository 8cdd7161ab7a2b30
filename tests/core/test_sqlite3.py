"""Threads that write take turns, whatever becomes of a transaction. On a file of SQLite of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from core.sqlite3 import base

pytestmark = pytest.mark.once
TURNS = "turns"


@pytest.fixture(autouse=True)
def file(tmp_path: Path, django_db_blocker: Any) -> Iterator[Path]:
    """A database whose connections SQLite refuses at once while another one writes."""
    path = tmp_path / "turns.sqlite3"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE word (it TEXT)")
    connections.databases[TURNS] = connections.configure_settings(
        {
            "default": {},
            TURNS: {
                "ENGINE": "core.sqlite3",
                "NAME": str(path),
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA busy_timeout=0"},
            },
        }
    )[TURNS]
    with django_db_blocker.unblock():
        yield path
        connections[TURNS].close()
    assert not base._turns[str(path)].locked()
    del connections[TURNS], connections.databases[TURNS]


def write(word: str) -> None:
    try:
        with transaction.atomic(using=TURNS), connections[TURNS].cursor() as cursor:
            cursor.execute("INSERT INTO word VALUES (%s)", [word])
    finally:
        connections[TURNS].close()


def in_another_thread(word: str) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(write, word).result()


def words(file: Path) -> int:
    with sqlite3.connect(file) as read:
        return read.execute("SELECT count(*) FROM word").fetchone()[0]


def test_a_crowd_of_threads_never_meets_the_lock_of_sqlite(file: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, map(str, range(200))))
    assert words(file) == 200


def test_the_turn_goes_on_after_an_error(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=TURNS):
        raise ZeroDivisionError
    in_another_thread("next")
    assert words(file) == 1


def test_the_turn_goes_on_when_a_connection_is_closed_in_the_middle(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=TURNS):
        connections[TURNS].close()
        raise ZeroDivisionError
    in_another_thread("next")
    assert words(file) == 1


def test_whoever_meets_another_process_gives_the_turn_back(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("INSERT INTO word VALUES ('theirs')")
        with pytest.raises(OperationalError, match="locked"):
            in_another_thread("too soon")
    in_another_thread("next")
    assert words(file) == 2
