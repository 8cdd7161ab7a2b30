"""Chats side by side: what colleagues see, what they do, and what nobody may do (S-03, S-14, S-26, S-27, S-79)."""

from __future__ import annotations

import re
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from crm.customers.models import ContactLink
from crm.service.models import Ticket
from inbox.models import Conversation, Delivery, Message, Presence, VisitorKey
from inbox.services import chats
from inbox.templatetags import desk as desk_tags
from inbox.workspace import duty
from tests import factories
from tests.inbox.chat.conftest import ORIGIN, Browser, make_chat
from tests.inbox.chat.test_surroundings import picture, send_file

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
TRICK = '"><img src=x onerror=__xss=1>'


@pytest.fixture
def site(queue):
    """The chat of a shop, into `queue`, which gives its work out by hand."""
    queue.strategy = "manual"
    queue.save()
    return make_chat(queue)


@pytest.fixture
def visitor(site):
    """Somebody who has asked something."""
    browser = Browser(site)
    browser.say("Is the blue one in stock?")
    return browser


@pytest.fixture
def talk(visitor):
    return Conversation.objects.get()


@pytest.fixture
def desk(login, agent):
    Presence.objects.create(user=agent)
    return login(agent)


def url(name: str, talk: Conversation, *more) -> str:
    return reverse(f"inbox:{name}", args=[talk.ticket.number, *more])


def act(client, talk, deed, value="", **more):
    return client.post(url("chat_act", talk, deed), {"value": value, **more}, **HTMX)


def test_a_chat_waits_is_taken_answered_and_ended(desk, talk, visitor, agent):
    page = desk.get(reverse("inbox:chats"))
    assert [line.talk for line in page.context["waiting"]] == [talk]
    assert [line.here for line in page.context["waiting"]] == [True]
    assert "Is the blue one in stock?" in page.content.decode()
    taken = act(desk, talk, "take")
    assert taken.status_code == 200
    assert 'data-own="1"' in taken.content.decode()
    assert [line.talk for line in desk.get(reverse("inbox:chat_lines")).context["mine"]] == [talk]
    said = desk.post(
        url("chat_say", talk), {"text": "Yes, three of them.", "seen": talk.ticket.messages.get().seq}, **HTMX
    )
    assert said.status_code == 200
    assert "Yes, three of them." in said.content.decode()
    answers = [event for event in visitor.events()["events"] if event["kind"] == "answer"]
    assert [(event["text"], event["agent"]["name"]) for event in answers] == [("Yes, three of them.", "Agent")]
    assert act(desk, talk, "end").status_code == 200
    talk.refresh_from_db()
    assert (talk.ended_by, talk.ticket.status) == ("agent", "resolved")
    assert visitor.events()["status"] == "ended"
    assert "This chat has ended." in desk.get(url("chat", talk)).content.decode()


def test_whoever_answers_a_chat_that_nobody_has_has_it(desk, talk, agent):
    assert desk.post(url("chat_say", talk), {"text": "Hello", "seen": "9"}, **HTMX).status_code == 200
    talk.ticket.refresh_from_db()
    assert talk.ticket.assignee == agent


def test_an_answer_is_held_while_there_is_something_that_its_author_has_not_seen(desk, talk, visitor):
    seen = talk.ticket.messages.get().seq
    visitor.say("Wait, I mean the red one")
    held = desk.post(url("chat_say", talk), {"text": "Yes", "seen": seen}, **HTMX)
    assert held.status_code == 409
    assert "Wait, I mean the red one" in held.content.decode()
    talk.ticket.refresh_from_db()
    assert (talk.ticket.assignee, talk.ticket.messages.filter(kind="outbound").count()) == (None, 0)
    assert desk.post(url("chat_say", talk), {"text": "No", "seen": talk.ticket.sequence}, **HTMX).status_code == 200
    assert [event["text"] for event in visitor.events()["events"] if event["kind"] == "answer"] == ["No"]


