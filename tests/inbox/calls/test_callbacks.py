"""Call-backs that visitors ask for (S-50): times in business hours, one slot for one visitor, a ticket that says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from crm.customers import consent
from crm.planning.models import Appointment
from crm.service.models import Ticket
from inbox.models import Message
from inbox.services import callbacks
from tests import factories
from tests.inbox.calls.conftest import NUMBER

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 3, 6, 15, 20, tzinfo=UTC)
"""16:20 in Berlin; the queue closes at five."""
BERLIN = ZoneInfo("Europe/Berlin")


def ask(channel: Any, **changed: Any) -> Appointment:
    usual = {"contact": None, "name": "Cleo", "phone": "030 222 333", "at": None, "topic": "The invoice"}
    return callbacks.request_callback(channel, **{**usual, **changed})


def local(at: datetime) -> str:
    return at.astimezone(BERLIN).strftime("%a %H:%M")


def test_proposals_are_free_times_in_business_hours(phone: Any) -> None:
    assert [local(at) for at in callbacks.proposals(phone, FRIDAY, most=4)] == [
        "Mon 09:00",
        "Mon 09:30",
        "Mon 10:00",
        "Mon 10:30",
    ], "half past four is too soon, and at five nobody is here"
    assert local(callbacks.proposals(phone, FRIDAY - timedelta(hours=1), most=1)[0]) == "Fri 16:00"
    assert len(callbacks.proposals(phone, FRIDAY)) == 24


def test_a_queue_that_never_opens_proposes_nothing(phone: Any) -> None:
    phone.queue.hours = factories.BusinessHoursFactory(shifts=[])
    phone.queue.save()
    assert callbacks.proposals(phone, FRIDAY) == []
    with pytest.raises(callbacks.CallbackRefused):
        ask(phone)
    assert not Ticket.objects.exists() and not Appointment.objects.exists()


@time_machine.travel(FRIDAY, tick=False)
def test_a_request_is_an_appointment_and_a_ticket(phone: Any, caller: Any) -> None:
    appointment = ask(phone, phone="030 555 716 00", topic="The valve <b>leaks</b>")
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.origin, ticket.subject) == (caller, "phone", "Call-back: The valve <b>leaks</b>")
    assert ticket.waiting_since is not None
    message = Message.objects.get()
    assert (message.kind, message.text, message.contact) == ("inbound", "The valve <b>leaks</b>", caller)
    assert (appointment.contact, appointment.queue, appointment.phone) == (caller, phone.queue, NUMBER)
    assert (appointment.kind, appointment.source, appointment.reference) == (
        "call-back",
        "portal",
        f"ticket:{ticket.pk}",
    )
    assert (local(appointment.starts_at), appointment.ends_at - appointment.starts_at) == (
        "Mon 09:00",
        timedelta(minutes=15),
    )


@time_machine.travel(FRIDAY, tick=False)
def test_a_full_slot_goes_to_nobody_else(phone: Any) -> None:
    monday = datetime(2026, 3, 9, 10, 0, tzinfo=BERLIN)
    times = [ask(phone, phone=f"030 2223{n:02}", at=monday) for n in range(5)]
    assert [local(each.starts_at) for each in times] == ["Mon 10:00"] * 2 + ["Mon 10:30"] * 2 + ["Mon 11:00"]


@time_machine.travel(FRIDAY, tick=False)
@pytest.mark.parametrize(
    ("at", "agreed"),
    [
        (datetime(2026, 3, 9, 10, 5, tzinfo=BERLIN), "Mon 10:05"),
        (datetime(2026, 3, 8, 10, 0, tzinfo=BERLIN), "Mon 09:00"),
        (datetime(2026, 3, 9, 16, 50, tzinfo=BERLIN), "Tue 09:00"),
    ],
)
def test_another_time_than_the_proposed_is_moved_into_business_hours(phone: Any, at: datetime, agreed: str) -> None:
    assert local(ask(phone, at=at).starts_at) == agreed


@time_machine.travel(FRIDAY, tick=False)
def test_the_same_request_again_is_the_same_appointment(phone: Any) -> None:
    first, second = ask(phone, key="abc"), ask(phone, key="abc")
    assert first == second
    assert Ticket.objects.count() == Appointment.objects.count() == Message.objects.count() == 1


@time_machine.travel(FRIDAY, tick=False)
@pytest.mark.parametrize(
    "changed",
    [
        {"phone": "12"},
        {"phone": "javascript:alert(1)"},
        {"phone": ""},
        {"at": FRIDAY - timedelta(days=1)},
        {"at": FRIDAY + timedelta(days=15)},
        {"phone": NUMBER},
    ],
)
def test_what_is_refused_leaves_nothing(phone: Any, changed: dict[str, Any]) -> None:
    consent.refuse_calls(NUMBER, by=None)
    with pytest.raises(callbacks.CallbackRefused):
        ask(phone, **changed)
    assert not Ticket.objects.exists() and not Appointment.objects.exists()


class TestPage:
    """The page works without a script."""

    @pytest.fixture(autouse=True)
    def channel(self, phone: Any) -> None:
        self.phone = phone

    def send(self, client: Client, **changed: str) -> Any:
        usual = {"name": "Cleo", "phone": "030 222 333", "at": "", "topic": "The invoice"}
        return client.post("/callback/", {**usual, **changed})

    def test_a_guest_is_told_when_we_call(self, client: Client) -> None:
        with time_machine.travel(FRIDAY, tick=False):
            times = client.get("/callback/").context["form"].fields["at"].choices
            assert times[1][0] == "Monday, 9 March" and times[1][1][0][1] == "09:00"
            answer = self.send(client, at=times[1][1][2][0])
            assert answer.url == "/callback/agreed/"
            assert b"Monday, 9 March, 10:00" in client.get(answer.url).content
            assert b"Monday" not in client.get(answer.url).content, "shown once"
        assert Appointment.objects.get().contact.name == "Cleo"

    def test_the_moment_is_written_as_the_guest_writes_it(self, client: Client) -> None:
        client.cookies["django_language"] = "zh-hans"
        with time_machine.travel(FRIDAY, tick=False):
            times = client.get("/callback/").context["form"].fields["at"].choices
            answer = self.send(client, at=times[1][1][2][0])
            assert "3月9日 星期一 10:00" in client.get(answer.url).content.decode()

    def test_somebody_signed_in_is_known(self, login: Any, customer_user: Any, contact: Any) -> None:
        type(contact).objects.filter(user=customer_user).update(user=None)
        type(contact).objects.filter(pk=contact.pk).update(user=customer_user)
        client = login(customer_user)
        assert client.get("/callback/").context["form"].initial["name"] == "Anna Schmidt"
        self.send(client)
        assert Appointment.objects.get().contact == contact
        ticket = Ticket.objects.get()
        assert b"The invoice" in client.get(f"/my/tickets/{ticket.number}/").content

    def test_a_guest_never_speaks_for_a_signed_in_customer_beyond_his_number(self, client: Client, caller: Any) -> None:
        self.send(client, phone=NUMBER, name="Mallory")
        assert Ticket.objects.get().contact == caller, "as a call from that number would"
        assert caller.points.count() == 2 and type(caller).objects.get(pk=caller.pk).name == "Anna Schmidt"

    @pytest.mark.parametrize(
        "changed", [{"phone": "12"}, {"name": ""}, {"at": "2026-03-09T10:00:00"}, {"topic": "x" * 501}]
    )
    def test_what_is_wrong_is_said_at_its_field(self, client: Client, changed: dict[str, str]) -> None:
        answer = self.send(client, **changed)
        assert answer.status_code == 400 and set(answer.context["form"].errors) == set(changed)
        assert not Appointment.objects.exists()

    def test_scripts_get_nothing(self, client: Client) -> None:
        assert self.send(client, website="x").status_code == 302
        assert not Appointment.objects.exists() and not Ticket.objects.exists()

    def test_nobody_has_a_number_called_all_day(self, client: Client) -> None:
        statuses = [self.send(client, phone=phone).status_code for phone in ("030 222 333", "+4930222333") * 2]
        assert statuses == [302, 302, 302, 429]

    def test_one_network_asks_a_few_times(self, client: Client) -> None:
        statuses = [self.send(client, phone=f"030 2223{n:02}").status_code for n in range(7)]
        assert statuses[:5] == [302] * 5 and statuses[-1] == 429

    def test_without_a_telephone_there_is_no_page(self, client: Client) -> None:
        type(self.phone).objects.update(active=False)
        assert client.get("/callback/").status_code == 503
        assert b"/callback/" not in client.get("/").content
