"""What a colleague sends is stored once, however often his browser asks."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from crm.service.models import Ticket
from inbox.models import Delivery, Message, Submission
from inbox.services import replies
from inbox.services.submissions import once

ID = "0123456789abcdef0123456789abcdef"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def desk(login: Any, agent: Any, channel: Any) -> Any:
    return login(agent)


@pytest.mark.django_db
def test_an_answer_and_a_note_sent_again_are_one(desk: Any, ticket: Any) -> None:
    for name, kind in (("reply", "outbound"), ("note", "note")):
        address = reverse(f"inbox:{name}", args=[ticket.number])
        said = {"text": "Once", "seen": "9", "client_id": f"{ID}-{name}"}
        for _ in range(3):
            assert desk.post(address, said, **HTMX).status_code == 200
        assert Message.objects.filter(kind=kind).count() == 1
        assert desk.post(address, {**said, "client_id": f"{ID}-2"}, **HTMX).status_code == 200
        assert desk.post(address, {**said, "client_id": "\x00"}, **HTMX).status_code == 200
        assert Message.objects.filter(kind=kind).count() == 3
        Submission.objects.filter(client_id=f"{ID}-2").delete()
    assert Delivery.objects.count() == 3


@pytest.mark.django_db
def test_a_new_message_sent_again_opens_one_ticket(desk: Any, channel: Any) -> None:
    assert desk.get(reverse("inbox:compose")).context["client_id"]
    said = {"channel": channel.pk, "to": "new@else.test", "subject": "Hi", "text": "Hello", "client_id": ID}
    addresses = {desk.post(reverse("inbox:compose"), said)["Location"] for _ in range(2)}
    assert len(addresses) == Ticket.objects.count() == Delivery.objects.count() == 1


@pytest.mark.django_db
def test_what_was_refused_may_be_sent_again_and_ids_are_everybodys_own(
    desk: Any, login: Any, ticket: Any, supervisor: Any
) -> None:
    address = reverse("inbox:reply", args=[ticket.number])
    said = {"text": "Hi", "seen": "9", "client_id": ID}
    assert desk.post(address, {**said, "cc": "no address"}, **HTMX).status_code == 422
    assert desk.post(address, said, **HTMX).status_code == 200
    assert login(supervisor).post(address, said, **HTMX).status_code == 200
    assert Message.objects.filter(kind="outbound").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_double_click_writes_once(ticket: Any, agent: Any, channel: Any) -> None:
    gate = threading.Barrier(4)
    found: list[int] = []

    def click() -> None:
        gate.wait()
        found.append(once(agent, ID, lambda: replies.reply(ticket, author=agent, text="Once")).pk)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Message.objects.get(kind="outbound").pk] * 4
    assert Delivery.objects.count() == 1
    assert Ticket.objects.get().message_count == ticket.message_count + 1