def test_the_same_answer_again_is_said_once(desk, talk, visitor):
    said = {"text": "Hello", "client_id": "0123456789abcdef", "seen": talk.ticket.sequence}
    for _ in range(2):
        assert desk.post(url("chat_say", talk), said, **HTMX).status_code == 200
    assert [event["text"] for event in visitor.events()["events"] if event["kind"] == "answer"] == ["Hello"]


def test_colleagues_see_what_time_it_is_where_the_visitor_is(desk, site):
    visitor = Browser(site, enter=False)
    with time_machine.travel("2026-03-02T23:05:00Z", tick=False):
        visitor.enter(zone="Asia/Shanghai")
        visitor.say("Hello")
        talk = Conversation.objects.get()
        assert "07:05 there" in desk.get(url("chat", talk)).content.decode()
        visitor.enter(zone="../../etc/passwd")
        talk.visitor.refresh_from_db()
        assert talk.visitor.zone == "Asia/Shanghai"


def test_taking_over_from_a_colleague_stands_in_the_history(desk, talk, agent):
    colleague = factories.StaffFactory(name="Lena Vogt", role="agent")
    factories.QueueMemberFactory(queue=talk.ticket.queue, user=colleague)
    chats.take_over(talk.ticket, colleague)
    assert "Lena Vogt has this chat" in desk.get(url("chat", talk)).content.decode()
    act(desk, talk, "take")
    event = Ticket.objects.get().events.filter(what="assignee").latest("seq")
    assert (event.old, event.new, event.actor, event.why) == ("Lena Vogt", "Agent", agent, "took over")


def test_a_chat_is_handed_over(desk, talk, agent, other_queue):
    colleague = factories.StaffFactory(name="Lena Vogt", role="agent")
    act(desk, talk, "take")
    refused = act(desk, talk, "colleague", str(colleague.pk))
    assert refused.status_code == 422
    factories.QueueMemberFactory(queue=talk.ticket.queue, user=colleague)
    assert act(desk, talk, "colleague", str(colleague.pk)).status_code == 200
    assert Ticket.objects.get().assignee == colleague
    assert act(desk, talk, "queue", "999999999").status_code == 422
    assert act(desk, talk, "queue", str(other_queue.pk)).status_code == 204  # he does not see it any more
    ticket = Ticket.objects.get()
    assert (ticket.queue, ticket.assignee) == (other_queue, None)
    assert desk.get(url("chat", talk)).status_code == 404


def test_only_what_came_after_is_given_and_the_visitor_sees_it_read(desk, talk, visitor):
    act(desk, talk, "take")
    seq = Ticket.objects.get().sequence
    visitor.say("And the red one?")
    body = desk.get(url("chat_after", talk, seq), **HTMX).content.decode()
    assert "And the red one?" in body
    assert "Is the blue one" not in body
    assert visitor.events()["seen"] == Ticket.objects.get().sequence


def test_a_look_at_a_colleagues_chat_is_no_reading(login, talk, visitor, supervisor, agent):
    chats.take_over(talk.ticket, agent)
    login(supervisor).get(url("chat", talk))
    assert visitor.events()["seen"] == 0


def test_what_is_no_chat_and_what_is_foreign_is_not_there(desk, talk, ticket, other_queue):
    foreign = make_chat(other_queue)
    Browser(foreign).say("Hello?")
    hidden = Conversation.objects.get(ticket__queue=other_queue)
    before = Message.objects.count(), Delivery.objects.count(), Ticket.objects.get(pk=hidden.ticket_id).sequence
    for number in (ticket.number, hidden.ticket.number, 999_999_999):
        assert desk.get(reverse("inbox:chat", args=[number])).status_code == 404
        assert desk.get(reverse("inbox:chat_after", args=[number, 0])).status_code == 404
        assert desk.post(reverse("inbox:chat_say", args=[number]), {"text": "x"}).status_code == 404
        for deed in ("take", "end", "queue", "colleague", "link"):
            assert desk.post(reverse("inbox:chat_act", args=[number, deed]), {"value": "1"}).status_code == 404
    assert act(desk, talk, "delete").status_code == 404
    assert (Message.objects.count(), Delivery.objects.count()) == before[:2]
    assert Ticket.objects.get(pk=hidden.ticket_id).sequence == before[2]
    told = desk.get(reverse("inbox:chat_state")).json()
    assert [line["number"] for line in told["waiting"]] == [talk.ticket.number]


