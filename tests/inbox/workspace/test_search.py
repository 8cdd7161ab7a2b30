"""The search box."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse

from crm.customers import identity
from crm.service.models import Ticket
from inbox import queries, search
from inbox.models import Message, TicketWords
from inbox.services import merging
from tests import factories

pytestmark = pytest.mark.django_db


def ticket_of(queue, subject="", text="", **contact) -> Ticket:
    address = contact.pop("email", None)
    person = factories.ContactFactory(email=address, **contact) if address else factories.ContactFactory(**contact)
    ticket = factories.TicketFactory(queue=queue, contact=person, subject=subject)
    factories.MessageFactory(ticket=ticket, contact=person, text=text)
    return ticket


def find(user, text) -> list[int]:
    page = queries.page(Ticket.objects.visible_to(user), user, text=text)
    return [ticket.pk for ticket in page.tickets]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("leaks", True),
        ("LEAK", True),
        ("leaks invoice", True),
        ("leaks nothing", False),
        ("eaks", False),
        ("Schmidt", True),
        ("anna@kaffee-haus.test", True),
        ("kaffee-haus", True),
        ("退款", True),
        ("申请退款", True),
        ("款申", False),
        ("款", True),
        ("上海的咖啡机", True),
        ("ﾎﾟﾝﾌﾟ", True),
        ("ポンプ", True),
        ("환불", True),
        ("STRASSE", True),
        ("straße", True),
        ("4711", True),
        ("ＬＥＡＫＳ", True),
    ],
)
def test_words_of_many_scripts(asked, found, agent, queue):
    wanted = ticket_of(
        queue,
        "The machine leaks, invoice 4711",
        "我想申请退款。上海的咖啡机坏了。ポンプ 환불 Straße",
        name="Anna Schmidt",
        email="anna@kaffee-haus.test",
    )
    ticket_of(queue, "Something else", "Good morning")
    assert search.index_waiting() == 2
    assert find(agent, asked) == ([wanted.pk] if found else [])


def test_number_finds_the_ticket_at_once_and_not_a_foreign_one(agent, queue, other_queue):
    mine, foreign = factories.TicketFactory(queue=queue), factories.TicketFactory(queue=other_queue)
    assert search.number_in(f" #{mine.number} ") == str(mine.number)
    assert list(search.matching(Ticket.objects.visible_to(agent), f"#{mine.number}")) == [mine]
    assert list(search.matching(Ticket.objects.visible_to(agent), str(foreign.number))) == []
    assert search.number_in("4711") == ""


def test_nobody_finds_what_he_may_not_see(agent, queue, other_queue, customer_user, login):
    mine = ticket_of(queue, "secretword")
    ticket_of(other_queue, "secretword")
    note = ticket_of(queue, "A third")
    note.participants.create(contact=customer_user.contact)
    factories.MessageFactory(ticket=note, kind=Message.Kind.NOTE, text="secretword, said among us")
    search.index_waiting()
    assert find(agent, "secretword") == [note.pk, mine.pk]
    answer = login(agent).get(reverse("inbox:find"), {"q": "secretword"}).json()
    assert {item["number"] for item in answer["items"]} == {mine.number, note.number}
    assert login(customer_user).get(reverse("inbox:find"), {"q": "secretword"}).status_code == 404


@pytest.mark.parametrize(("first", "few", "more"), [(4, 100, 5), (4, 1, 5), (1, 1, 1), (0, 0, 9)])
def test_common_words_give_the_newest_first_over_many_pages(agent, queue, monkeypatch, first, few, more):
    """Whichever way the words are looked for: by walking the list, by the index, by a longer walk, or by all of it."""
    monkeypatch.setattr(search, "FIRST", first)
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "MORE", more)
    made = [ticket_of(queue, "common") for _ in range(9)]
    search.index_waiting()
    base, found, after = Ticket.objects.visible_to(agent), [], ""
    while True:
        page = queries.page(base, agent, text="common", after=after, size=2)
        found += [ticket.pk for ticket in page.tickets]
        after = page.after
        if not after:
            break
    assert found == [ticket.pk for ticket in sorted(made, key=lambda t: (t.activity_at, t.pk), reverse=True)]


def test_a_new_message_makes_the_ticket_found_by_its_words(agent, queue):
    ticket = ticket_of(queue, "Old", "first words")
    assert (search.index_waiting(), search.index_waiting()) == (1, 0)
    factories.MessageFactory(ticket=ticket, text="second thoughts")
    assert find(agent, "thoughts") == []
    assert search.index_waiting() == 1
    assert find(agent, "thoughts first") == [ticket.pk]
    ticket.contact.name = "Renamed Person"
    ticket.contact.save()
    search.read_again([ticket.pk])
    assert search.index_waiting() == 2
    assert find(agent, "renamed") == [ticket.pk]


def test_what_grows_is_read_once(agent, queue):
    """Of a talk that goes on only what is new is read, and nothing is written when it has no new word."""
    ticket = ticket_of(queue, "Long talk", "first words")
    search.index_waiting()
    Message.objects.update(text="changed behind the index", reply_text="changed behind the index")
    factories.MessageFactory(ticket=ticket, contact=ticket.contact, text="second thoughts")
    search.index_waiting()
    assert find(agent, "first second") == [ticket.pk]
    assert find(agent, "changed") == []
    before = TicketWords.objects.get().words
    factories.MessageFactory(ticket=ticket, contact=ticket.contact, text="thoughts, second thoughts")
    search.index_waiting()
    assert sorted(TicketWords.objects.get().words) == sorted(before)
    search.read_again([ticket.pk])
    search.index_waiting()
    assert find(agent, "changed") == [ticket.pk]


def test_much_at_once_is_read_in_portions(agent, queue, monkeypatch):
    """No more tickets are locked and no more texts held than fit, and nothing is left out at the seams."""
    monkeypatch.setattr(search, "AT_ONCE", 2)
    monkeypatch.setattr(search, "MESSAGES_AT_ONCE", 3)
    portions: list[tuple[int, int]] = []
    index = search._index
    monkeypatch.setattr(search, "_index", lambda ids, new: (portions.append((len(ids), len(new))), index(ids, new)))
    tickets = [ticket_of(queue, f"Talk {n}") for n in range(5)]
    for ticket in (tickets[0],) * 7 + (tickets[3],):
        count = ticket.messages.count()
        factories.MessageFactory(ticket=ticket, contact=ticket.contact, text=f"said {ticket.pk}x{count}")
    waiting = Message.objects.count()
    assert search.index_waiting() == waiting
    assert sum(messages for _tickets, messages in portions) == waiting
    assert max(portions) <= (2, 3) and max(messages for _tickets, messages in portions) == 3
    for n in range(tickets[0].messages.count() - 7, tickets[0].messages.count()):
        assert find(agent, f"{tickets[0].pk}x{n}") == [tickets[0].pk]
    assert find(agent, f"said {tickets[3].pk}x{tickets[3].messages.count() - 1}") == [tickets[3].pk]
    assert search.index_waiting() == 0


def test_messages_that_moved_are_found_where_they_are(agent, queue):
    ticket = ticket_of(queue, "One", "stays here")
    gone = factories.MessageFactory(ticket=ticket, contact=ticket.contact, text="wanders off")
    search.index_waiting()
    new = merging.split(ticket, [gone], by=agent)
    search.index_waiting()
    assert (find(agent, "wanders"), find(agent, "stays")) == ([new.pk], [ticket.pk])


def test_linked_contacts_are_found_by_both_their_addresses(agent, queue):
    one, two = ticket_of(queue, "First", email="one@link.test"), ticket_of(queue, "Second", email="two@link.test")
    search.index_waiting()
    assert find(agent, "two@link.test") == [two.pk]
    identity.link(one.contact, two.contact, by=agent)
    search.index_waiting()
    assert set(find(agent, "two@link.test")) == {one.pk, two.pk}


def test_a_deleted_ticket_leaves_the_index(agent, queue):
    ticket = ticket_of(queue, "vanishing")
    search.index_waiting()
    ticket.participants.all().delete()
    ticket.delete()
    assert TicketWords.objects.count() == 0
    fresh = ticket_of(queue, "other")
    search.index_waiting()
    assert find(agent, "vanishing") == []
    assert find(agent, "other") == [fresh.pk]


def test_an_endless_ticket_is_indexed_in_bounds(agent, queue, monkeypatch):
    monkeypatch.setattr(search, "TICKET_WORDS", 50)
    ticket = ticket_of(queue, "long", " ".join(f"word{n}" for n in range(500)) + " x" * 10 + "y" * 5000)
    search.index_waiting()
    assert find(agent, "long") == [ticket.pk]
    assert find(agent, "word499") == []


@pytest.mark.parametrize(
    "hostile",
    [
        '"' * 50_000,
        "a" * 1_000_000,
        "((((",
        "a & b | !c:*",
        "leak' OR '1'='1",
        "\\",
        "'; DROP TABLE inbox_ticketwords; --",
        "%_%",
        "\x00\x00",
        "NEAR(a b) AND NOT *",
        "-",
        "***",
        "a*b*",
        "\u202e\u200b",
        "٤٧١١٤٧١١",
        "#" + "9" * 40,
        "1" * 17,
    ],
)
def test_hostile_questions_are_answered_quickly(hostile, agent, queue, login):
    ticket_of(queue, "leaks")
    search.index_waiting()
    begun = time.monotonic()
    for name in ("find", "rows"):
        response = login(agent).get(
            reverse(f"inbox:{name}"),
            {"q": hostile[:100_000], "view": "all"} if name == "rows" else {"q": hostile[:100_000]},
        )
        assert response.status_code in (200, 400)
    assert find(agent, hostile) in ([], [Ticket.objects.get().pk])
    assert time.monotonic() - begun < 5


def test_lone_surrogates_are_passed_over(agent, queue):
    wanted = ticket_of(queue, "leaks")
    search.index_waiting()
    assert find(agent, "leaks \ud800") == [wanted.pk]
