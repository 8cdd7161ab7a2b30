"""/healthz, /readyz and /metrics tell how it goes, and nothing about anybody (S-34)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from inbox.models import Delivery
from portal import health
from tests import factories

pytestmark = pytest.mark.django_db


def test_alive(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]
    assert client.post("/healthz").status_code == 405


def test_ready_means_database_and_storage(client, settings, tmp_path):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "storage": True})
    assert not list(Path(settings.MEDIA_ROOT).glob(".ready*"))
    (tmp_path / "file").write_text("")
    settings.MEDIA_ROOT = str(tmp_path / "file")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "storage": False})


def numbers(client, **headers):
    answer = client.get("/metrics", **headers)
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def test_numbers_of_the_queues(client, settings):
    settings.DEMO = True
    channel = factories.ChannelFactory(name="Secret name", sending_health="paused", receiving_health="good")
    factories.RawMessageFactory(channel=channel, received_at=timezone.now() - timedelta(seconds=90))
    factories.RawMessageFactory(channel=channel, state="dead")
    factories.RawMessageFactory(channel=channel, state="done")
    factories.DeliveryFactory(channel=channel, state=Delivery.State.UNCERTAIN)
    found = numbers(client)
    assert found['guichet_received{state="stored"}'] == "1.0"
    assert found['guichet_received{state="dead"}'] == "1.0"
    assert 89 < float(found["guichet_received_oldest_seconds"]) < 120
    assert found['guichet_deliveries{state="uncertain"}'] == "1.0"
    assert found["guichet_deliveries_oldest_seconds"] == "0.0"
    assert found[f'guichet_channel_healthy{{channel="{channel.pk}",direction="in"}}'] == "1.0"
    assert found[f'guichet_channel_healthy{{channel="{channel.pk}",direction="out"}}'] == "0.0"
    text = client.get("/metrics").content.decode()
    assert not re.search(r"Secret name|@|customer\.test", text)


def test_numbers_are_not_for_strangers(client, settings):
    assert client.get("/metrics").status_code == 404
    settings.DEMO = True
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404
    assert client.get("/metrics").status_code == 200
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert numbers(client, headers={"Authorization": "Bearer t0ken"}, REMOTE_ADDR="192.0.2.7")


@pytest.mark.parametrize("path", ["/", "/my/tickets/", "/desk/inbox/", "/accounts/login/"])
def test_pages_without_the_database_say_come_again(path, login, agent):
    """R-33: 503 for whoever comes meanwhile, people and programs, and all is as before when it is back."""

    def gone(*_anything):
        raise OperationalError("server closed the connection unexpectedly")

    client = login(agent)
    client.raise_request_exception = False
    before = client.get(path).status_code
    with connection.execute_wrapper(gone):
        for asked in (client.get(path), client.post(path, {"login": "a@b.test", "password": "x"})):
            assert (asked.status_code, asked.get("Retry-After")) == (503, "10")
            assert "try again" in asked.content.decode()
    assert client.get(path).status_code == before


def test_any_other_fault_is_500(client, monkeypatch):
    monkeypatch.setattr(health, "_good", lambda _check: 1 / 0)
    client.raise_request_exception = False
    answer = client.get("/readyz")
    assert (answer.status_code, "Retry-After" in answer) == (500, False)
