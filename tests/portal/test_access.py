"""Who sees what on the portal (S-26, S-27, S-35, S-53): foreign tickets are as unknown as tickets that never were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from crm.service.models import Satisfaction, Ticket, TicketEvent
from inbox.models import Message, RawMessage
from portal.my import queries
from tests import factories

PAGES = ("", "answer/", "close/", "reopen/", "rate/")


def addresses(ticket: Ticket) -> list[str]:
    return [f"/my/tickets/{ticket.number}/{page}" for page in PAGES]


def state() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values_list())
        for model in (Ticket, TicketEvent, Message, RawMessage, Satisfaction)
    ]


@pytest.mark.parametrize("who", ["colleague", "stranger", "agent", "administrator", "marketer"])
def test_somebody_elses_ticket_is_unknown(who: str, annas: Ticket, request: Any, client: Client) -> None:
    client.force_login(request.getfixturevalue(who))
    before = state()
    for address in addresses(annas):
        answer = client.get(address) if address.endswith(f"{annas.number}/") else client.post(address, {"text": "x"})
        assert answer.status_code == 404, address
    assert state() == before
    unknown = client.get("/my/tickets/999999/")
    foreign = client.get(f"/my/tickets/{annas.number}/")
    assert (unknown.status_code, foreign.status_code) == (404, 404)


@pytest.mark.parametrize("who", ["colleague", "stranger", "agent"])
def test_lists_and_searches_do_not_tell_of_it(who: str, annas: Ticket, request: Any, client: Client) -> None:
    client.force_login(request.getfixturevalue(who))
    for address in ("/my/tickets/", f"/my/tickets/?q={annas.number}", "/my/tickets/?q=machine", "/"):
        assert "machine leaks" not in client.get(address).content.decode()


def test_who_is_not_signed_in_is_asked_to(annas: Ticket, client: Client) -> None:
    for address in ("/my/tickets/", *addresses(annas), "/my/account/", "/my/files/1/", "/my/messages/1/original/"):
        answer = client.post(address) if "answer" in address else client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/login/?next=/my/")


def test_a_deactivated_customer_is_out_at_once(annas: Ticket, anna: Any, client: Client) -> None:
    client.force_login(anna)
    assert client.get(f"/my/tickets/{annas.number}/").status_code == 200
    anna.is_active = False
    anna.save()
    assert client.get(f"/my/tickets/{annas.number}/").status_code == 302


def test_notes_and_hidden_messages_are_nowhere(annas: Ticket, anna: Any, client: Client) -> None:
    Ticket.objects.filter(pk=annas.pk).update(preview="Your code is 991177")
    client.force_login(anna)
    for address in ("/", "/my/tickets/", "/my/tickets/?q=machine", f"/my/tickets/{annas.number}/"):
        page = client.get(address).content.decode()
        assert "Turn the valve." in page, address
        assert "991177" not in page
        assert "difficult" not in page
    for message in Message.objects.filter(ticket=annas).exclude(pk__in=queries.public_messages(annas)):
        assert client.get(f"/my/messages/{message.pk}/original/").status_code == 404


def test_a_colleagues_address_is_not_told(annas: Ticket, anna: Any, login: Callable[[Any], Client]) -> None:
    page = login(anna).get(f"/my/tickets/{annas.number}/").content.decode()
    assert "Jonas Weber" in page
    assert "jonas@guichet.test" not in page


@pytest.mark.parametrize(
    ("who", "kind", "hidden", "status"),
    [
        ("anna", "inbound", False, 200),
        ("anna", "note", False, 404),
        ("anna", "inbound", True, 404),
        ("colleague", "inbound", False, 404),
        ("stranger", "inbound", False, 404),
        ("agent", "inbound", False, 404),
    ],
)
def test_files_follow_their_message(
    who: str, kind: str, hidden: bool, status: int, annas: Ticket, request: Any, client: Client
) -> None:
    message = factories.MessageFactory(ticket=annas, kind=kind, hidden=hidden)
    file = factories.AttachmentFactory(message=message, name="a.txt", content=b"inside")
    client.force_login(request.getfixturevalue(who))
    answer = client.get(f"/my/files/{file.pk}/")
    answer.close()
    assert answer.status_code == status


def test_a_form_cannot_set_what_it_does_not_ask(anna: Any, client: Client) -> None:
    client.force_login(anna)
    given = {"name": "Anna S.", "language": "zh-hans", "time_zone": "Europe/Berlin"}
    client.post("/my/account/", {**given, "is_staff": "1", "is_superuser": "1", "email": "root@x.test", "roles": "a"})
    anna.refresh_from_db()
    assert (anna.name, anna.language, anna.time_zone) == ("Anna S.", "zh-hans", "Europe/Berlin")
    assert (anna.is_staff, anna.is_superuser, anna.email) == (False, False, "anna@schmidt.test")


def test_merged_tickets_are_not_listed(annas: Ticket, anna: Any) -> None:
    assert queries.page_of(anna).tickets == [annas]
    Ticket.objects.filter(pk=annas.pk).update(status=Ticket.Status.MERGED)
    assert queries.page_of(anna).tickets == []
    assert queries.page_of(anna, closed=True).tickets == []
