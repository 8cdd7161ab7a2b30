"""Mentions, and the words by which tickets are found."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import inbox.models.search

# The FTS5 table reads its text from the words table; the triggers keep it in step with every insert, change and cascade.
_SQLITE = [
    "CREATE VIRTUAL TABLE inbox_ticketwords_fts USING fts5(words, content='inbox_ticketwords',"
    " content_rowid='ticket_id', tokenize='unicode61 remove_diacritics 0', detail=full)",
    "CREATE TRIGGER inbox_ticketwords_added AFTER INSERT ON inbox_ticketwords BEGIN"
    " INSERT INTO inbox_ticketwords_fts(rowid, words) VALUES (new.ticket_id, new.words); END",
    "CREATE TRIGGER inbox_ticketwords_removed AFTER DELETE ON inbox_ticketwords BEGIN"
    " INSERT INTO inbox_ticketwords_fts(inbox_ticketwords_fts, rowid, words)"
    " VALUES ('delete', old.ticket_id, old.words); END",
    "CREATE TRIGGER inbox_ticketwords_changed AFTER UPDATE ON inbox_ticketwords BEGIN"
    " INSERT INTO inbox_ticketwords_fts(inbox_ticketwords_fts, rowid, words)"
    " VALUES ('delete', old.ticket_id, old.words);"
    " INSERT INTO inbox_ticketwords_fts(rowid, words) VALUES (new.ticket_id, new.words); END",
]
_POSTGRESQL = ["CREATE INDEX inbox_ticketwords_gin ON inbox_ticketwords USING gin (words)"]


def make_index(apps, schema_editor):
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX inbox_ticketwords_gin")
        return
    for trigger in ("added", "removed", "changed"):
        schema_editor.execute(f"DROP TRIGGER inbox_ticketwords_{trigger}")
    schema_editor.execute("DROP TABLE inbox_ticketwords_fts")


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0002_initial"),
        ("service", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TicketWords",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="words",
                        serialize=False,
                        to="service.ticket",
                    ),
                ),
                ("words", inbox.models.search.WordsField(default=tuple)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mentions", to="inbox.message"
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mentions", to="service.ticket"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "mention",
                "verbose_name_plural": "mentions",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "ticket", "message"), name="mention_once")
                ],
            },
        ),
        migrations.RunPython(make_index, drop_index, elidable=False),
    ]
