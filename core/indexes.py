"""Indexes that migrations make while the site works: writers never wait for them.

Use it in a migration with `atomic = False` for tables that grow. SQLite does as Django's own operation.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex, AlterField


class AddIndexOnline(AddIndexConcurrently):
    """CREATE INDEX CONCURRENTLY on PostgreSQL. May be run again after it was cut off, which leaves an invalid index."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Make it."""
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        # The limits of the site's own statements would cut off the building of an index on a large table.
        schema_editor.execute("SET statement_timeout = 0")
        schema_editor.execute("SET lock_timeout = 0")
        name = schema_editor.quote_name(self.index.name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.execute("RESET statement_timeout")
        schema_editor.execute("RESET lock_timeout")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class DropKeyIndex(AlterField):
    """A foreign key gives up the index of its own, which another one that begins with its column makes needless.

    Every index costs each write. Django would rebuild the table on SQLite, and lock out readers on PostgreSQL.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop it, whatever it is called here."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection, column = schema_editor.connection, model._meta.get_field(self.name).column
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        at_work = "CONCURRENTLY " if connection.vendor == "postgresql" else ""
        for name, index in found.items():
            if index["index"] and not index["unique"] and index["columns"] == [column]:
                schema_editor.execute(f"DROP INDEX {at_work}IF EXISTS {schema_editor.quote_name(name)}")
