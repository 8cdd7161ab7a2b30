"""Connections to PostgreSQL that do not wait for ever.

A server that is frozen, but whose machine still answers TCP, cannot end our statements by its own `statement_timeout`,
and libpq has no limit of its own for reading (R-33).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

STATEMENT_SECONDS = 62.0
"""A little more than the server's own limit, which is the better one where the server lives."""
CHECK_SECONDS = 5.0
"""For the empty statement by which the pool asks whether a connection is good."""


class LimitedConnection(psycopg.Connection[Any]):
    """Raises OperationalError where the server says nothing for too long; the connection is closed then."""

    seconds = STATEMENT_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, for so many seconds at most."""
        try:
            return super().wait(gen, interval, timeout or self.seconds)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # its answer may come any time, and would be taken for that of the next statement
            raise

    def execute(self, query: Any, *values: Any, **options: Any) -> Any:
        """As psycopg's; a check is given less time."""
        self.seconds = CHECK_SECONDS if query == "" else STATEMENT_SECONDS
        try:
            return super().execute(query, *values, **options)
        finally:
            self.seconds = STATEMENT_SECONDS
