"""The fixtures that every other test stands on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.contrib.sessions.models import Session
from django.db import connection
from zeal import NPlusOneError, zeal_context

from crm.service.models import Ticket
from inbox.models import Message
from tests import database, factories
from tests.inbox.wires.loops import until


def test_a_person_of_each_role(administrator, supervisor, agent, marketer, editor, customer_user):
    staff = [administrator, supervisor, agent, marketer, editor]
    assert [sorted(user.roles) for user in staff] == [
        ["administrator"],
        ["supervisor"],
        ["agent"],
        ["marketer"],
        ["editor"],
    ]
    assert all(user.is_staff for user in staff)
    assert customer_user.roles == frozenset()
    assert customer_user.contact.points.get().verified_at is not None


def test_an_agent_sees_the_queue_he_works_and_no_other(ticket, agent, other_queue):
    factories.TicketFactory(queue=other_queue)
    assert list(Ticket.objects.visible_to(agent)) == [ticket]


def test_messages_count_on(ticket):
    second = factories.MessageFactory(ticket=ticket, kind=Message.Kind.NOTE)
    ticket.refresh_from_db()
    assert (second.seq, ticket.sequence, ticket.message_count) == (2, 2, 2)


def test_files_and_database_lie_in_a_folder_of_the_run(db):
    attachment = factories.AttachmentFactory(content=b"abc")
    folder = Path(settings.MEDIA_ROOT)
    assert folder.parent == settings.VAR_DIR
    assert settings.VAR_DIR != settings.BASE_DIR / "var"
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in found] == [b"abc"]
    assert os.stat(found[0]).st_mode & 0o777 == 0o600
    assert attachment.size == 3


def test_passwords_are_cheap_here(agent):
    assert identify_hasher(agent.password).algorithm == "md5"


def test_a_query_a_row_fails(queue, contact):
    factories.TicketFactory.create_batch(3, queue=queue, contact=contact)
    with zeal_context(), pytest.raises(NPlusOneError):
        for ticket in Ticket.objects.all():
            str(ticket.contact)


LATE = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
    database.execute("INSERT INTO django_session SELECT 'late', '', now() FROM pg_sleep(1)")
"""


@pytest.mark.postgresql
def test_what_a_killed_process_had_begun_is_undone_too(process_environment):
    """Its session goes on for a while without it, and what it commits then would stand in the next test."""

    def sessions(state: str = "%") -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = %s AND state LIKE %s",
                [database.CHILD, state],
            )
            return cursor.fetchone()[0]

    with subprocess.Popen([sys.executable, "-c", LATE], env=process_environment) as child:
        until(lambda: sessions("active"))
        child.kill()
    database.put_back()
    until(lambda: not sessions())
    assert not Session.objects.exists()
