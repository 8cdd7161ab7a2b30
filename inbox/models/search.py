"""The words of each ticket, as the search box looks them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm.service.models import Ticket


def _quoted(word: str) -> str:
    """A lexeme in the syntax of tsvector and tsquery: nothing in it can be an operator."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


class WordsField(models.Field):  # type: ignore[type-arg]
    """A set of words that were cut apart before: `tsvector` on PostgreSQL, text indexed by FTS5 on SQLite.

    The database never segments: both vendors find the same, in every script (see `inbox.search`).
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> tuple[str, ...]:
        """The words, on PostgreSQL in its own order."""
        found = value.split(" ") if value else []
        return tuple(word.strip("'") for word in found) if connection.vendor == "postgresql" else tuple(found)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """Words as the column takes them."""
        return self.get_db_prep_value(value, connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """Words as the column takes them."""
        if value is None or isinstance(value, str) or hasattr(value, "as_sql"):
            return value
        words: Iterable[str] = value
        return " ".join(map(_quoted, words)) if connection.vendor == "postgresql" else " ".join(words)

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        """PostgreSQL parses the text as a tsvector."""
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"


@WordsField.register_lookup
class HasAll(models.Lookup):  # type: ignore[type-arg]
    """All of these words; one that ends in `*` stands for every word that begins so."""

    lookup_name = "has_all"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """The words as one query of the vendor's language."""
        words: Sequence[str] = value
        if connection.vendor == "postgresql":
            return "%s", (" & ".join(_quoted(w.rstrip("*")) + (":*" if w.endswith("*") else "") for w in words),)
        return "%s", (" ".join(f'"{w.rstrip("*")}"' + ("*" if w.endswith("*") else "") for w in words),)

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """`words @@ query`, served by the GIN index."""
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} @@ {rhs}::tsquery", (*lhs_params, *rhs_params)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Rows that the FTS5 table knows."""
        lhs, lhs_params = self.process_lhs(compiler, connection)
        table = lhs.rsplit(".", 1)[0]
        rhs, rhs_params = self.process_rhs(compiler, connection)
        found = f"SELECT rowid FROM inbox_ticketwords_fts WHERE inbox_ticketwords_fts MATCH {rhs}"  # noqa: S608 - a placeholder
        return f'{table}."ticket_id" IN ({found})', (*lhs_params, *rhs_params)


class TicketWords(models.Model):
    """All words of a ticket: number, subject, contact and messages, notes too. Only for colleagues' searches (S-53)."""

    ticket = models.OneToOneField(Ticket, models.CASCADE, primary_key=True, related_name="words")
    words = WordsField(default=tuple)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.ticket_id)
