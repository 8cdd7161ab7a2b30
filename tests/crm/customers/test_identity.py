"""Addresses made comparable, and two contacts known as one person (S-38, S-45)."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers import identity
from crm.customers.models import Contact, ContactPoint
from crm.service.models import Ticket
from tests import factories


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Anna@Customer.TEST", "anna@customer.test"),
        (" anna@customer.test ", "anna@customer.test"),
        ("anna@bücher.test", "anna@xn--bcher-kva.test"),
        ("ａｎｎａ@customer.test", "anna@customer.test"),
        ("anna@customer.test.", "anna@customer.test"),
        ("a b@customer.test", ""),
        ("anna\u202e@customer.test", ""),
        ("anna", ""),
        ("@customer.test", ""),
        ("anna@", ""),
        ("a@b@c.test>", ""),
        ('"Anna"@customer.test', "anna@customer.test"),
        ('"taro..y."@phone.test', "taro..y.@phone.test"),
        ('"anna@customer.test"@evil.test', ""),
        ('"a b"@customer.test', ""),
        ('""@customer.test', ""),
        ('"@customer.test', ""),
    ],
)
def test_one_spelling_for_one_mailbox(written: str, normal: str) -> None:
    assert identity.normalise_email(written) == normal


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("+86 138-0013-8000", "", "+8613800138000"),
        ("0086 13800138000", "CN", "+8613800138000"),
        ("030 1234567", "DE", "+49301234567"),
    ],
)
def test_one_spelling_for_one_number(written: str, region: str, normal: str) -> None:
    assert identity.normalise("phone", written, region) == normal


def test_nonsense_is_no_address() -> None:
    for kind, value in (("phone", "hello"), ("email", "hello"), ("fax", "12")):
        with pytest.raises(identity.AddressInvalid):
            identity.normalise(kind, value)


def test_a_contact_is_made_once(db: None) -> None:
    one = identity.contact_for("email", "Anna@Customer.test", "Anna")
    two = identity.contact_for("email", "anna@customer.test", "Somebody else")
    assert one == two and Contact.objects.count() == 1 and two.name == "Anna"


def test_linking_two_contacts_and_undoing_it(queue: Any, supervisor: Any) -> None:
    kept, other = identity.contact_for("email", "a@x.test"), identity.contact_for("email", "b@x.test")
    ticket = factories.TicketFactory(queue=queue, contact=other)
    link = identity.link(kept, other, by=supervisor)
    assert identity.contact_for("email", "b@x.test") == kept
    assert Ticket.objects.get().contact == kept
    later = factories.TicketFactory(queue=queue, contact=kept)
    identity.unlink(link, by=supervisor)
    assert identity.contact_for("email", "b@x.test") == other
    assert (Ticket.objects.get(pk=ticket.pk).contact, Ticket.objects.get(pk=later.pk).contact) == (other, kept)
    identity.unlink(link, by=supervisor)


def test_two_people_with_a_login_each_are_not_one(db: None) -> None:
    one, two = (factories.ContactFactory(user=factories.UserFactory()) for _ in range(2))
    with pytest.raises(identity.LinkImpossible):
        identity.link(one, two, by=None)
    with pytest.raises(identity.LinkImpossible):
        identity.link(one, one, by=None)


def test_a_proven_address_opens_its_tickets_and_nothing_before(queue: Any) -> None:
    contact = identity.contact_for("email", "anna@x.test", "Anna")
    ticket = factories.TicketFactory(queue=queue, contact=contact)
    user = factories.UserFactory(email="anna@x.test")
    assert not Ticket.objects.visible_to(user).exists()
    assert identity.claim_for_user(user, "Anna@x.test") == contact
    assert list(Ticket.objects.visible_to(user)) == [ticket]
    assert ContactPoint.objects.get().verified_at is not None


def test_a_second_proven_address_brings_its_tickets(queue: Any) -> None:
    user = factories.UserFactory(email="anna@x.test")
    identity.claim_for_user(user, "anna@x.test")
    second = factories.TicketFactory(queue=queue, contact=identity.contact_for("email", "anna@work.test"))
    identity.claim_for_user(user, "anna@work.test")
    assert list(Ticket.objects.visible_to(user)) == [second]


def test_an_address_of_somebody_with_a_login_is_not_taken_over(queue: Any) -> None:
    owner, thief = factories.UserFactory(email="anna@x.test"), factories.UserFactory(email="eve@x.test")
    contact = identity.claim_for_user(owner, "anna@x.test")
    ticket = factories.TicketFactory(queue=queue, contact=contact)
    identity.claim_for_user(thief, "eve@x.test")
    identity.claim_for_user(thief, "anna@x.test")
    assert list(Ticket.objects.visible_to(owner)) == [ticket] and not Ticket.objects.visible_to(thief).exists()


@pytest.mark.parametrize(("known", "new"), [("phone", "fax"), ("fax", "phone")])
def test_a_number_is_one_persons_whether_it_is_called_or_faxed(db: None, known: str, new: str) -> None:
    anna = identity.contact_for(known, "+494012345678", "Anna")
    assert identity.contact_for(new, "+494012345678") == anna
    assert {point.kind for point in anna.points.all()} == {"phone", "fax"}
    assert identity.contact_for(new, "+494012345679") != anna


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Jo Meyer", "Jo Meyer"),
        ("support@bank.test", ""),
        ("Bank (support@bank.test)", ""),
        ("\u200bsupport\u200b@bank.test", ""),
        ("JO@shop.test", "JO@shop.test"),
        ("Jo via jo@shop.test", "Jo via jo@shop.test"),
        ("R@D team @ home", "R@D team @ home"),
    ],
)
def test_a_name_that_passes_for_the_address_of_somebody_else_is_none(name, called):
    """S-15: lists show the name alone."""
    assert identity.name_of(name, "jo@shop.test") == called
