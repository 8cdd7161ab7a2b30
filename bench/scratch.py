"""Databases and folders that exist only while something is measured."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


@contextmanager
def database(vendor: str, folder: str) -> Iterator[str]:
    """The URL of an empty database. On PostgreSQL it is made on the server of DATABASE_URL and dropped at the end."""
    if vendor == "sqlite":
        yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        return
    parts = urlsplit(os.environ.get("DATABASE_URL") or SERVER)
    name = f"guichet_bench_{secrets.token_hex(4)}"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def surroundings(folder: str, url: str) -> dict[str, str]:
    """Environment of a measured process: a deployment with keys of its own, quiet, without Redis."""
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "REDIS_URL": "",
        "GUICHET_VAR": folder,
        "GUICHET_DEMO": "",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CHANNEL_KEY": secrets.token_urlsafe(50),
        "TOKEN_KEY": secrets.token_urlsafe(50),
        "STAFF_SECOND_FACTOR": "optional",
        "LOG_LEVEL": "ERROR",
        "STATIC_ROOT": str(Path(folder) / "static"),
    }
