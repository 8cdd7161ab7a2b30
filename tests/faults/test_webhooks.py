"""A process that is killed while it calls a webhook: the target hears of it at least once, under one id (R-29)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from inbox.models import WebhookCall
from inbox.services import webhooks
from tests import factories
from tests.conftest import child_environment
from tests.faults.nursery import Nursery
from tests.faults.test_kill_points import CALLING
from tests.inbox.wires.loops import until
from tests.servers.https_server import HttpsServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsServer]:
    found = HttpsServer(tmp_path_factory.mktemp("https"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def callers(server: HttpsServer, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Nursery]:
    """Processes that trust the server's certificate and may call this machine."""
    trusted: Path = tmp_path_factory.mktemp("trust") / "authority.pem"
    trusted.write_text(server.authority.pem)
    made = Nursery({**child_environment(), "SSL_CERT_FILE": str(trusted), "OUTBOUND_PRIVATE_HOSTS": "localhost"})
    yield made
    made.close()


@pytest.mark.parametrize("point", CALLING)
def test_killed_while_calling(callers: Nursery, server: HttpsServer, point: str) -> None:
    server.requests.clear()
    call = webhooks.new_call(factories.WebhookFactory(url=server.url), "test", {})
    call.save()
    victim = callers.start("work", fault=f"{point}=kill")
    assert callers.death(victim) == -9
    heard = len(server.requests)
    assert heard == (1 if point == "webhook.answered" else 0)
    WebhookCall.objects.update(lease_until=timezone.now())  # the minute of the lease is over
    successor = callers.start("work")
    until(lambda: WebhookCall.objects.get().state == WebhookCall.State.DONE)
    assert {headers["webhook-id"] for headers, _body in server.requests} == {call.event_id}
    assert len(server.requests) == heard + 1
    callers.end(successor)
    callers.clear()
