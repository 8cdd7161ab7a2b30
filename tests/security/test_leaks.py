"""A ticket of another team is not in any list, search, count, related record or past of anybody (S-26, S-37, S-38)."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers.identity import contact_for, link, unlink
from crm.service import services
from crm.service.models import Ticket, TicketLink
from inbox.models import Channel, Message
from inbox.search import index_waiting
from inbox.services import merging, replies
from inbox.services.accept import accept
from inbox.services.processing import process
from tests import factories
from tests.portal.test_access_matrix import addresses, entry_of, group, path_of
from tests.security.conftest import entered
from tests.security.test_markup import world  # noqa: F401

WORD = "qzvsecret"
"""Stands in every text of the foreign ticket and nowhere else."""

ACTORS = {"agent": "team", "marketer": "marketer", "editor": "editor", "customer of the same company": "neighbour"}


@pytest.fixture
def secret(world: dict[str, Any], other_queue: Any) -> Ticket:  # noqa: F811
    """A ticket of Accounting with all that can hang on one, of the contact that Support knows too."""
    accounting = factories.ChannelFactory(name="Accounting", address="money@example.com", queue=other_queue)
    clerk = factories.StaffFactory(role="agent", name="Clerk")
    factories.QueueMemberFactory(queue=other_queue, user=clerk)
    factories.RuleFactory(
        name="Tell", actions=[{"action": "notify", "whom": "agent", "text": WORD}, {"action": "add_note", "text": WORD}]
    )
    mail = (
        "From: Anna <anna@customer.test>\r\nTo: money@example.com\r\nSubject: {0} unpaid\r\nMessage-ID: <{1}@x.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nAbout {0}.\r\n--b\r\n"
        'Content-Type: text/plain; name="{0}.txt"\r\n\r\n{0}\r\n--b--\r\n'
    )
    ticket, second = (process(accept(accounting, mail.format(WORD, n).encode())).ticket for n in "ab")
    replies.add_note(ticket, author=clerk, text=WORD, mentions=[world["people"]["agent"]])
    replies.reply(ticket, author=clerk, text=WORD)
    services.set_subject(ticket, f"{WORD} again", by=clerk)
    merging.merge(second, ticket, by=clerk)
    ours = Ticket.objects.get(pk=world["ticket"])
    TicketLink.objects.create(ticket=ours, other=ticket, kind=TicketLink.Kind.UNVERIFIED)
    while index_waiting():
        pass
    ticket.refresh_from_db()
    return ticket


def told(client: Any, path: str) -> tuple[int, bytes]:
    answer = client.get(path)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, content


@pytest.mark.parametrize("who", ACTORS)
def test_nothing_of_a_foreign_ticket_is_told(who: str, world: dict[str, Any], secret: Ticket) -> None:  # noqa: F811
    if who.startswith("customer"):
        person = factories.UserFactory(email="ben@customer.test")
        contact = factories.ContactFactory(name="Ben", user=person, customer_id=world["customer"])
        factories.PointFactory(contact=contact, value=person.email, verified=True)
    else:
        person = world["people"].get(who) or factories.StaffFactory(role=who)
    client = entered(person)
    leaks, welcome = [], 0
    for name, route in addresses():
        entry = entry_of(name)
        if entry is None or "logout" in name or name.startswith(("wagtail", "mfa_", "account_", "-")):
            continue
        if ACTORS[who] not in group(entry):  # what is refused tells nothing: see the matrix
            continue
        path = path_of(route, entry, world)
        for query in ("", f"?q={WORD}", "?view=all", "?view=open", f"?ticket={secret.number}"):
            if query and not name.endswith(
                ("index", "index_results", ":find", ":list", ":rows", ":panes", ":tickets", ":choices")
            ):
                continue
            status, content = told(client, path + query)
            welcome += status == 200
            if WORD.encode() in content.replace(f"q={WORD}".encode(), b"").replace(
                f'value="{WORD}"'.encode(), b""
            ).replace(f"“{WORD}”".encode(), b"").replace(f'q": ["{WORD}'.encode(), b""):
                leaks.append(path + query)
            if name == "inbox:ticket" and f"#{secret.number}".encode() in content:
                leaks.append(f"{path}{query}: its number")
    assert leaks == []
    assert welcome >= (5 if who.startswith("customer") else 8)


def test_whoever_may_see_it_finds_it(world: dict[str, Any], secret: Ticket) -> None:  # noqa: F811
    """The walk above would see the word if it were shown."""
    client = entered(world["people"]["administrator"])
    for path in (f"/desk/inbox/?q={WORD}", f"/desk/inbox/{secret.number}/", f"/desk/contacts/{secret.contact_id}/"):
        assert WORD.encode() in told(client, path)[1], path


def titles(user: Any) -> set[str]:
    """Subjects of the tickets that somebody sees, asked for in two ways that must agree."""
    page = entered(user).get("/my/tickets/?q=Of&view=all").content.decode()
    seen = set(Ticket.objects.visible_to(user).values_list("subject", flat=True))
    assert {name for name in ("Of one", "Of two", "Of later") if name in page} == seen
    return seen


def test_linked_contacts_of_two_companies_do_not_see_each_others_tickets(
    queue: Any, channel: Channel, agent: Any
) -> None:
    """S-38: linking makes one person of two addresses; colleagues of either company, of the same mail domain even, see
    nothing more by it, and when it is undone everybody has what was his before."""
    people = []
    for name in ("one", "two"):
        company = factories.CustomerFactory(name=name)
        contact = factories.ContactFactory(name=name, customer=company, email=f"{name}@shared.test")
        user = factories.UserFactory(email=f"boss.{name}@shared.test")
        boss = factories.ContactFactory(name=f"Boss {name}", customer=company, user=user)
        factories.PointFactory(contact=boss, value=user.email, verified=True)
        factories.TicketFactory(queue=queue, contact=contact, customer=company, subject=f"Of {name}")
        people.append((contact, user))
    (kept, first), (other, second) = people
    kept.user = factories.UserFactory(email="one@shared.test")
    kept.save()
    assert (titles(kept.user), titles(first), titles(second)) == ({"Of one"}, set(), set())
    record = link(kept, other, by=agent)
    assert contact_for("email", "two@shared.test") == kept
    assert (titles(kept.user), titles(first), titles(second)) == ({"Of one", "Of two"}, set(), set())
    factories.TicketFactory(queue=queue, contact=kept, customer=kept.customer, subject="Of later")
    unlink(record, by=agent)
    assert contact_for("email", "two@shared.test") == other
    assert (titles(kept.user), titles(first), titles(second)) == ({"Of one", "Of later"}, set(), set())
    returned = Ticket.objects.get(subject="Of two")
    assert (returned.contact, returned.customer) == (other, other.customer)
    assert entered(kept.user).get(f"/my/tickets/{returned.number}/").status_code == 404
    assert Message.objects.count() == 0
