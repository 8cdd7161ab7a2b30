"""Two tickets that became one, on the desk."""

from __future__ import annotations

import pytest

from crm.service.models import Ticket, TicketMerge
from inbox.models import Delivery
from tests import factories
from tests.inbox.workspace.test_tickets import HTMX, bulk, do, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login, agent, channel):
    return login(agent)


def test_merge_moves_everything_and_can_be_undone(desk, ticket, queue, contact):
    other = factories.TicketFactory(queue=queue, contact=contact, subject="The other")
    message = factories.MessageFactory(ticket=other, text="From the other")
    response = do(desk, other, "merge", f"#{ticket.number}")
    merge = TicketMerge.objects.get()
    assert (response.status_code, response.headers["X-Ticket"]) == (204, str(ticket.number))
    assert response.headers["X-Merge"] == str(merge.pk)
    message.refresh_from_db()
    assert message.ticket == ticket
    moved_to = desk.get(url("ticket", other))
    assert (moved_to.status_code, moved_to.url) == (302, url("ticket", ticket))
    assert "From the other" in desk.get(url("ticket", ticket)).content.decode()
    assert "The other" in desk.get(url("about", ticket)).content.decode()
    assert do(desk, ticket, "merge", str(other.number)).status_code == 422
    assert desk.post(url("unmerge", ticket, merge.pk), **HTMX).status_code == 200
    message.refresh_from_db()
    assert message.ticket == other
    assert Ticket.objects.get(pk=other.pk).status == "new"
    assert desk.post(url("unmerge", ticket, merge.pk), **HTMX).status_code == 404


def test_a_page_of_a_merged_ticket_leads_to_where_it_went(desk, ticket, queue, other_queue):
    other, hidden = factories.TicketFactory(queue=queue), factories.TicketFactory(queue=other_queue)
    do(desk, other, "merge", str(ticket.number))
    refused = [
        do(desk, other, "status", "open"),
        do(desk, other, "tag", "x"),
        desk.post(url("reply", other), {"text": "Hello", "seen": "9"}, **HTMX),
        desk.post(url("note", other), {"text": "Hello"}, **HTMX),
    ]
    for response in refused:
        assert (response.status_code, response.headers["X-Ticket"]) == (422, str(ticket.number))
        assert f"This ticket was merged into #{ticket.number}." in response.content.decode()
        assert f'href="{url("ticket", ticket)}"' in response.content.decode()
    assert f"merged into #{ticket.number}" in bulk(desk, "status", "open", other.number).content.decode()
    other.refresh_from_db()
    assert (other.status, other.merged_into, Delivery.objects.count()) == ("merged", ticket, 0)
    Ticket.objects.filter(pk=other.pk).update(merged_into=hidden)
    foreign = do(desk, other, "status", "open")
    assert foreign.status_code == 422 and "X-Ticket" not in foreign.headers
    assert str(hidden.number) not in foreign.content.decode()
