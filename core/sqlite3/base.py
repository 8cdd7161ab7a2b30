"""Writers of one process wait for each other without polling.

SQLite lets one connection write at a time. Whoever comes while another writes sleeps and tries again, after up to a
tenth of a second, and may find that a later one was quicker. Among the threads of one process, which is the whole
product on a laptop, a lock gives the turn on the moment it is free. Other processes meet SQLite's own lock as before.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteWrapper

_turns: dict[str, threading.Lock] = {}


class DatabaseWrapper(SQLiteWrapper):
    """A connection that begins a transaction when it is its turn.

    The turn is waited for as long as SQLite would wait; after that it is asked all the same, and says so.
    """

    _turn: threading.Lock | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Open it. A database that is made by this is its owner's alone, and SQLite makes its log alike (S-25)."""
        if not str(conn_params["database"]).startswith(("file:", ":memory:")):
            _make(Path(conn_params["database"]))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        turn = _turns.setdefault(str(self.settings_dict["NAME"]), threading.Lock())
        if turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5)):
            self._turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.release()
            self._turn = None

    def _commit(self) -> Any:
        result = super()._commit()  # type: ignore[misc]
        self._end_turn()
        return result

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()


def _make(path: Path) -> None:
    if path.exists() or not path.parent.is_dir():
        return  # without its folder SQLite says what is wrong
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
