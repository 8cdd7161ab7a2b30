"""Which way an answer takes: what the composer offers, what it sends, and what nobody may ask for (S-26, S-27)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from inbox.channels import registry
from inbox.channels.email.adapter import EmailAdapter
from inbox.models import Conversation, Delivery, Message
from inbox.services import ways_out
from inbox.workspace import ways
from tests import factories
from tests.inbox.chat.conftest import Browser, make_chat

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


def url(name, ticket) -> str:
    return reverse(f"inbox:{name}", args=[ticket.number])


@pytest.fixture
def desk(login, agent, channel):
    return login(agent)


@pytest.fixture
def heard(ticket, channel):
    """The customer's mail came by the channel of the queue."""
    Message.objects.filter(ticket=ticket).update(channel=channel)
    return ticket


class BoothAdapter(EmailAdapter):
    """A channel whose people have a token only, and whose answers can be looked at first."""

    kind = "booth"
    label = "Booth"
    icon = "chat"
    point = "visitor"
    can = frozenset({"receive", "send"})
    preview = "inbox:why"

    def address(self, text, settings):
        return text


@pytest.fixture
def booth(monkeypatch, ticket):
    """A talk at the booth: its visitor wrote last."""
    known = {each.kind: each for each in (*registry.adapters(), BoothAdapter())}
    monkeypatch.setattr(registry, "_by_kind", lambda: known)
    made = factories.ChannelFactory(name="Website", kind="booth", address="", queue=ticket.queue)
    factories.MessageFactory(ticket=ticket, channel=made, from_address="visitor-secret", text="Hello?")
    return made


def offered(response) -> list[tuple[str, str]]:
    return [(choice.channel.name, choice.to) for choice in response.context["ways"]]


def test_the_composer_shows_the_way_that_an_answer_takes_by_itself(desk, heard, channel):
    body = desk.get(url("ticket", heard)).content.decode()
    assert f'name="channel" value="{channel.pk}"' in body
    assert 'name="to" value="anna@customer.test"' in body
    first = ways_out.ways(heard)[0]
    assert (first.channel, first.recipient) == (channel, "anna@customer.test")
    desk.post(url("reply", heard), {"text": "Yes.", "seen": "1", "channel": channel.pk, "to": first.recipient}, **HTMX)
    assert Delivery.objects.get().recipient == "anna@customer.test"


def test_what_came_by_a_channel_that_cannot_answer_is_asked_for(desk, ticket, channel):
    form = factories.ChannelFactory(kind="webform", address="", queue=ticket.queue)
    Message.objects.filter(ticket=ticket).update(channel=form)
    assert "data-unknown" in desk.get(url("ticket", ticket)).content.decode()
    assert offered(desk.get(url("ways", ticket), **HTMX)) == [("Support", "anna@customer.test")]


def test_another_address_and_another_channel_are_one_choice(desk, heard, channel, agent):
    sales = factories.ChannelFactory(name="Sales", address="sales@example.com", queue=heard.queue)
    factories.PointFactory(contact=heard.contact, value="anna@home.test")
    listed = desk.get(url("ways", heard), **HTMX)
    assert offered(listed) == [("Support", "anna@customer.test"), ("Support", "anna@home.test")]
    typed = desk.get(url("ways", heard), {"q": "Boss@Customer.test"}, **HTMX)
    assert offered(typed) == []
    others = [(each.channel.name, each.to) for each in typed.context["others"]]
    assert others == [("Support", "boss@customer.test"), ("Sales", "boss@customer.test")]
    assert desk.get(url("ways", heard), {"q": "not an address"}, **HTMX).context["others"] == []
    data = {"text": "To the boss", "seen": "1", "channel": sales.pk, "to": "boss@customer.test"}
    assert desk.post(url("reply", heard), data, **HTMX).status_code == 200
    sent = Delivery.objects.get()
    assert (sent.channel, sent.recipient) == (sales, "boss@customer.test")


def test_a_channel_of_another_queue_answers_only_where_it_was_written_to(desk, heard, channel, other_queue):
    foreign = factories.ChannelFactory(name="Books", address="books@example.com", queue=other_queue)
    data = {"text": "Hi", "seen": "1", "channel": foreign.pk, "to": "anna@customer.test"}
    assert desk.post(url("reply", heard), data, **HTMX).status_code == 404
    assert desk.post(url("reply", heard), {**data, "to": "x@y.test"}, **HTMX).status_code == 404
    assert not Delivery.objects.exists()
    assert Message.objects.count() == 1
    Message.objects.filter(ticket=heard).update(channel=foreign)
    assert desk.post(url("reply", heard), data, **HTMX).status_code == 200
    assert Delivery.objects.get().channel == foreign