def test_what_a_visitor_claims_is_text_and_his_token_is_nowhere(desk, site):
    page = {"url": f"{ORIGIN}/{TRICK}", "title": f"{TRICK}\u202e", "referrer": f"https://x.test/?utm={TRICK}"}
    browser = Browser(site, page=page, user=None)
    browser.post("person", name=TRICK, email="anna@customer.test")
    browser.say(TRICK)
    talk = Conversation.objects.get()
    pages = [
        desk.get(reverse("inbox:chats")),
        desk.get(url("chat", talk)),
        act(desk, talk, "take"),
        desk.get(url("ticket", talk)),
        desk.get(url("about", talk)),
        desk.get(reverse("inbox:list") + "?view=open"),
        desk.get(reverse("inbox:chat_state")),
    ]
    for response in pages:
        body = response.content.decode()
        assert "<img src=x" not in body or response.headers["Content-Type"] == "application/json"
        assert "\u202e" not in body
        assert browser.token not in body
        assert VisitorKey.objects.get().digest not in body
    column = pages[1].content.decode()
    assert "&lt;img src=x onerror=__xss=1&gt;" in column
    assert 'href="https://www.shop.test' not in column  # S-14: a page's address is text


def test_a_claimed_address_is_linked_only_after_a_word_and_only_to_its_contact(desk, site, contact, agent):
    browser = Browser(site)
    browser.post("person", name="Anna", email="anna@customer.test")
    browser.say("It is me")
    talk = Conversation.objects.get()
    own = talk.ticket.contact
    assert own != contact
    assert "Anna Schmidt has this address" in desk.get(url("chat", talk)).content.decode()
    other = factories.ContactFactory(name="Boris")
    assert act(desk, talk, "link", str(other.pk)).status_code == 404
    assert act(desk, talk, "link", "x").status_code == 404
    assert not ContactLink.objects.exists()
    assert act(desk, talk, "link", str(contact.pk)).status_code == 200
    made = ContactLink.objects.get()
    assert (made.kept, made.merged, made.by) == (contact, own, agent)
    assert Ticket.objects.get().contact == contact
    assert "has this address" not in desk.get(url("chat", talk)).content.decode()
    assert act(desk, talk, "link", str(contact.pk)).status_code == 404


def test_an_answer_by_chat_goes_to_its_visitor_also_when_somebody_wrote_by_mail_since(desk, talk, channel):
    act(desk, talk, "take")
    factories.MessageFactory(
        ticket=Ticket.objects.get(), channel=channel, contact=talk.ticket.contact, from_address="v@customer.test"
    )
    assert desk.post(url("chat_say", talk), {"text": "Here", "seen": "99"}, **HTMX).status_code == 200
    assert Delivery.objects.latest("pk").recipient == talk.visitor.address


@pytest.mark.parametrize("text", ["", "   ", "x" * 300_000])
def test_what_cannot_be_said_is_refused_in_words(text, desk, talk):
    answer = desk.post(url("chat_say", talk), {"text": text, "seen": "99"}, **HTMX)
    assert answer.status_code == 422
    assert "data-refused" in answer.content.decode()
    assert Ticket.objects.get().assignee is None
    assert not Delivery.objects.exists()


def test_presence_is_chosen_and_shown_to_who_answers_for_all(desk, agent, supervisor, client, talk):
    chats.take_over(talk.ticket, agent)
    assert desk.post(reverse("inbox:presence"), {"state": "away"}).json() == {"presence": "away"}
    assert desk.post(reverse("inbox:presence"), {"state": "asleep"}).status_code == 400
    assert Presence.objects.get(user=agent).state == "away"
    assert desk.get(reverse("inbox:duty")).status_code == 404
    client.force_login(supervisor, backend="crm.organisation.backends.PasswordBackend")
    shown = client.get(reverse("inbox:duty")).context["posts"]
    assert [(str(post.user), post.state, post.chats) for post in shown] == [
        ("Agent", "away", 1),
        ("Supervisor", "gone", 0),
    ]
    Presence.objects.update(state="online")
    assert [post.state for post in duty.posts()] == ["online", "gone"]


