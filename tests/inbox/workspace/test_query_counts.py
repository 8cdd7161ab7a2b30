"""How many statements the pages of the workspace need: pinned, whatever is in the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inbox import search
from inbox.models import SavedView, TicketSeen
from tests import factories

pytestmark = pytest.mark.django_db
PINNED = json.loads((Path(settings.BASE_DIR) / "tests" / "query_counts.json").read_text())
MOST = 15
FIRST = "inbox: ticket page, first time after a while"


def fill(queue, agent, tickets: int, messages: int):
    """Tickets with everything that a page shows."""
    made = []
    for n in range(tickets):
        customer = factories.CustomerFactory()
        contact = factories.ContactFactory(customer=customer, email=f"p{n}-of-{tickets}@customer.test")
        ticket = factories.TicketFactory(
            queue=queue, contact=contact, customer=customer, assignee=agent, subject="leak"
        )
        ticket.tags.create(name=f"tag {n} of {tickets}")
        for m in range(messages):
            message = factories.MessageFactory(ticket=ticket, kind="inbound" if m % 2 else "outbound")
            factories.AttachmentFactory(message=message, content=b"x")
            if m % 2 == 0:
                factories.DeliveryFactory(message=message)
        made.append(ticket)
    while search.index_waiting():
        pass
    return made


def pages(ticket) -> dict[str, tuple[str, dict[str, str]]]:
    inbox, htmx = reverse("inbox:list"), {"HTTP_HX_REQUEST": "true"}
    return {
        "inbox: list": (inbox + "?view=open", {}),
        "inbox: search": (inbox + "?q=leak", {}),
        "inbox: saved view": (inbox + f"?view=saved-{SavedView.objects.get().pk}", {}),
        "inbox: rows": (reverse("inbox:rows") + "?view=mine", htmx),
        "inbox: counts": (reverse("inbox:counts"), htmx),
        "inbox: ticket page": (reverse("inbox:ticket", args=[ticket.number]), {}),
        FIRST: (reverse("inbox:ticket", args=[ticket.number]), {}),
        "inbox: ticket fragment": (reverse("inbox:ticket", args=[ticket.number]), htmx),
        "inbox: changes of a ticket": (reverse("inbox:after", args=[ticket.number, 1]), htmx),
        "inbox: customer": (reverse("inbox:about", args=[ticket.number]), htmx),
    }


def count(client, agent, ticket) -> dict[str, int]:
    found = {}
    for name, (url, headers) in pages(ticket).items():
        client.get(url, **headers)  # what is kept for a while is loaded, and the ticket is seen
        if name == FIRST:
            TicketSeen.objects.all().delete()
            session = client.session
            session["seen_at"] -= 1000
            session.save()
        with CaptureQueriesContext(connection) as statements:
            assert client.get(url, **headers).status_code == 200
        found[name] = sum("SAVEPOINT" not in statement["sql"] for statement in statements.captured_queries)
    return found


def test_pages_need_as_many_statements_as_pinned(login, agent, queue, channel):
    SavedView.objects.create(name="Leaks", user=agent, filters={"status": ["new"]})
    client = login(agent)
    few = fill(queue, agent, 2, 2)
    small = count(client, agent, few[0])
    many = fill(queue, agent, 20, 6)
    large = count(client, agent, many[0])
    assert small == {name: PINNED[name] for name in small}
    assert large == {
        **small,
        # Two matches are asked of the index; a page full of them is found by walking the list.
        "inbox: search": small["inbox: search"] - 1,
        # Deliveries are asked for where something was answered after what the page has.
        "inbox: changes of a ticket": small["inbox: changes of a ticket"] + 1,
    }
    assert max(large.values()) <= MOST
