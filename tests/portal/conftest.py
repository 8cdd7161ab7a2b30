"""People and tickets of the portal's tests."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers.models import Contact
from inbox.models import Channel, Message
from tests import factories


def person(name: str, address: str, **contact: Any) -> Any:
    """A user with a proved address, and the contact that goes with it."""
    user = factories.UserFactory(email=address, name=name, language="en")
    made = factories.ContactFactory(name=name, user=user, **contact)
    factories.PointFactory(contact=made, value=address, verified=True)
    return user


@pytest.fixture
def form_channel(queue: Any) -> Channel:
    """The portal's form, open for guests."""
    return factories.ChannelFactory(
        name="Form", kind="webform", address="", queue=queue, settings={"guests": True, "topics": "Delivery\nInvoice"}
    )


@pytest.fixture
def company(db: None) -> Any:
    return factories.CustomerFactory(name="Kaffeehaus Schmidt")


@pytest.fixture
def anna(company: Any) -> Any:
    return person("Anna Schmidt", "anna@schmidt.test", customer=company)


@pytest.fixture
def colleague(company: Any) -> Any:
    """Somebody else of Anna's company."""
    return person("Ben Schmidt", "ben@schmidt.test", customer=company)


@pytest.fixture
def stranger(db: None) -> Any:
    return person("Xaver Fremd", "xaver@elsewhere.test", customer=factories.CustomerFactory(name="Elsewhere"))


@pytest.fixture
def annas(anna: Any, queue: Any, form_channel: Channel) -> Any:
    """Anna's ticket: her message, an answer, a note, and a stranger's mail that is hidden."""
    contact = Contact.objects.get(user=anna)
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject="The machine leaks")
    author = factories.StaffFactory(name="Jonas Weber", email="jonas@guichet.test", role="agent")
    factories.MessageFactory(ticket=ticket, contact=contact, text="Water runs out below.")
    factories.MessageFactory(
        ticket=ticket, kind=Message.Kind.OUTBOUND, author=author, from_name="Jonas Weber", text="Turn the valve."
    )
    factories.MessageFactory(ticket=ticket, kind=Message.Kind.INBOUND, text="Your code is 991177", hidden=True)
    factories.MessageFactory(ticket=ticket, kind=Message.Kind.NOTE, author=author, text="He is a difficult one")
    return ticket
