"""The database for the visitors' sockets of a process: one thread, which keeps its connection.

`database_sync_to_async` gives the connection back after every call. Opening one for each frame, and reading the schema
anew, would cost more than all that is done with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections, reset_queries
from django.db.utils import DatabaseError, InterfaceError

from core.running import renew

P = ParamSpec("P")
R = TypeVar("R")
_thread = ThreadPoolExecutor(1, thread_name_prefix="chat-database")


async def run(work: Callable[P, R], *values: P.args, **named: P.kwargs) -> R:
    """Do `work` in the thread; what it raises is raised here."""
    return await asyncio.get_running_loop().run_in_executor(_thread, lambda: _do(work, *values, **named))


def _do(work: Callable[P, R], *values: P.args, **named: P.kwargs) -> R:
    renew()
    reset_queries()
    try:
        return work(*values, **named)
    except (DatabaseError, InterfaceError):
        connections.close_all()  # it may be broken: the next call begins with another
        raise
