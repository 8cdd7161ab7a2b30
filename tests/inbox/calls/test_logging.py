"""What a colleague writes down by hand: with whom, when, and on which ticket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm.customers.models import Contact
from crm.planning.models import Task
from crm.service.models import Ticket
from inbox.models import Call
from tests import factories
from tests.inbox.calls.conftest import NUMBER, log_form

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def log(desk: Client, query: str = "", **changed: Any) -> Call:
    """Keep one and give it back."""
    answer = desk.post("/desk/calls/new/", log_form(desk, query, **changed))
    assert answer.status_code == 302, answer.context["form"].errors
    return Call.objects.select_related("ticket", "contact").latest("id")


# With whom


@pytest.mark.parametrize("text", ["anna", "schmidt anna", "ANNA SCHMIDT", "kaffeehaus"])
def test_a_name_that_fits_one_person_is_that_person(desk: Client, phone: Any, caller: Any, text: str) -> None:
    call = log(desk, who=text)
    assert (call.contact, call.number) == (caller, NUMBER)
    assert Contact.objects.count() == 1


def test_a_whole_name_is_not_whoever_is_called_almost_so(desk: Client, phone: Any, caller: Any) -> None:
    factories.ContactFactory(name="Anna Schmidtke")
    assert log(desk, who="anna schmidt").contact == caller


def test_the_middle_of_a_name_is_another_name(desk: Client, phone: Any, caller: Any) -> None:
    joanna = factories.ContactFactory(name="Joanna Berg")
    assert log(desk, who="Ann Berg").contact != joanna


def test_a_name_that_fits_several_people_asks_which(desk: Client, phone: Any, caller: Any) -> None:
    berg = factories.ContactFactory(name="Anna Berg")
    sent = log_form(desk, who="anna")
    answer = desk.post("/desk/calls/new/", sent)
    assert answer.status_code == 422
    said = "Several people fit: Anna Berg, Anna Schmidt. Choose whom you mean."
    assert answer.context["form"].errors == {"who": [said]}
    assert "Talked about the valve." in answer.content.decode()
    assert not Call.objects.exists() and Contact.objects.count() == 2
    assert log(desk, who="anna", contact=berg.pk).contact == berg


def test_a_name_that_fits_nobody_is_somebody_new(desk: Client, phone: Any, caller: Any) -> None:
    assert log(desk, who="Cleo New").contact.name == "Cleo New"
    assert log(desk, who="anna", name="Anna").contact.name == "Anna", "who says so makes a second Anna"
    assert Contact.objects.count() == 3


def test_only_people_whom_the_colleague_may_see_are_meant(
    desk: Client, phone: Any, caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(Contact.objects.all()), "visible_to", lambda rows, _user: rows.none())
    call = log(desk, who="anna")
    assert call.contact.name == "anna" and call.contact != caller


# The ticket


@pytest.mark.parametrize("what", ["visit", "letter-in", "letter-out"])
def test_a_letter_and_a_visit_open_their_own_ticket(desk: Client, phone: Any, caller: Any, what: str) -> None:
    called = log(desk, who=NUMBER)
    again = log(desk, who=NUMBER)
    other = log(desk, f"?contact={caller.pk}", what=what)
    assert called.ticket == again.ticket != other.ticket
    assert Ticket.objects.count() == 2


def test_a_letter_goes_to_the_ticket_that_was_chosen(desk: Client, phone: Any, caller: Any, ticket: Any) -> None:
    log(desk, who=NUMBER)
    assert log(desk, f"?ticket={ticket.number}", what="letter-in").ticket == ticket


# When it was


@time_machine.travel(MONDAY, tick=False)
@pytest.mark.parametrize("what", ["call-out", "visit", "letter-in"])
def test_what_was_yesterday_is_written_down_as_of_yesterday(
    desk: Client, phone: Any, caller: Any, lena: Any, what: str
) -> None:
    lena.time_zone = "Asia/Shanghai"
    lena.save()
    call = log(desk, f"?contact={caller.pk}", what=what, at="2026-03-01T14:30", minutes="45")
    assert call.started_at == datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
    length = None if what == "letter-in" else 45 * 60
    assert call.talk_seconds == length
    assert call.ended_at == call.started_at + timedelta(seconds=length or 0)
    page = desk.get(f"/desk/inbox/{call.ticket.number}/").content.decode()
    assert "1 Mar 2026, 14:30" in page


@time_machine.travel(MONDAY, tick=False)
def test_without_a_time_it_was_just_now(desk: Client, phone: Any, caller: Any) -> None:
    call = log(desk, f"?contact={caller.pk}", what="visit", at="", minutes="45")
    assert (call.started_at, call.ended_at) == (MONDAY - timedelta(minutes=45), MONDAY)
    assert not call.is_told_late


@time_machine.travel(MONDAY, tick=False)
@pytest.mark.parametrize("at", ["2026-03-02T12:00", "2012-03-02T12:00", "0001-01-01T00:00", "yesterday"])
def test_a_time_that_cannot_be(desk: Client, phone: Any, caller: Any, at: str) -> None:
    answer = desk.post("/desk/calls/new/", log_form(desk, f"?contact={caller.pk}", at=at))
    assert answer.status_code == 422 and set(answer.context["form"].errors) == {"at"}
    assert not Call.objects.exists()


def test_a_talk_of_yesterday_answers_no_call_of_today(desk: Client, phone: Any, caller: Any) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        log(desk, what="call-in", who=NUMBER, reached="")
        clock.shift(timedelta(minutes=10))
        log(desk, who=NUMBER, at="2026-03-01T12:00")
        assert Task.objects.get().state == Task.State.OPEN
        log(desk, who=NUMBER)
    assert Task.objects.get().state == Task.State.DONE
