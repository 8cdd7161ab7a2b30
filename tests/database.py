"""The database that a run, and each test with real transactions, begins with: migrated, with no rows but those of migrations.

To migrate takes half a minute, so it is done once for each state of the migrations. After a test with real transactions
Django would empty every table and make content types and permissions anew, which takes a second; here only what the
test changed is put back.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

_NAME = settings.DATABASES["default"]["NAME"]
"""As configured, before it becomes the test database's."""
_COPIES = Path(settings.VAR_DIR) / "migrated.sqlite3"
CHILD = "guichet-test-child"
"""What child processes of a test call themselves before PostgreSQL."""
_migrated: set[str] = set()
"""Tables that hold rows after the migrations; their copies lie in `pristine`: a schema, or that file."""


def begin_with_template() -> bool:
    """Let the test database be a copy of one with exactly these migrations, when there is one. Whether it may be there."""
    test = settings.DATABASES["default"]["TEST"]
    if connection.vendor == "sqlite":
        if (template := _sqlite_template()).exists():
            shutil.copyfile(template, test["NAME"])
        return True
    if _postgresql_template() in _postgresql_templates():
        test["TEMPLATE"] = _postgresql_template()
    return False


def keep_template() -> None:
    """Keep the migrated test database for later runs, in place of those with other migrations."""
    if connection.vendor == "sqlite":
        if (template := _sqlite_template()).exists():
            return
        template.parent.mkdir(exist_ok=True)
        fresh = template.with_suffix(f".{os.getpid()}")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(fresh)])
        for old in template.parent.glob("migrated-*.sqlite3"):
            old.unlink(missing_ok=True)
        fresh.replace(template)
    elif _postgresql_template() not in (there := _postgresql_templates()):
        connection.close()
        connection.close_pool()  # nobody may be in a database that is copied
        # A worker beside this one may be quicker, or use an old one still.
        with connection._nodb_cursor() as cursor:
            for old in there:
                with suppress(DatabaseError):
                    cursor.execute(f'DROP DATABASE "{old}"')
            with suppress(DatabaseError):
                test = connection.settings_dict["NAME"]
                cursor.execute(f'CREATE DATABASE "{_postgresql_template()}" TEMPLATE "{test}"')


def wait_for_no_disk() -> None:
    """Let commits on the test database return before the disk has them, whoever makes them: the machine stays on."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
        connection.close()  # counts from the next connection on


def end_sessions() -> None:
    """Before the test database is dropped: the server may not have noticed yet that a killed process is gone."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def _migrations() -> str:
    seen = hashlib.sha256()
    for config in sorted(apps.get_app_configs(), key=lambda config: config.name):
        for path in sorted(Path(config.path).glob("migrations/*.py")):
            seen.update(f"{config.name}/{path.name}\n".encode() + path.read_bytes())
    return seen.hexdigest()[:16]


def _sqlite_template() -> Path:
    return settings.BASE_DIR / ".cache" / f"migrated-{_migrations()}.sqlite3"


def _postgresql_template() -> str:
    return f"{_NAME}_migrated_{_migrations()}"


def _postgresql_templates() -> list[str]:
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{_NAME}\\_migrated\\_%"])
        return [name for (name,) in cursor.fetchall()]


def keep_migrated_rows() -> None:
    """Copy the rows as they are now. From here on, Django's tests put them back instead of flushing."""
    with connection.cursor() as cursor:
        # The audit log refuses to be emptied (see test_audit.py).
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS audit_refuse() CASCADE")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS audit_update")
            cursor.execute("DROP TRIGGER IF EXISTS audit_delete")
        _migrated.update(_filled(cursor))
        if connection.vendor == "postgresql":
            cursor.execute("CREATE SCHEMA pristine")
            for table in _migrated:
                cursor.execute(f'CREATE TABLE pristine."{table}" AS TABLE "{table}"')
        else:
            cursor.execute("VACUUM INTO %s", [str(_COPIES)])
    TransactionTestCase._fixture_teardown = lambda _case: put_back()  # type: ignore[method-assign]


def put_back() -> None:
    """Undo every change of rows since `keep_migrated_rows`. Counters of new keys go on."""
    _await_children()
    with _copies(), connection.constraint_checks_disabled(), transaction.atomic(), connection.cursor() as cursor:
        for table in _filled(cursor):
            if table not in _migrated:
                cursor.execute(f'DELETE FROM "{table}"')
        for table in _migrated:
            here, kept = f'SELECT * FROM "{table}"', f'SELECT * FROM pristine."{table}"'
            cursor.execute(f"SELECT EXISTS({here} EXCEPT {kept}) OR EXISTS({kept} EXCEPT {here})")
            if cursor.fetchone()[0]:
                cursor.execute(f'DELETE FROM "{table}"')
                cursor.execute(f'INSERT INTO "{table}" {kept}')
    ContentType.objects.clear_cache()


def _await_children() -> None:
    """A killed process is gone before its session is: what that has been told already it still does, and commits."""
    if connection.vendor != "postgresql":
        return
    theirs = "datname = current_database() AND application_name = %s"
    end = time.monotonic() + 5
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(f"SELECT EXISTS(SELECT 1 FROM pg_stat_activity WHERE {theirs})", [CHILD])
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.02)
        cursor.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {theirs}", [CHILD])


def _filled(cursor: Any) -> list[str]:
    """The tables that hold any row."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    cursor.execute("SELECT " + ", ".join(f'EXISTS(SELECT 1 FROM "{table}")' for table in tables))
    return [table for table, filled in zip(tables, cursor.fetchone(), strict=True) if filled]


@contextmanager
def _copies() -> Iterator[None]:
    """SQLite sees the copies while their file is attached."""
    if connection.vendor == "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("ATTACH %s AS pristine", [str(_COPIES)])
        try:
            yield
        finally:
            cursor.execute("DETACH pristine")
