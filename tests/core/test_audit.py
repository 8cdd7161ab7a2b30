"""The audit log: append-only, chained, on one line, and outliving the people in it (S-88)."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from core import audit
from core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("deed", "actor_name", "about"))


def verify(**options: Any) -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def guarded() -> None:
    """The triggers of the migration, which test databases go without; rolled back with the test."""
    with connection.cursor() as cursor:
        for statement in audit.TRIGGERS[connection.vendor]:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET detail = 'nothing'",
        "DELETE FROM core_auditentry",
        "UPDATE core_auditentry SET actor = NULL WHERE deed = 'login'",
        "TRUNCATE core_auditentry",
    ],
)
def test_no_statement_changes_an_entry(guarded: None, administrator: Any, statement: str) -> None:
    audit.record("login", by=administrator)
    if statement.startswith("TRUNCATE") and connection.vendor == "sqlite":
        statement = "DELETE FROM core_auditentry WHERE 1"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.update(detail="nothing")
    assert told() == [("login", "Administrator", "")]
    audit.record("logout", by=administrator)
    assert "2 entries, whole" in verify()


def test_no_row_takes_the_place_of_another(guarded: None, administrator: Any) -> None:
    entry = audit.record("login", by=administrator)
    columns = "id, at, deed, actor, actor_name, address, about, detail, seal"
    forged = f"SELECT {columns.replace('actor_name', repr('Mallory'))} FROM core_auditentry WHERE id = {entry.pk}"
    if connection.vendor == "sqlite":
        statement = f"INSERT OR REPLACE INTO core_auditentry ({columns}) {forged}"
    else:
        statement = (
            f"INSERT INTO core_auditentry ({columns}) {forged} ON CONFLICT (id) DO UPDATE SET detail = 'nothing'"
        )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    audit.record("logout", by=administrator)
    assert told() == [("login", "Administrator", ""), ("logout", "Administrator", "")]
    assert "2 entries, whole" in verify()


def test_the_chain_shows_what_was_changed_taken_out_or_put_in(administrator: Any) -> None:
    first, second, third = (audit.record("roles", by=administrator, about=n) for n in range(3))
    assert list(audit.broken()) == []
    AuditEntry.objects.filter(pk=second.pk).update(about="else")
    assert list(audit.broken()) == [second.pk]
    AuditEntry.objects.filter(pk=second.pk).update(about="1")
    assert list(audit.broken()) == []
    AuditEntry.objects.filter(pk=second.pk).delete()
    assert list(audit.broken()) == [third.pk]
    with pytest.raises(CommandError, match=f"broken at {third.pk} "):
        verify()
    AuditEntry.objects.filter(pk=third.pk).delete()
    assert f"1 entries, whole. Last seal {first.seal}" in verify()
    with pytest.raises(CommandError, match="taken from the end"):
        verify(holds=third.seal)
    AuditEntry.objects.create(deed="login", seal="0" * 64)
    assert len(list(audit.broken())) == 1


def test_a_new_key_leaves_old_entries_whole(administrator: Any, settings: Any) -> None:
    audit.record("login", by=administrator)
    settings.TOKEN_KEYS = ["another key of at least fifty characters, made up for this test", *settings.TOKEN_KEYS]
    audit.record("logout", by=administrator)
    assert list(audit.broken()) == []
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert len(list(audit.broken())) == 1


def test_an_entry_is_one_line_and_outlives_the_person(agent: Any) -> None:
    agent.name = "Mallory\n2026-11-27 12:00 login Admin\u202eevil"
    agent.save()
    entry = audit.record("changed", by=agent, about="rule a\r\nb", detail="x" * 2000)
    assert entry.actor_name == r"Mallory\n2026-11-27 12:00 login Admin\u202eevil"
    assert (entry.about, len(entry.detail)) == (r"rule a\r\nb", 1000)
    pk = agent.pk
    agent.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name[:7]) == (pk, "Mallory")
    assert list(audit.broken()) == []


def test_logins_and_refusals_are_kept(client: Client, agent: Any, other_queue: Any) -> None:
    agent.set_password("coffee-machine-9")
    agent.save()
    EmailAddress.objects.create(user=agent, email=agent.email, verified=True, primary=True)
    foreign = factories.TicketFactory(queue=other_queue)
    login = {"login": agent.email, "password": "wrong"}
    client.post(reverse("account_login"), login, REMOTE_ADDR="192.0.2.7")
    client.post(reverse("account_login"), {**login, "password": "coffee-machine-9"}, REMOTE_ADDR="192.0.2.7")
    url = reverse("inbox:ticket", args=[foreign.number])
    assert client.get(url).status_code == 404
    client.post(reverse("account_logout"))
    assert client.get(url).status_code == 302
    assert told() == [
        ("login-failed", agent.email, ""),
        ("login", "Agent", "Agent"),
        ("denied", "Agent", url),
        ("logout", "Agent", "Agent"),
    ]
    assert set(AuditEntry.objects.values_list("address", flat=True)) == {"192.0.2.7", "127.0.0.1"}


def test_refusals_of_one_person_are_limited(login: Any, agent: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "DENIALS_AN_HOUR", 3)
    client = login(agent)
    for number in range(5):
        assert client.get(reverse("inbox:ticket", args=[200_000 + number])).status_code == 404
    assert AuditEntry.objects.filter(deed="denied").count() == 3


def test_set_up_and_exports_are_kept(login: Any, administrator: Any, queue: Any) -> None:
    client = login(administrator)
    client.post(reverse("tags:add"), {"name": "vip"})
    client.post(reverse("departments:add"), {"name": "Sales"})
    client.get(reverse("people:index"), {"export": "csv", "q": "a"}).getvalue()
    assert told()[1:] == [
        ("added", "Administrator", "department Sales"),
        ("export", "Administrator", "users"),
    ]


def test_only_administrators_read_it(login: Any, administrator: Any, supervisor: Any) -> None:
    audit.record("changed", by=None, name='"><img src=x onerror=alert(1)>', about="=1+1")
    page = login(administrator).get(reverse("audit:index"))
    assert page.status_code == 200
    assert b"<img src=x" not in page.content
    assert b"&lt;img src=x" in page.content
    assert login(supervisor).get(reverse("audit:index")).status_code in (302, 404)


def test_the_log_is_kept_in_one_language_and_read_in_every(login: Any, administrator: Any, agent: Any) -> None:
    administrator.language = "zh-hans"
    administrator.save()
    client = login(administrator)
    client.post(reverse("departments:add"), {"name": "Sales"})
    client.get(reverse("people:index"), {"export": "csv"}).getvalue()
    audit.record("changed", by=agent, about="channel Support", detail="paused")
    assert told()[-3:] == [
        ("added", "Administrator", "department Sales"),
        ("export", "Administrator", "users"),
        ("changed", "Agent", "channel Support"),
    ]
    page = client.get(reverse("audit:index")).content.decode()
    assert "部门 Sales" in page and "渠道 Support" in page and "已暂停" in page
