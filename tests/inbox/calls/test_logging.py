"""What a colleague writes down by hand: with whom, when, and on which ticket."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from crm.service.models import Ticket
from inbox.models import Call
from tests.inbox.calls.conftest import NUMBER, log_form

pytestmark = pytest.mark.django_db


def log(desk: Client, query: str = "", **changed: Any) -> Call:
    """Keep one and give it back."""
    answer = desk.post("/desk/calls/new/", log_form(desk, query, **changed))
    assert answer.status_code == 302, answer.context["form"].errors
    return Call.objects.select_related("ticket", "contact").latest("id")


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
