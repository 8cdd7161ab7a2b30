"""A telephone channel, its people and its reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from crm.customers.models import ContactPoint
from inbox.models import Call, Channel
from inbox.services import call_tokens
from inbox.services.processing import process_waiting
from tests import factories

TOKEN = "a-token-of-the-telephone-system"
NUMBER = "+493055571600"


@pytest.fixture
def hours(db: None) -> Any:
    return factories.BusinessHoursFactory()


@pytest.fixture
def phone(queue: Any, hours: Any) -> Channel:
    """The channel that telephone systems report to with `TOKEN`; its queue works from nine to five in Berlin."""
    queue.hours = hours
    queue.save()
    settings = {"region": "DE", "callback_minutes": 60, "recording_hosts": "recordings.example.com"}
    made = factories.ChannelFactory(name="Phone", kind="phone", address="+4940555100", queue=queue, settings=settings)
    call_tokens.renew(made, TOKEN)
    return made


@pytest.fixture
def lena(queue: Any) -> Any:
    """An agent of the queue with extension 21."""
    user = factories.StaffFactory(name="Lena Berg", email="lena@guichet.test", role="agent", extension="21")
    factories.QueueMemberFactory(queue=queue, user=user)
    return user


@pytest.fixture
def desk(login: Any, lena: Any) -> Client:
    """Lena, signed in."""
    return login(lena)


@pytest.fixture
def caller(contact: Any) -> Any:
    """Anna, who is also reached by telephone."""
    factories.PointFactory(contact=contact, kind=ContactPoint.Kind.PHONE, value=NUMBER)
    return contact


Report = Callable[..., Any]


@pytest.fixture
def report(phone: Channel, client: Client) -> Report:
    """Report an event as a telephone system does; the numbers of a usual incoming call are given."""

    def send(event: str, call: str = "call-1", *, status: int = 200, **fields: Any) -> Any:
        usual = {"from": "493055571600", "to": "4940555100", "direction": "in"}
        sent = {"event": event, "callId": call, **usual, **fields}
        response = client.post(f"/api/v1/cti/{TOKEN}", {k: v for k, v in sent.items() if v is not None})
        assert response.status_code == status, response.content
        if status == 200:
            assert response.json() == {}
        return response

    return send


@pytest.fixture
def post() -> Callable[[], None]:
    """Take everything that waits in the journal to its ticket."""

    def work() -> None:
        while process_waiting():
            pass

    return work


def only_call() -> Call:
    return Call.objects.select_related("ticket", "message", "contact", "agent").get()


def log_form(desk: Client, query: str = "", **changed: Any) -> dict[str, Any]:
    """What the form would send, with some of it changed."""
    form = desk.get(f"/desk/calls/new/{query}").context["form"]
    contact = desk.get(f"/desk/calls/new/{query}").context["contact"]
    usual = {
        "what": "call-out",
        "who": form["who"].value() or "",
        "contact": contact.pk if contact else "",
        "ticket": form["ticket"].value() or "",
        "reached": "on",
        "key": form["key"].value(),
        "note": "Talked about the valve.",
    }
    return {**usual, **changed}
