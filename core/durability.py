"""Writes that need not survive a power failure of this very second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def relaxed() -> Iterator[None]:
    """A transaction whose commit does not wait for the disk; within another transaction that one decides.

    For what comes again by itself or is missed by nobody, as the mark of having read. A crash of the product loses
    nothing, and the order of commits holds: the next one that does wait takes this one to the disk with it.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            usual = cursor.execute("PRAGMA synchronous").fetchone()[0]
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                with transaction.atomic():
                    yield
            finally:
                cursor.execute(f"PRAGMA synchronous={usual}")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
            yield
