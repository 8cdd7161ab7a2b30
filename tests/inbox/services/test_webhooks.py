"""Programs of others are told at least once, by stable ids, signed; one that fails holds up no other (R-29)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from crm.organisation.models import Notification
from crm.service.models import Ticket
from inbox.models import Channel, Webhook, WebhookCall
from inbox.services import accept, processing, replies, webhooks
from tests import factories
from tests.inbox.wires.loops import until
from tests.servers.https_server import HttpsServer

pytestmark = pytest.mark.django_db
State = WebhookCall.State


@pytest.fixture
def server(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    found = HttpsServer(tmp_path)
    trusted = tmp_path / "authority.pem"
    trusted.write_text(found.authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    yield found
    found.close()


@pytest.fixture
def webhook(server: HttpsServer) -> Webhook:
    return factories.WebhookFactory(name="Shop", url=server.url)


def rule(webhook: Webhook, **fields: Any) -> None:
    factories.RuleFactory(actions=[{"action": "call_webhook", "webhook": str(webhook.pk)}], **fields)


def mail(channel: Channel, number: int = 1) -> None:
    content = f"From: Anna <anna@customer.test>\r\nSubject: Leak\r\nMessage-ID: <m{number}@x.test>\r\n\r\nIt leaks.\r\n"
    processing.process(accept.accept(channel, content.encode(), external_id=str(number)))


def turn() -> WebhookCall:
    """One attempt at what is due."""
    (call,) = webhooks.ledger.claim(WebhookCall.objects.filter(state=State.QUEUED), limit=1, seconds=60)
    webhooks.record(call, webhooks.call_once(call))
    return WebhookCall.objects.get(pk=call.pk)


def test_a_rule_tells_the_program(webhook: Webhook, server: HttpsServer, channel: Channel) -> None:
    rule(webhook)
    mail(channel)
    call = turn()
    assert (call.state, call.code, call.error) == (State.DONE, 200, "")
    ticket = Ticket.objects.get()
    ((headers, body),) = server.requests
    told = json.loads(body)
    assert told["type"] == "message.received" and told["data"]["ticket"]["number"] == ticket.number
    assert (
        told["data"]["ticket"] | {"subject": "Leak", "queue": "Support", "channel": "email"} == told["data"]["ticket"]
    )
    assert told["data"]["message"] == {
        "sequence": ticket.messages.get().seq,
        "from": "anna@customer.test",
        "language": "en",
    }
    key = base64.b64decode(webhook.secret().removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-id"] == call.event_id and abs(int(headers["webhook-timestamp"]) - time.time()) < 30


def test_words_are_sent_where_that_was_chosen_and_notes_never(
    webhook: Webhook, server: HttpsServer, channel: Channel, agent: Any
) -> None:
    Webhook.objects.update(with_text=True)
    rule(webhook)
    rule(webhook, event="ticket.changed")
    mail(channel)
    assert turn().data["message"]["text"] == "It leaks."
    ticket = Ticket.objects.get()
    replies.add_note(ticket, author=agent, text="He never pays.")
    replies.reply(ticket, author=agent, text="Close the valve.", status="pending")
    calls = WebhookCall.objects.filter(state=State.QUEUED)
    assert [call.event for call in calls] == ["ticket.changed"] and "message" not in calls[0].data
    assert "never pays" not in json.dumps(list(WebhookCall.objects.values_list("data", flat=True)))


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        ((500, {}, b"no"), (40, 80)),
        ((302, {"Location": "https://localhost/elsewhere"}, b""), (40, 80)),
        ((429, {"Retry-After": "600"}, b""), (590, 610)),
        ((503, {"Retry-After": "999999999999"}, b""), (86_390, 86_410)),
        ((429, {"Retry-After": "soon"}, b""), (40, 80)),
    ],
)
def test_a_refusal_is_tried_again_later_under_the_same_id(
    webhook: Webhook, server: HttpsServer, answer: Any, wait: tuple[int, int]
) -> None:
    webhooks.new_call(webhook, "test", {}).save()
    server.answer = answer
    call = turn()
    assert (call.state, call.code, call.attempts) == (State.QUEUED, answer[0], 1)
    assert wait[0] < (call.next_at - timezone.now()).total_seconds() < wait[1]
    webhook.refresh_from_db()
    assert webhook.failing_since and not webhook.stopped_at
    server.answer = (204, {}, b"")
    WebhookCall.objects.update(next_at=timezone.now())
    call = turn()
    webhook.refresh_from_db()
    assert (call.state, call.attempts, webhook.failing_since) == (State.DONE, 2, None)
    first, *_others, last = server.requests
    assert first[0]["webhook-id"] == last[0]["webhook-id"] and first[1] == last[1]


def test_what_is_no_public_https_address_is_not_called(webhook: Webhook, settings: Any) -> None:
    settings.OUTBOUND_PRIVATE_HOSTS = []
    webhooks.new_call(webhook, "test", {}).save()
    call = turn()
    assert (call.state, call.code) == (State.QUEUED, 0) and "public internet" in call.error


@pytest.mark.parametrize("url", ["https://localhost:99999/", f"https://{'ü' * 63}.example.com/"])
def test_an_address_that_cannot_be_is_a_failed_attempt(webhook: Webhook, url: str) -> None:
    Webhook.objects.update(url=url)
    webhooks.new_call(webhook, "test", {}).save()
    call = turn()
    assert (call.state, call.attempts, call.lease_token) == (State.QUEUED, 1, "") and call.error
    webhook.refresh_from_db()
    assert webhook.failing_since


def test_a_program_that_is_gone_for_days_is_given_up_and_told(
    webhook: Webhook, server: HttpsServer, administrator: Any, supervisor: Any
) -> None:
    server.answer = (500, {}, b"")
    webhooks.new_call(webhook, "test", {}).save()
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
    turn()
    webhook.refresh_from_db()
    assert webhook.stopped_at
    told = Notification.objects.get()
    assert (told.user, "Shop" in told.text, told.url) == (administrator, True, f"/desk/webhooks/{webhook.pk}/")
    server.answer = (200, {}, b"")
    webhooks.start_again(webhook, by=administrator)
    assert turn().state == State.DONE
    webhook.refresh_from_db()
    assert (webhook.stopped_at, webhook.failing_since) == (None, None)


def test_gone_is_gone_at_once(webhook: Webhook, server: HttpsServer, administrator: Any) -> None:
    server.answer = (410, {}, b"")
    webhooks.new_call(webhook, "test", {}).save()
    assert turn().state == State.FAILED
    webhook.refresh_from_db()
    assert webhook.stopped_at and Notification.objects.get().user == administrator


def test_a_call_is_given_up_after_days(webhook: Webhook, server: HttpsServer) -> None:
    server.answer = (500, {}, b"")
    call = webhooks.new_call(webhook, "test", {})
    call.created_at = timezone.now() - timedelta(days=5, minutes=1)
    call.save()
    assert turn().state == State.FAILED


@pytest.mark.django_db(transaction=True)
def test_one_that_hangs_holds_up_no_other(webhook: Webhook, server: HttpsServer) -> None:
    # A port that takes connections and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as mute:
        deaf = factories.WebhookFactory(name="Deaf", url=f"https://localhost:{mute.getsockname()[1]}/")
        for _n in range(4):
            webhooks.new_call(deaf, "test", {}).save()
        for _n in range(3):
            webhooks.new_call(webhook, "test", {}).save()
        stopping = threading.Event()
        loop = threading.Thread(target=webhooks.CallingLoop.run, args=(stopping,), daemon=True)
        loop.start()
        try:
            until(lambda: WebhookCall.objects.filter(webhook=webhook, state=State.DONE).count() == 3)
            assert not WebhookCall.objects.filter(webhook=deaf, state=State.DONE).exists()
            assert WebhookCall.objects.filter(webhook=deaf, attempts=1).count() == webhooks.AT_ONCE_A_WEBHOOK
        finally:
            stopping.set()
            mute.close()
            loop.join(5)


def test_what_ended_long_ago_is_forgotten(webhook: Webhook) -> None:
    for state in State:
        call = webhooks.new_call(webhook, "test", {})
        call.state, call.created_at = state, timezone.now() - timedelta(days=31)
        call.save()
    assert webhooks.forget_ended() == 2
    assert WebhookCall.objects.get().state == State.QUEUED


class TestScreens:
    def test_a_secret_is_shown_once(self, login: Any, administrator: Any) -> None:
        desk = login(administrator)
        answer = desk.post("/desk/webhooks/new/", {"name": "Shop", "url": "https://shop.example.com/", "active": "on"})
        webhook = Webhook.objects.get()
        assert answer["Location"] == f"/desk/webhooks/{webhook.pk}/"
        assert webhook.secret() not in webhook.sealed
        assert webhook.secret() in desk.get(answer["Location"]).content.decode()
        assert webhook.secret() not in desk.get(answer["Location"]).content.decode()
        before = webhook.secret()
        desk.post(f"/desk/webhooks/{webhook.pk}/secret/")
        webhook.refresh_from_db()
        assert webhook.secret() not in ("", before)
        assert webhook.secret() in desk.get(answer["Location"]).content.decode()

    @pytest.mark.parametrize(
        "url", ["http://shop.example.com/", "https://user:word@shop.example.com/", "file:///etc/passwd"]
    )
    def test_only_plain_https(self, login: Any, administrator: Any, url: str) -> None:
        assert login(administrator).post("/desk/webhooks/new/", {"name": "Shop", "url": url}).status_code == 200
        assert not Webhook.objects.exists()

    @pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "localhost", "169.254.169.254:8443"])
    def test_an_address_in_a_private_network_is_told_when_it_is_saved(
        self, login: Any, administrator: Any, settings: Any, host: str
    ) -> None:
        desk = login(administrator)
        form = {"name": "Shop", "url": f"https://{host}/hook", "active": "on"}
        page = desk.post("/desk/webhooks/new/", form).content.decode()
        assert "belongs to a private network" in page and not Webhook.objects.exists()
        settings.OUTBOUND_PRIVATE_HOSTS = [host.partition(":8443")[0].strip("[]")]
        assert desk.post("/desk/webhooks/new/", form).status_code == 302

    def test_a_test_is_queued_and_shown(
        self, login: Any, administrator: Any, webhook: Webhook, server: HttpsServer
    ) -> None:
        desk = login(administrator)
        desk.post(f"/desk/webhooks/{webhook.pk}/test/")
        server.answer = (500, {}, b"<b>secret stack</b>")
        call = turn()
        assert call.data == {"by": administrator.email}
        page = desk.get(f"/desk/webhooks/{webhook.pk}/").content.decode()
        assert "500" in page and "secret stack" not in page


def test_its_page_says_how_it_does_and_what_to_do_next(login: Any, administrator: Any, webhook: Webhook) -> None:
    client = login(administrator)
    page = f"/desk/webhooks/{webhook.pk}/"
    call = webhooks.new_call(webhook, "test", {"by": "<b>"})
    call.error, call.attempts = "gaierror: [Errno -2] Name or service not known", 1
    call.save()
    Webhook.objects.update(failing_since=timezone.now())
    shown = client.get(page).content.decode()
    assert "There is no server of this name." in shown and f"{page}test/" in shown and "&lt;b&gt;" in shown
    Webhook.objects.update(stopped_at=timezone.now())
    shown = client.get(page).content.decode()
    assert f"{page}start/" in shown and f"{page}test/" not in shown  # a test of it would wait with the rest
    Webhook.objects.update(active=False)
    shown = client.get(page).content.decode()
    assert "This webhook is switched off" in shown and f"{page}test/" not in shown
    assert "Switched off" in client.get("/desk/webhooks/").content.decode()


def test_the_rule_editor_says_when_there_is_no_webhook_yet(login: Any, supervisor: Any) -> None:
    client = login(supervisor)
    chosen = {"name": "Tell", "event": "message.received", "line": ["e", "a1"], "a1-action": "call_webhook"}
    shown = client.post("/desk/rules/new/", {**chosen, "do": "refresh"}).content.decode()
    assert "There is nothing to choose yet." in shown
    factories.WebhookFactory(name="Shop")
    shown = client.post("/desk/rules/new/", {**chosen, "do": "refresh"}).content.decode()
    assert "There is nothing to choose yet." not in shown and "Shop" in shown