@pytest.mark.parametrize("channel_asked", ["", "x", "999999", "-1", "1" * 30])
def test_an_address_without_a_channel_of_ones_own_is_refused(channel_asked, desk, heard):
    data = {"text": "Hi", "seen": "1", "channel": channel_asked, "to": "x@y.test"}
    assert desk.post(url("reply", heard), data, **HTMX).status_code in (404, 422)
    assert not Delivery.objects.exists()
    assert Message.objects.count() == 1


def test_an_inactive_channel_answers_nothing(desk, heard, channel):
    channel.active = False
    channel.save()
    data = {"text": "Hi", "seen": "1", "channel": channel.pk, "to": "anna@customer.test"}
    assert desk.post(url("reply", heard), data, **HTMX).status_code == 404
    assert not Delivery.objects.exists()


def test_a_visitor_is_shown_by_the_place_and_never_by_his_token(desk, ticket, booth):
    page = desk.get(url("ticket", ticket)).content.decode()
    assert "Booth on Website" in page
    assert page.count("visitor-secret") == 2  # what the form sends back, twice; no text that anybody reads
    assert page.count('="visitor-secret"') == 2
    assert f'data-preview-url="{url("why", ticket)}"' in page
    assert "data-copies" not in page
    data = {"text": "Hello!", "seen": "2", "channel": booth.pk, "to": "visitor-secret"}
    answered = desk.post(url("reply", ticket), data, **HTMX)
    assert answered.status_code == 200
    assert Delivery.objects.get().channel == booth
    assert "visitor-secret" not in answered.content.decode()


def test_who_is_not_written_to_is_called(desk, heard):
    factories.PointFactory(contact=heard.contact, kind="phone", value="+493055571600")
    menu = desk.get(url("ways", heard)).content.decode()
    assert f'data-dial="+493055571600" data-log="{heard.number}"' in menu and "+49 30 55571600" in menu
    assert "data-dial" in desk.get(url("ways", heard), {"q": "5716"}).content.decode()
    assert "data-dial" not in desk.get(url("ways", heard), {"q": "anna"}).content.decode()


def test_the_address_that_a_visitor_gave_is_offered_and_never_taken_by_itself(desk, channel, queue):
    browser = Browser(make_chat(queue))
    browser.say("Hello")
    ticket = Conversation.objects.get().ticket
    assert [way.medium for way in desk.get(url("ways", ticket)).context["ways"]] == ["Web chat"]
    assert not desk.get(url("ways", ticket)).context["others"]
    browser.post("person", email="marta@customer.test")
    shown = desk.get(url("ways", ticket)).context
    assert [(way.channel, way.to) for way in shown["others"]] == [(channel, "marta@customer.test")]
    assert [way.medium for way in shown["ways"]] == ["Web chat"]


def test_nobody_writes_to_the_visitor_of_another_ticket(desk, ticket, booth):
    data = {"text": "Hi", "seen": "2", "channel": booth.pk, "to": "visitor-other"}
    assert desk.post(url("reply", ticket), data, **HTMX).status_code == 404
    assert desk.post(url("reply", ticket), {**data, "channel": ""}, **HTMX).status_code == 422
    assert not Delivery.objects.exists()
    assert booth not in [way.channel for way in ways.typed(ticket.queue.members.get().user, "visitor-other")]


def test_copies_only_where_the_channel_takes_them(desk, ticket, booth):
    data = {"text": "Hi", "seen": "2", "channel": booth.pk, "to": "visitor-secret", "cc": "b@customer.test"}
    refused = desk.post(url("reply", ticket), data, **HTMX)
    assert refused.status_code == 422
    assert "without copies" in refused.content.decode()
    assert not Delivery.objects.exists()


def test_changes_tell_when_the_customer_changed_his_way(desk, heard, booth):
    after = reverse("inbox:after", args=[heard.number, 1])
    body = desk.get(after, **HTMX).content.decode()
    assert 'data-part="way"' in body
    assert "Booth on Website" in body
    assert 'data-part="way"' not in desk.get(reverse("inbox:after", args=[heard.number, 2]), **HTMX).content.decode()
