"""Screens of channels: secrets go in and never come out, the test really connects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.models import Channel
from inbox.services import channel_health
from inbox.services.accept import accept
from tests import factories
from tests.processes import free_port

SECRET = "correct-horse-battery"


def body(**changed: Any) -> dict[str, Any]:
    settings = {
        "auth": "password",
        "imap_host": "127.0.0.1",
        "imap_port": "993",
        "imap_security": "tls",
        "imap_user": "support@example.com",
        "imap_password": SECRET,
        "imap_folder": "INBOX",
        "after_import": "seen",
        "subject_hook": "Ticket#",
        "subject_side": "right",
        **changed.pop("settings", {}),
    }
    return {
        "kind": "email",
        "name": "Support",
        "address": "Support@Example.com",
        "aliases": "help@example.com\nHELP@EXAMPLE.ORG",
        "display_name": "Example Support",
        "language": "en",
        "active": "on",
        **{f"settings-{name}": value for name, value in settings.items()},
        **changed,
    }


def make(client: Any, queue: Any, **changed: Any) -> Channel:
    response = client.post("/desk/channels/new/", body(queue=queue.pk, **changed))
    channel = Channel.objects.get()
    assert response["Location"] == f"/desk/channels/{channel.pk}/"
    return channel


def test_a_mailbox_is_connected(login: Any, administrator: Any, queue: Any) -> None:
    channel = make(login(administrator), queue)
    assert (channel.kind, channel.address, channel.queue) == ("email", "support@example.com", queue)
    assert channel.aliases == ["help@example.com", "help@example.org"]
    assert channel.settings["imap_user"] == "support@example.com"
    assert "imap_password" not in channel.settings
    assert channel.secrets() == {"imap_password": SECRET}
    assert SECRET not in channel.sealed


def test_a_secret_is_never_shown(login: Any, administrator: Any, queue: Any) -> None:
    client = login(administrator)
    channel = make(client, queue)
    for path in ("", "edit/", "history/"):
        address = f"/desk/channels/{path}{channel.pk}/" if path else f"/desk/channels/{channel.pk}/"
        page = client.get(address).content.decode()
        assert SECRET not in page, path
        assert channel.sealed not in page, path
    page = client.get(f"/desk/channels/edit/{channel.pk}/").content.decode()
    assert "IMAP password (set)" in page
    assert "SMTP password (not set)" in page
    invalid = client.post(f"/desk/channels/edit/{channel.pk}/", body(name="", queue=queue.pk)).content.decode()
    assert SECRET not in invalid


def test_an_empty_secret_keeps_the_stored_one(login: Any, administrator: Any, queue: Any) -> None:
    client = login(administrator)
    channel = make(client, queue)
    client.post(f"/desk/channels/edit/{channel.pk}/", body(queue=queue.pk, name="Help", settings={"imap_password": ""}))
    channel.refresh_from_db()
    assert (channel.name, channel.secrets()) == ("Help", {"imap_password": SECRET})
    client.post(f"/desk/channels/edit/{channel.pk}/", body(queue=queue.pk, settings={"imap_password": "another"}))
    channel.refresh_from_db()
    assert channel.secrets() == {"imap_password": "another"}


def test_what_is_wrong_is_said_beside_the_field(login: Any, administrator: Any, queue: Any, channel: Any) -> None:
    client = login(administrator)
    page = client.post("/desk/channels/new/", body(queue=queue.pk, name="Two")).content.decode()
    assert "Another channel has this address." in page
    Channel.objects.update(aliases=["x@y.test"])
    for given in ({"address": "x@y.test"}, {"address": "z@y.test", "aliases": "X@y.test"}):
        page = client.post("/desk/channels/new/", body(queue=queue.pk, name="Two", **given)).content.decode()
        assert "Another channel has this address." in page
    Channel.objects.update(aliases=[])
    page = client.post(
        "/desk/channels/new/",
        body(queue=queue.pk, address="x@y.test", settings={"imap_host": "mail.example.com", "imap_security": "none"}),
    ).content.decode()
    assert "Without TLS the password could be read on the way." in page
    assert Channel.objects.count() == 1


def test_an_unknown_kind_is_not_found(login: Any, administrator: Any) -> None:
    assert login(administrator).get("/desk/channels/new/?kind=pigeon").status_code == 404


def test_a_web_form_has_its_own_settings(login: Any, administrator: Any, queue: Any) -> None:
    client = login(administrator)
    page = client.get("/desk/channels/new/?kind=webform").content.decode()
    assert "Topics to choose from" in page
    assert "IMAP server" not in page
    client.post(
        "/desk/channels/new/",
        {"kind": "webform", "name": "Form", "queue": queue.pk, "language": "en", "active": "on", "settings-topics": "Delivery", "settings-guests": "on"},
    )  # fmt: skip
    channel = Channel.objects.get()
    assert (channel.kind, channel.settings) == ("webform", {"guests": True, "topics": "Delivery"})


def test_the_test_says_in_words_what_is_wrong(login: Any, administrator: Any, queue: Any) -> None:
    client, port = login(administrator), free_port()
    channel = make(client, queue, settings={"imap_port": str(port), "imap_security": "none"})
    page = client.post(f"/desk/channels/{channel.pk}/test/", follow=True).content.decode()
    assert "127.0.0.1" in page
    assert str(port) in page
    assert "No SMTP server is set" in page
    assert SECRET not in page
    again = client.get(f"/desk/channels/{channel.pk}/").content.decode()
    assert "No SMTP server is set" not in again


def test_pause_and_resume(login: Any, administrator: Any, channel: Any) -> None:
    client = login(administrator)
    client.post(f"/desk/channels/{channel.pk}/pause/")
    channel.refresh_from_db()
    assert not channel.active
    assert "This channel is paused" in client.get(f"/desk/channels/{channel.pk}/").content.decode()
    client.post(f"/desk/channels/{channel.pk}/resume/")
    channel.refresh_from_db()
    assert channel.active


def test_a_channel_with_mail_is_not_deleted(login: Any, administrator: Any, channel: Any) -> None:
    from tests import factories

    factories.RawMessageFactory(channel=channel)
    page = login(administrator).post(f"/desk/channels/delete/{channel.pk}/", follow=True).content.decode()
    assert "is still in use and cannot be deleted." in page
    assert Channel.objects.filter(pk=channel.pk).exists()


@pytest.mark.parametrize("role", ["supervisor", "agent"])
def test_only_administrators_connect(
    role: str, request: pytest.FixtureRequest, login: Any, queue: Any, channel: Any
) -> None:
    client = login(request.getfixturevalue(role))
    before = Channel.objects.values().get()
    for path in ("new/", f"edit/{channel.pk}/", f"{channel.pk}/test/", f"{channel.pk}/pause/", f"delete/{channel.pk}/"):
        assert client.post(f"/desk/channels/{path}", body(queue=queue.pk))["Location"] == "/desk/"
    assert Channel.objects.values().get() == before


@pytest.mark.parametrize(
    ("kind", "settings", "address", "stored"),
    [
        ("fax", {"region": "DE"}, "040 / 555 199", "+4940555199"),
        ("fax", {"region": "DE"}, "0049 40 555199", "+4940555199"),
        (
            "phone",
            {"region": "DE", "callback_minutes": 60, "callback_slot": 15, "callback_parallel": 2},
            "040 555100",
            "+4940555100",
        ),
    ],
)
def test_a_number_is_stored_in_one_spelling(
    login: Any, administrator: Any, queue: Any, kind: str, settings: dict[str, Any], address: str, stored: str
) -> None:
    client = login(administrator)
    fields = {"kind": kind, "name": "Line", "queue": queue.pk, "language": "en", "active": "on"}
    fields |= {f"settings-{name}": value for name, value in settings.items()}
    refused = client.post("/desk/channels/new/", {**fields, "address": "ring us"}).context["form"]
    assert "address" in refused.errors and not Channel.objects.exists()
    further = {"aliases": "+49 (40) 555-200\nfax@gateway.example"} if kind == "fax" else {}
    client.post("/desk/channels/new/", {**fields, "address": address, **further})
    channel = Channel.objects.get()
    assert channel.address == stored
    assert channel.aliases == (["+4940555200", "fax@gateway.example"] if kind == "fax" else [])


def test_each_kind_asks_for_what_it_has(login: Any, administrator: Any) -> None:
    client = login(administrator)
    asked = {
        kind: {"address", "aliases", "display_name"}
        & set(client.get(f"/desk/channels/new/?kind={kind}").context["form"].fields)
        for kind in ("email", "fax", "phone", "chat", "webform")
    }
    assert asked == {
        "email": {"address", "aliases", "display_name"},
        "fax": {"address", "aliases", "display_name"},
        "phone": {"address"},
        "chat": set(),
        "webform": set(),
    }
    assert "Mail to any of them" not in client.get("/desk/channels/new/?kind=fax").content.decode()


def test_what_concerns_the_mailbox_of_a_fax_gateway_stands_together(login: Any, administrator: Any) -> None:
    form = login(administrator).get("/desk/channels/new/?kind=fax").context["form"]
    parts = {str(title): [bound.name for bound in bounds] for title, _help, bounds in form.layout()}
    assert parts["Fax"] == ["region"]
    assert {"auth", "imap_host", "imap_password", "oauth_client_id", "tls_ca"} <= set(parts["Mailbox of the gateway"])
    assert {"in_folder", "in_gateway", "in_ocr"} <= set(parts["Receiving"])


def test_a_channel_without_a_listener_works_once_something_came_in(
    login, administrator, queue, django_capture_on_commit_callbacks
):
    phone = factories.ChannelFactory(name="Phone", kind="phone", address="+4940555100", queue=queue)
    desk = login(administrator)
    assert "Not tried yet" in desk.get(f"/desk/channels/{phone.pk}/").content.decode()
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as clock:
        with django_capture_on_commit_callbacks(execute=True):
            accept(phone, b"{}")
        phone.refresh_from_db()
        assert (phone.receiving_health, phone.receiving_at) == ("good", now)
        clock.shift(timedelta(seconds=30))
        with CaptureQueriesContext(connection) as asked:
            channel_health.heard(phone)
        assert not asked.captured_queries, "a crowd writes once a minute"
        clock.shift(timedelta(seconds=60))
        with django_capture_on_commit_callbacks(execute=True):
            accept(phone, b"{ }")
        phone.refresh_from_db()
        assert phone.receiving_at == now + timedelta(seconds=90)
    page = desk.get(f"/desk/channels/{phone.pk}/").content.decode()
    assert "Not tried yet" not in page and "Working" in page
    assert "Sending" not in desk.get("/desk/").content.decode().split("Phone</a>")[1].split("</li>")[0]


def test_a_message_does_not_hide_what_the_listener_says(queue, django_capture_on_commit_callbacks):
    fax = factories.ChannelFactory(name="Fax", kind="fax", queue=queue, receiving_health="trouble", receiving_note="no")
    with django_capture_on_commit_callbacks(execute=True):
        accept(fax, b"x")
    fax.refresh_from_db()
    assert (fax.receiving_health, fax.receiving_note) == ("trouble", "no")
