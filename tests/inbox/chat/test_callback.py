"""A visitor asks to be called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm.planning.models import Appointment
from crm.service.models import Ticket
from inbox.channels.chat import callback_views
from tests import factories
from tests.inbox.chat.conftest import Browser

pytestmark = pytest.mark.django_db
ID = "8f14e45f-ceea-467f-9575-1c2d3e4f5a6{}"


def test_without_a_telephone_there_is_no_call(chat: Any) -> None:
    browser = Browser(chat)
    assert browser.welcome["can"]["callback"] is False
    assert browser.ask("GET", "callback").json()["code"] == "closed"
    assert browser.post("callback", id=ID.format(1), name="A", phone="+4930123456").json()["code"] == "closed"


def test_who_chats_with_him_learns_of_it(chat: Any, queue: Any) -> None:
    factories.ChannelFactory(kind="phone", address="", queue=queue, settings={"region": "DE"})
    browser = Browser(chat)
    browser.say("Hello")
    ticket, before = Ticket.objects.get(), Ticket.objects.get().sequence
    given = {"id": ID.format(1), "name": "Anna", "phone": "030 901820"}
    for _again in range(2):
        assert browser.post("callback", **given).status_code == 200
    note = ticket.messages.get(kind="note")
    agreed = timezone.localtime(Appointment.objects.get().starts_at)
    assert note.text == f"Wants to be called at +49 30 901820 on {agreed:%-d %b %Y, %H:%M}."
    assert (note.from_name, note.seq > before) == ("Anna", True)
    assert [event["kind"] for event in browser.events()["events"]] == ["said"], "his own page does not show it"


def test_a_call_becomes_one_appointment(chat: Any, queue: Any, monkeypatch: Any) -> None:
    factories.ChannelFactory(kind="phone", address="", queue=queue, settings={"region": "DE"})
    browser = Browser(chat)
    assert browser.welcome["can"]["callback"] is True
    times = browser.ask("GET", "callback").json()["times"]
    assert len(times) > 3
    given = {"name": "Anna", "phone": "030 901820", "at": times[2], "topic": "My order"}
    agreed = browser.post("callback", id=ID.format(1), **given)
    assert (agreed.status_code, agreed.json()) == (200, {"at": times[2]})
    assert browser.post("callback", id=ID.format(1), **given).json() == agreed.json()
    appointment = Appointment.objects.get()
    assert (appointment.phone, appointment.source) == ("+4930901820", Appointment.Source.WIDGET)
    for wrong in ({"phone": "no number"}, {"at": "tomorrow"}, {"at": "2030-01-01T10:00:00"}, {"at": 5}, {"phone": ""}):
        assert browser.post("callback", id=ID.format(2), **{**given, **wrong}).json()["code"] in ("invalid", "too-many")
    late = (timezone.now() + timedelta(days=90)).isoformat()
    monkeypatch.setattr(callback_views, "OF_VISITOR", 100)
    assert browser.post("callback", id=ID.format(3), **{**given, "at": late}).json()["code"] == "invalid"
    monkeypatch.setattr(callback_views, "OF_VISITOR", 1)
    assert browser.post("callback", id=ID.format(4), **given).json()["code"] == "too-many"
    assert Appointment.objects.count() == 1