def test_whoever_hands_a_chat_over_sees_who_is_here(desk, talk, agent, queue):
    near, far = (factories.StaffFactory(name=name, role="agent") for name in ("Near", "Far"))
    for colleague in (near, far):
        factories.QueueMemberFactory(queue=queue, user=colleague)
    Presence.objects.create(user=near)
    head = desk.get(reverse("inbox:chat", args=[talk.ticket.number])).content.decode()
    address = unescape(re.search(r'data-choices="([^"]*people[^"]*)"', head)[1])
    shown = desk.get(address, **HTMX).content.decode()
    places = [shown.index(words) for words in ("Near", "0 chats", "Far", "Not here")]
    assert places == sorted(places)
    assert str(agent) not in shown, "to oneself nothing is handed over"
    chats.take_over(talk.ticket, near)
    shown = desk.get(address, **HTMX).content.decode()
    assert "Near" not in shown and "Far" in shown, "he has it"
    assert str(agent) in desk.get(reverse("inbox:choices", args=["people"]), **HTMX).content.decode()


def test_a_chat_of_files_alone_shows_their_names_in_the_list(desk, visitor, talk):
    assert send_file(visitor, picture(), "leak.png").status_code == 200
    assert "leak.png" in desk.get(reverse("inbox:chat_lines")).content.decode()


def test_lists_show_the_medium_the_visitor_and_his_wait(desk, talk, ticket):
    body = desk.get(reverse("inbox:list") + "?view=open&channel=chat").content.decode()
    assert f'data-number="{talk.ticket.number}"' in body
    assert f'data-number="{ticket.number}"' not in body
    assert 'aria-label="Web chat"' in body
    assert "chats-here--row" in body


def test_pages_need_as_many_statements_however_many_chats_there_are(desk, site, agent, django_assert_max_num_queries):
    def fill(count):
        for n in range(count):
            browser = Browser(site)
            browser.say(f"Question {n}")
            chats.take_over(Ticket.objects.latest("pk"), agent)

    def needed(address):
        desk.get(address)
        with CaptureQueriesContext(connection) as statements:
            assert desk.get(address).status_code == 200
        return len([s for s in statements.captured_queries if "SAVEPOINT" not in s["sql"]])

    fill(1)
    talk = Conversation.objects.first()
    addresses = [reverse("inbox:chats"), reverse("inbox:chat_lines"), reverse("inbox:chat_state")]
    addresses += [url("chat", talk), url("chat_after", talk, 0), reverse("inbox:list") + "?view=open"]
    few = [needed(address) for address in addresses]
    fill(4)
    assert [needed(address) for address in addresses] == few
    assert max(few) <= 15


@pytest.mark.parametrize(
    ("code", "read"), [("zh-CN", "简体中文"), ("de-AT", "德语"), ("tlh", "tlh"), ("<b>", "<b>"), ("", "")]
)
def test_a_browsers_language_is_named_in_the_readers(code, read):
    with translation.override("zh-hans"):
        assert desk_tags.language(code) == read


def test_a_file_that_holds_a_virus_is_not_offered(desk, talk):
    """S-23."""
    message = talk.ticket.messages.get()
    for name, verdict in (("good.png", "clean"), ("bad.png", "virus")):
        factories.AttachmentFactory(message=message, name=name, content_type="image/png", verdict=verdict)
    page = desk.get(url("chat", talk), **HTMX).content.decode()
    good, bad = message.attachments.order_by("pk")
    assert reverse("inbox:download", args=[good.pk]) in page and reverse("inbox:preview", args=[good.pk]) in page
    assert reverse("inbox:download", args=[bad.pk]) not in page and reverse("inbox:preview", args=[bad.pk]) not in page
    assert page.count("Virus found") == 1 and "bad.png" in page
