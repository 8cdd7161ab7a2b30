"""Whom we may call, and that a refusal holds whatever becomes of the contact."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers import consent, identity
from crm.customers.models import RefusedNumber
from tests import factories

NUMBER = "+494012345678"


@pytest.fixture
def anna(contact: Any) -> Any:
    factories.PointFactory(contact=contact, kind="phone", value=NUMBER)
    return contact


def test_a_refusal_is_set_and_taken_back(anna: Any, agent: Any, supervisor: Any) -> None:
    assert consent.may_call(NUMBER) == ""
    consent.refuse_calls("+49 (40) 1234 5678", by=agent, reason="asked on the phone")
    consent.refuse_calls(NUMBER, by=supervisor)
    assert consent.may_call(NUMBER) == "Wants no calls: asked on the phone"
    consent.allow_calls("0049 40 12345678".replace("0049", "+49"), by=supervisor, reason="signed again")
    consent.allow_calls(NUMBER, by=supervisor)
    assert consent.may_call(NUMBER) == ""
    assert list(anna.timeline.order_by("id").values_list("kind", "title", "actor__name")) == [
        ("calls.refused", f"{NUMBER} asked on the phone", "Agent"),
        ("calls.allowed", f"{NUMBER} signed again", "Supervisor"),
    ]


def test_it_outlives_the_contact(anna: Any, agent: Any) -> None:
    consent.refuse_calls(NUMBER, by=agent)
    anna.points.all().delete()
    assert consent.may_call(NUMBER) == "Wants no calls."
    again = identity.contact_for("phone", NUMBER, "Somebody else")
    assert consent.may_call(again.points.get().value) == "Wants no calls."
    assert RefusedNumber.objects.count() == 1


def test_a_blocked_customer_is_not_called(anna: Any) -> None:
    anna.customer.status = "blocked"
    anna.customer.save()
    assert consent.may_call(NUMBER) == "Kaffeehaus Schmidt is blocked."
    other = factories.ContactFactory(customer=anna.customer)
    factories.PointFactory(contact=other, kind="fax", value="+494087654321")
    assert consent.may_call("+494087654321") == "Kaffeehaus Schmidt is blocked."
    assert consent.may_call("+4930111111") == ""


@pytest.mark.parametrize("number", ["", "anonymous", "123", "4940123", "+49 40 1", "+٤٩", "sip:a@b", "+4940;ext=1"])
def test_what_is_no_number_is_not_called(db: None, number: str) -> None:
    assert consent.may_call(number) == "No telephone number."


def test_many_are_asked_with_two_statements(anna: Any, agent: Any, django_assert_num_queries: Any) -> None:
    consent.refuse_calls(NUMBER, by=agent)
    with django_assert_num_queries(2):
        found = consent.refusals([NUMBER, "+4930111111", "x", *(f"+4940{n}" for n in range(1000000, 1000300))])
    assert found == {NUMBER: "Wants no calls.", "x": "No telephone number."}
