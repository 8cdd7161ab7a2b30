"""Who reaches which address of the workspace. Every name must stand in the table (S-26)."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from crm.service.models import TicketMerge
from inbox.models import Delivery, Message, SavedView
from inbox.workspace.urls import urlpatterns
from tests import factories

pytestmark = pytest.mark.django_db

COMMON = {
    "list": ("get", {}),
    "rows": ("get", {}),
    "panes": ("get", {}),
    "counts": ("get", {}),
    "compose": ("get", {}),
    "find": ("get", {"q": "leaks"}),
    "people": ("get", {}),
    "choices": ("get", {}),
    "shortcuts": ("get", {}),
    "save_view": ("post", {"name": "Mine", "query": "view=open"}),
    "bulk": ("post", {"deed": "priority", "value": "4"}),
    "chats": ("get", {}),
    "chat_lines": ("get", {}),
    "chat_state": ("get", {}),
    "presence": ("post", {"state": "away"}),
    "duty": ("get", {}),
}
"""Addresses without a record in them, and what is sent there."""
OF_TICKETS = {
    "ticket": ("get", {}, 200),
    "after": ("get", {}, 200),
    "before": ("get", {}, 200),
    "about": ("get", {}, 200),
    "why": ("get", {}, 200),
    "reply": ("post", {"text": "Hello", "seen": "99"}, 302),
    "note": ("post", {"text": "Hello"}, 302),
    "texts": ("get", {}, 200),
    "do": ("post", {"value": "4"}, 302),
    "split": ("post", {}, 404),
    "unmerge": ("post", {}, 302),
    "retry": ("post", {}, 302),
    "call_off": ("post", {}, 422),
    "frame": ("get", {}, 200),
    "download": ("get", {}, 200),
    "preview": ("get", {}, 404),
    "look": ("get", {}, 200),
    "ways": ("get", {}, 200),
    # This ticket is no chat and no fax: to whoever sees it they are not there either.
    "fax_preview": ("post", {"text": "Hello"}, 404),
    "chat": ("get", {}, 404),
    "chat_after": ("get", {}, 404),
    "chat_say": ("post", {"text": "Hello"}, 404),
    "chat_act": ("post", {}, 404),
    "fax": ("get", {}, 404),
    "fax_viewer": ("get", {}, 404),
    "fax_turn": ("post", {}, 404),
    "fax_page": ("get", {}, 404),
}
"""Addresses of one ticket, and the answer to a colleague who sees it."""
OWN = {"delete_view"}


def addresses(ticket) -> dict[str, str]:
    message = ticket.messages.first()
    sent = factories.MessageFactory(ticket=ticket, kind=Message.Kind.OUTBOUND)
    delivery = factories.DeliveryFactory(message=sent, state=Delivery.State.FAILED)
    file = factories.AttachmentFactory(message=message, name="a.txt", content=b"text", content_type="text/plain")
    source = factories.TicketFactory(queue=ticket.queue, contact=ticket.contact, status="merged", merged_into=ticket)
    merge = TicketMerge.objects.create(
        source=source, target=ticket, moved={"messages": [], "status": "open", "participants": []}
    )
    more = {
        "after": [0],
        "before": [99],
        "texts": ["canned"],
        "do": ["priority"],
        "unmerge": [merge.pk],
        "retry": [delivery.pk],
        "call_off": [delivery.pk],
        "chat_after": [0],
        "chat_act": ["end"],
    }
    found = {}
    for name in OF_TICKETS:
        if name in ("frame", "fax", "fax_viewer", "fax_turn", "fax_page"):
            found[name] = reverse(f"inbox:{name}", args=[message.pk])
        elif name in ("download", "preview", "look"):
            found[name] = reverse(f"inbox:{name}", args=[file.pk])
        else:
            found[name] = reverse(f"inbox:{name}", args=[ticket.number, *more.get(name, [])])
    return found


def common(name: str) -> str:
    return reverse(f"inbox:{name}", args=["queues"] if name == "choices" else [])


def test_every_address_is_in_the_table():
    assert {pattern.name for pattern in urlpatterns} == {*COMMON, *OF_TICKETS, *OWN}


def ask(client, method, url, data) -> int:
    response = getattr(client, method)(url, data)
    if response.streaming:
        for close in response._resource_closers:  # close() of the response would close the test's connection too
            close()
    return response.status_code


@pytest.mark.parametrize("name", COMMON)
def test_common_addresses(name, client, login, agent, marketer, editor, customer_user, ticket):
    method, data = COMMON[name]
    assert ask(client, method, common(name), data) == 302
    for nobody in (customer_user, marketer, editor):
        assert ask(login(nobody), method, common(name), data) in (302, 404), nobody
    expected = {"save_view": 302, "bulk": 302, "duty": 404}.get(name, 200)
    assert ask(login(agent), method, common(name), data) == expected


@pytest.mark.parametrize("name", OF_TICKETS)
def test_addresses_of_a_ticket(name, client, login, channel, agent, supervisor, marketer, customer_user, ticket):
    method, data, expected = OF_TICKETS[name]
    stranger = factories.StaffFactory(role="agent")
    factories.QueueMemberFactory(queue=factories.QueueFactory(), user=stranger)
    gone = factories.StaffFactory(role="agent")
    factories.QueueMemberFactory(queue=ticket.queue, user=gone)
    url = addresses(ticket)[name]
    assert ask(client, method, url, data) == 302
    before = list(ticket.messages.values_list("pk", flat=True)), ticket.events.count()
    for nobody in (customer_user, marketer, stranger):
        assert ask(login(nobody), method, url, data) in (302, 404)
    login(gone)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    assert ask(client, method, url, data) == 302
    assert (list(ticket.messages.values_list("pk", flat=True)), ticket.events.count()) == before
    assert ask(login(agent), method, url, data) == expected
    assert ask(login(supervisor), method, url, data) in (expected, 404)


def test_a_stranger_is_told_nothing_by_any_number(login, agent, other_queue):
    """A foreign ticket and one that does not exist answer alike."""
    foreign = factories.TicketFactory(queue=other_queue)
    client = login(agent)
    there = client.get(reverse("inbox:ticket", args=[foreign.number]))
    nowhere = client.get(reverse("inbox:ticket", args=[foreign.number + 1000]))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    bodies = []
    for response, ticket_number in ((there, foreign.number), (nowhere, foreign.number + 1000)):
        text = response.content.decode().replace(str(ticket_number), "")
        bodies.append(re.sub(r'nonce="[^"]*"|value="\w{64}"', "", text))
    assert bodies[0] == bodies[1]


def test_one_view_cannot_be_deleted_by_others(login, agent, supervisor):
    view = SavedView.objects.create(name="Of the agent", user=agent, filters={})
    shared = SavedView.objects.create(name="Of all", user=None, filters={})
    assert login(supervisor).post(reverse("inbox:delete_view", args=[view.pk])).status_code == 404
    assert login(agent).post(reverse("inbox:delete_view", args=[shared.pk])).status_code == 404
    assert login(agent).post(reverse("inbox:delete_view", args=[view.pk])).status_code == 302
    assert login(supervisor).post(reverse("inbox:delete_view", args=[shared.pk])).status_code == 302
    assert not SavedView.objects.exists()
