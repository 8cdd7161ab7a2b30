"""What telephone systems send over real HTTP, and what is refused (S-89, R-28)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import time_machine
from django.test import Client
from zammad_cti import CTIClient

from core.models import Hit
from inbox.calls.door import BODY_MOST, signature
from inbox.models import Call, Channel, Message, RawMessage
from inbox.services import call_tokens, calls
from tests import factories
from tests.inbox.calls.conftest import NUMBER, TOKEN, only_call

RECORDED = Path(__file__).parent / "asterisk.txt"
EVENT = {"event": "newCall", "callId": "1", "from": "493055571600", "to": "4940555100", "direction": "in"}


@pytest.fixture
def address(site: str, phone: Channel) -> str:
    return f"{site}/api/v1/cti/{TOKEN}"


def nothing_kept(channel: Channel, refusals: int) -> None:
    assert not Call.objects.exists() and not RawMessage.objects.exists() and not Message.objects.exists()
    assert call_tokens.refusals(channel) == refusals


def test_the_client_of_other_peoples_bridges(address: str, caller: Any, lena: Any, post: Callable[[], None]) -> None:
    """`py-zammad-cti`, as it is on the package index, drives a whole call."""
    bridge = CTIClient(url=address)
    call: dict[str, Any] = {"_from": "493055571600", "to": "4940555100", "direction": "in", "call_id": "asterisk-1"}
    assert bridge.new_call(**call, user=["Lena Berg", "Somebody Else"], queue="hotline") == {}
    assert bridge.answer(**call, answering_number="21", user="Lena Berg") == {}
    assert bridge.hangup(**call, cause="normalClearing", answering_number="21") == {}
    post()
    found = only_call()
    assert (found.state, found.agent, found.contact, found.queue_sent) == ("ended", lena, caller, "hotline")
    assert found.ticket.assignee == lena


def test_a_recorded_run_of_asterisk_through_the_client(
    address: str, caller: Any, lena: Any, post: Callable[[], None]
) -> None:
    """Manager events of three calls, turned into reports by the rules of asterisk-zammad-cti-bridge."""
    bridge = CTIClient(url=address)
    for block in RECORDED.read_text().split("\n\n"):
        event = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        call: dict[str, Any] = {"_from": event.get("CallerIDNum"), "to": event.get("Queue"), "direction": "in"}
        call["call_id"] = event.get("Uniqueid")
        if event.get("Event") == "QueueCallerJoin":
            bridge.new_call(**call, queue=event["Queue"])
        elif event.get("Event") == "AgentConnect":
            bridge.answer(**call, user=event["MemberName"].removeprefix("SIP/"))
        elif event.get("Event") == "AgentComplete":
            bridge.hangup(**call, cause="normalClearing")
        elif event.get("Event") == "QueueCallerAbandon":
            bridge.hangup(**call, cause="cancel")
    post()
    found = Call.objects.order_by("id").values_list("call_id", "state", "number", "line", "agent__name", "queue_sent")
    assert list(found) == [
        ("1772458200.41", "ended", NUMBER, "support", "Lena Berg", "support"),
        ("1772458320.57", "missed", "+4930222333", "support", None, "support"),
        ("1772458400.63", "missed", "", "support", None, "support"),
    ]
    assert Message.objects.filter(kind="call").count() == 3


def test_every_way_in_which_bridges_send(address: str, lena: Any) -> None:
    both = ["Lena Berg", "Bob"]
    pairs = [*EVENT.items(), *(("user[]", name) for name in both)]
    ways: dict[str, dict[str, Any]] = {
        "json": {"json": {**EVENT, "user": both}},
        "json with one user": {"json": {**EVENT, "user": "Lena Berg"}},
        "json with user[]": {"json": {**EVENT, "user[]": both}},
        "form": {"data": {**EVENT, "user[]": both}},
        "form with user": {"data": {**EVENT, "user": both}},
        "multipart": {"files": [(name, (None, each)) for name, each in pairs]},
    }
    for way, sent in ways.items():
        response = httpx.post(address, timeout=60, **sent)
        assert (response.status_code, response.json()) == (200, {}), way
        assert list(only_call().rang.all()) == [lena], way
        Call.objects.all().delete()


def test_the_same_event_five_times_at_once(
    address: str, caller: Any, post: Callable[[], None], django_db_blocker: Any
) -> None:
    statuses: list[int] = []
    for event in ("newCall", "answer", "hangup"):
        body = {**EVENT, "event": event, "cause": "normalClearing"}
        gate = threading.Barrier(5)

        def send(body: dict[str, str] = body, gate: threading.Barrier = gate) -> None:
            gate.wait()
            statuses.append(httpx.post(address, data=body, timeout=60).status_code)

        threads = [threading.Thread(target=send) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 15
    post()
    assert (only_call().state, RawMessage.objects.count(), Message.objects.count()) == ("ended", 1, 1)


@pytest.mark.parametrize("broken", ["hand_over", "tell"])
@pytest.mark.django_db
def test_a_report_that_failed_on_our_side_leaves_nothing_and_is_taken_when_it_comes_again(
    phone: Channel, caller: Any, post: Callable[[], None], monkeypatch: Any, broken: str
) -> None:
    client, address = Client(raise_request_exception=False), f"/api/v1/cti/{TOKEN}"
    assert client.post(address, EVENT).status_code == 200
    end = {**EVENT, "event": "hangup", "cause": "cancel"}
    module = calls.call_journal if broken == "hand_over" else calls.ringing
    with monkeypatch.context() as patched:
        patched.setattr(module, broken, Mock(side_effect=OSError("no space")))
        assert client.post(address, end).status_code == 500
    assert (only_call().state, RawMessage.objects.count()) == ("ringing", 0)
    for _ in range(2):
        assert client.post(address, end).status_code == 200
    post()
    assert (only_call().state, RawMessage.objects.count(), Message.objects.count()) == ("missed", 1, 1)


@pytest.mark.django_db
class TestRefusals:
    """What is refused leaves a number in a counter, and nothing else."""

    def test_a_wrong_token(self, phone: Channel, client: Client) -> None:
        for token in ("wrong", TOKEN + "x", TOKEN[:-1], "x" * 5000):
            response = client.post(f"/api/v1/cti/{token}", EVENT)
            assert (response.status_code, set(response.json())) == (401, {"error"})
        nothing_kept(phone, 0)
        assert Hit.objects.get().count == 4

    def test_a_token_of_a_channel_that_rests_or_got_another(self, phone: Channel, client: Client) -> None:
        new = call_tokens.renew(phone)
        assert client.post(f"/api/v1/cti/{TOKEN}", EVENT).status_code == 401
        Channel.objects.update(active=False)
        assert client.post(f"/api/v1/cti/{new}", EVENT).status_code == 401
        nothing_kept(phone, 0)
        Channel.objects.update(active=True)
        assert client.post(f"/api/v1/cti/{new}", EVENT).status_code == 200

    def test_a_channel_without_a_token_is_open_to_nobody(self, queue: Any, client: Client) -> None:
        factories.ChannelFactory(name="Bare", kind="phone", queue=queue)
        for token in ("-", "None", "%20"):
            assert client.post(f"/api/v1/cti/{token}", EVENT).status_code == 401

    def test_tokens_are_not_tried_out(self, phone: Channel, client: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr("inbox.calls.door.REFUSED_PER_MINUTE", 2)
        statuses = [client.post("/api/v1/cti/wrong", EVENT).status_code for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert client.post(f"/api/v1/cti/{TOKEN}", EVENT).status_code == 200

    def test_more_events_than_a_telephone_system_has(self, phone: Channel, client: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr("inbox.calls.door.PER_SECOND", 3)
        with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
            answers = [client.post(f"/api/v1/cti/{TOKEN}", EVENT) for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert answers[-1]["Retry-After"] == "1"

    def test_a_body_of_ten_megabytes(self, phone: Channel, client: Client) -> None:
        sent = json.dumps({**EVENT, "queue": "x" * 10_000_000})
        assert client.post(f"/api/v1/cti/{TOKEN}", sent, content_type="application/json").status_code == 413
        nothing_kept(phone, 1)
        just = json.dumps({**EVENT, "pad": "x" * (BODY_MOST - 200)})
        assert client.post(f"/api/v1/cti/{TOKEN}", just, content_type="application/json").status_code == 200

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/x-json"])
    def test_a_wrong_content_type(self, phone: Channel, client: Client, kind: str) -> None:
        response = client.post(f"/api/v1/cti/{TOKEN}", json.dumps(EVENT), content_type=kind)
        assert response.status_code == 400
        nothing_kept(phone, 1)

    @pytest.mark.parametrize(
        "body", ["{", "[]", "null", '"text"', "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass"), b"\x00\xff"]
    )
    def test_what_is_no_json_object(self, phone: Channel, client: Client, body: Any) -> None:
        response = client.post(f"/api/v1/cti/{TOKEN}", body, content_type="application/json")
        assert response.status_code == 422
        nothing_kept(phone, 1)

    @pytest.mark.parametrize(
        "change",
        [
            {"event": "transfer"},
            {"event": ["newCall"] * 0},
            {"direction": "sideways"},
            {"direction": ""},
            {"callId": ""},
            {"callId": "x" * 251},
            {"callId": {"a": 1}},
            {"at": "yesterday"},
            {"at": "2026-03-02T12:00:00"},
        ],
    )
    def test_what_is_no_event(self, phone: Channel, client: Client, change: dict[str, Any]) -> None:
        response = client.post(f"/api/v1/cti/{TOKEN}", json.dumps({**EVENT, **change}), content_type="application/json")
        assert response.status_code == 422 and response.json()["error"]
        nothing_kept(phone, 1)

    def test_other_methods(self, phone: Channel, client: Client) -> None:
        for method in ("get", "put", "delete", "head"):
            assert getattr(client, method)(f"/api/v1/cti/{TOKEN}").status_code == 405
        nothing_kept(phone, 0)

    def test_no_cookie_and_no_csrf_token_are_asked_for(self, phone: Channel) -> None:
        assert Client(enforce_csrf_checks=True).post(f"/api/v1/cti/{TOKEN}", EVENT).status_code == 200


@pytest.mark.django_db
class TestSignatures:
    """X-Guichet-Signature: HMAC-SHA256 over the time and the raw body, with a secret of the channel (S-89)."""

    SECRET = "a secret of sixteen signs"

    @pytest.fixture(autouse=True)
    def signed(self, phone: Channel) -> None:
        phone.set_secrets({"hmac_secret": self.SECRET})
        phone.save()

    def send(self, client: Client, given: str | None, body: str = "") -> int:
        headers = {"X-Guichet-Signature": given} if given is not None else {}
        sent = body or json.dumps(EVENT)
        return client.post(f"/api/v1/cti/{TOKEN}", sent, content_type="application/json", headers=headers).status_code

    def test_a_good_one(self, client: Client) -> None:
        assert self.send(client, signature(self.SECRET, int(time.time()), json.dumps(EVENT).encode())) == 200
        assert Call.objects.count() == 1

    def test_form_bodies_are_signed_as_they_are(self, client: Client) -> None:
        body = "event=newCall&callId=1&direction=in&from=493055571600&to=1&user[]=A"
        given = signature(self.SECRET, int(time.time()), body.encode())
        response = client.post(
            f"/api/v1/cti/{TOKEN}",
            body,
            content_type="application/x-www-form-urlencoded",
            headers={"X-Guichet-Signature": given},
        )
        assert response.status_code == 200

    @pytest.mark.parametrize("age", [-400, 301, 86_400])
    def test_one_that_is_old_or_from_the_future(self, client: Client, phone: Channel, age: int) -> None:
        stamp = int(time.time()) - age
        assert self.send(client, signature(self.SECRET, stamp, json.dumps(EVENT).encode())) == 401
        nothing_kept(phone, 1)

    def test_an_altered_body_or_time_another_secret_and_nonsense(self, client: Client, phone: Channel) -> None:
        now, body = int(time.time()), json.dumps(EVENT).encode()
        good = signature(self.SECRET, now, body)
        other = factories.ChannelFactory(name="Other", kind="phone", queue=phone.queue)
        other.set_secrets({"hmac_secret": "another secret of sixteen"})
        wrong = [
            signature(self.SECRET, now, body + b" "),
            good.replace(f"t={now}", f"t={now + 1}"),
            signature("another secret of sixteen", now, body),
            good[:-1],
            good.upper(),
            "",
            "t=,v1=",
            f"t={'9' * 30},v1=00",
            "t=²,v1=x",
            None,
        ]
        assert [self.send(client, given) for given in wrong] == [401] * len(wrong)
        nothing_kept(phone, len(wrong))
