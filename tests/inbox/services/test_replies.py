"""What colleagues and customers add to a ticket (S-51, S-52, S-53, S-27)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from crm.organisation.models import Notification
from crm.service.models import Ticket
from inbox.models import Attachment, Delivery, Message, RawMessage
from inbox.services import files, replies, ways_out
from routing import registry
from routing.models import RuleRun
from tests import factories


def counts() -> tuple[int, int]:
    return Message.objects.count(), Delivery.objects.count()


def test_an_answer_is_a_message_with_one_delivery(ticket: Ticket, channel: Any, agent: Any) -> None:
    message = replies.reply(ticket, author=agent, text="Which model is it?", status="pending")
    ticket.refresh_from_db()
    delivery = Delivery.objects.get()
    assert (message.kind, message.seq, message.channel, message.to) == (
        "outbound",
        ticket.sequence - 2,
        channel,
        [["anna@customer.test", ""]],
    )
    assert (delivery.recipient, delivery.state, delivery.purpose) == ("anna@customer.test", "queued", "reply")
    assert delivery.mail_id == message.mail_id
    assert (ticket.status, ticket.waiting_since) == ("pending", None) and ticket.first_answered_at is not None


def test_a_file_goes_along(ticket: Ticket, channel: Any, agent: Any) -> None:
    message = replies.reply(ticket, author=agent, text="See.", attached=[("manual.pdf", "application/pdf", b"%PDF-1")])
    stored = Attachment.objects.get(message=message)
    assert (stored.name, stored.size, files.read_blob("attachments", stored.blob)) == ("manual.pdf", 6, b"%PDF-1")


def test_an_answer_over_an_unseen_message_is_held(ticket: Ticket, channel: Any, agent: Any) -> None:
    seen = ticket.sequence
    new = factories.MessageFactory(ticket=ticket, text="Forget it, solved.")
    before = counts()
    with pytest.raises(replies.UnseenMessages) as held:
        replies.reply(ticket, author=agent, text="Which model?", seen=seen)
    assert held.value.messages == [new] and counts() == before
    assert replies.reply(ticket, author=agent, text="Fine.", seen=seen, override=True).pk
    ticket.refresh_from_db()
    assert replies.reply(ticket, author=agent, text="Bye.", seen=ticket.sequence).pk


@pytest.mark.parametrize("kind", ["outbound", "note", "call"])
def test_an_answer_waits_for_what_a_colleague_added_meanwhile(
    ticket: Ticket, channel: Any, agent: Any, kind: str
) -> None:
    seen, lena = ticket.sequence, factories.UserFactory(name="Lena", is_staff=True)
    factories.MessageFactory(ticket=ticket, kind="automatic", text="We have your message.")
    mine = factories.MessageFactory(ticket=ticket, kind="note", author=agent, text="I am on it.")
    theirs = factories.MessageFactory(ticket=ticket, kind=kind, author=lena, text="It is solved.")
    with pytest.raises(replies.UnseenMessages) as held:
        replies.reply(ticket, author=agent, text="Which model?", seen=seen)
    assert held.value.messages == [theirs] and mine.seq > seen
    assert replies.reply(ticket, author=agent, text="Fine.", seen=theirs.seq).pk


@pytest.mark.parametrize(
    "to",
    [
        "a@x.test,b@y.test",
        "a@x.test>\r\nRCPT TO:<b@y.test>",
        "a@x.test\nBcc: b@y.test",
        "a x@y.test",
        "nobody",
        "<a@x.test>",
    ],
)
def test_one_recipient_is_one_address(ticket: Ticket, channel: Any, agent: Any, to: str) -> None:
    before = counts()
    with pytest.raises(ValidationError):
        replies.reply(ticket, author=agent, text="Hi", to=to)
    with pytest.raises(ValidationError):
        replies.reply(ticket, author=agent, text="Hi", cc=[to])
    assert counts() == before


def test_twenty_recipients_are_the_most_and_our_own_addresses_are_left_out(
    ticket: Ticket, channel: Any, agent: Any
) -> None:
    with pytest.raises(ValidationError):
        replies.reply(ticket, author=agent, text="Hi", cc=[f"c{n}@x.test" for n in range(20)])
    replies.reply(
        ticket, author=agent, text="Hi", cc=["SUPPORT@example.com", "ben@customer.test", "Anna@customer.test"]
    )
    assert sorted(Delivery.objects.values_list("recipient", flat=True)) == ["anna@customer.test", "ben@customer.test"]


def test_an_empty_answer_is_refused(ticket: Ticket, channel: Any, agent: Any) -> None:
    with pytest.raises(ValidationError):
        replies.reply(ticket, author=agent, text="  \n")
    assert Delivery.objects.count() == 0


def test_without_a_channel_that_sends_it_is_said(ticket: Ticket, agent: Any) -> None:
    with pytest.raises(replies.NoWayOut):
        replies.reply(ticket, author=agent, text="Hi")


def test_a_note_is_told_to_those_who_may_see_it(ticket: Ticket, agent: Any, supervisor: Any, marketer: Any) -> None:
    note = replies.add_note(ticket, author=agent, text="Call her?", mentions=[supervisor, marketer, agent])
    assert (note.kind, Delivery.objects.count()) == ("note", 0)
    assert list(Notification.objects.values_list("user", flat=True)) == [supervisor.pk]


def test_what_a_customer_writes_on_the_portal_goes_the_way_of_every_message(queue: Any, customer_user: Any) -> None:
    factories.ChannelFactory(kind="webform", name="Form", address="", queue=queue)
    ticket = factories.TicketFactory(queue=queue, contact=customer_user.contact)
    raw = replies.customer_reply(
        ticket, user=customer_user, text="Here is a photo.", attached=[("a.png", "image/png", b"P")]
    )
    assert (raw.outcome, raw.ticket_id) == (RawMessage.Outcome.APPENDED, ticket.pk)
    assert (raw.message.contact, raw.message.unverified, raw.message.attachments.get().name) == (
        customer_user.contact,
        False,
        "a.png",
    )
    assert Delivery.objects.count() == 0


def test_who_answers_what_is_nobodys_has_it(ticket: Ticket, channel: Any, agent: Any, supervisor: Any) -> None:
    stranger = factories.StaffFactory(role="agent", email="of.another.queue@guichet.test")
    for author, has in ((stranger, None), (agent, agent), (supervisor, agent)):
        replies.reply(ticket, author=author, text="Which model is it?")
        ticket.refresh_from_db()
        assert ticket.assignee == has
    (event,) = ticket.events.filter(what="assignee")
    assert (event.new, event.actor, event.why) == (str(agent), agent, "answer")


def test_writing_first_opens_a_ticket_of_ones_own(channel: Any, agent: Any) -> None:
    message = replies.open_outgoing(
        author=agent, channel=channel, to="New@Customer.test", subject="Your order", text="Hello"
    )
    ticket = message.ticket
    assert (ticket.assignee, ticket.status, ticket.subject) == (agent, "pending", "Your order")
    assert Delivery.objects.get().recipient == "new@customer.test"


def test_rules_for_opened_tickets_see_what_a_colleague_opens(channel: Any, agent: Any) -> None:
    def rule(name: str, fact: str, *actions: dict[str, Any], **more: Any) -> None:
        conditions = {"match": "all", "items": [{"fact": fact, **more}]}
        factories.RuleFactory(name=name, event="ticket.opened", conditions=conditions, actions=list(actions))

    template = factories.TemplateFactory(purpose="automatic", texts={"en": ("We have it", "Thank you.")})
    answer = {"action": "auto_answer", "template": str(template.pk)}
    rule("Recalls", "body", {"action": "add_tags", "tags": ["recall"]}, answer, operator="contains", value="recall")
    rule("Ours", "by_colleague", {"action": "set_priority", "priority": "3"}, operator="yes")
    rule("Theirs", "by_colleague", {"action": "add_tags", "tags": ["theirs"]}, operator="no")
    rule("To them", "to", {"action": "add_tags", "tags": ["new"]}, operator="one_of", value=["new@customer.test"])
    message = replies.open_outgoing(
        author=agent, channel=channel, to="new@customer.test", subject="Your machine", text="There is a recall."
    )
    ticket = Ticket.objects.get()
    assert (sorted(tag.name for tag in ticket.tags.all()), ticket.priority) == (["new", "recall"], 3)
    assert (ticket.assignee, ticket.status, message.ticket) == (agent, "pending", ticket)
    (run,) = RuleRun.objects.filter(event="ticket.opened")
    assert [match["name"] for match in run.matched] == ["Recalls", "Ours", "To them"]
    assert "no message to answer" in str(run.matched[0]["did"])
    assert list(Delivery.objects.values_list("purpose", flat=True)) == ["reply"]
    replies.reply(ticket, author=agent, text="Have you seen it?")
    (case,) = registry.history("ticket.opened")(agent, 10)
    assert case.facts["by_colleague"] is True


def test_an_answer_goes_by_the_way_the_customer_last_used(ticket: Ticket, channel: Any, agent: Any) -> None:
    other = factories.ChannelFactory(queue=ticket.queue)
    factories.MessageFactory(ticket=ticket, channel=channel)
    factories.MessageFactory(ticket=ticket, channel=other, from_address="anna.home@customer.test")
    assert [(way.channel, way.recipient) for way in ways_out.ways(ticket)] == [
        (other, "anna.home@customer.test"),
        (channel, "anna@customer.test"),
    ]
    message = replies.reply(ticket, author=agent, text="Which model is it?")
    assert (message.channel, message.to) == (other, [["anna.home@customer.test", ""]])
    message = replies.reply(ticket, author=agent, text="And which year?", channel=channel)
    assert (message.channel, message.to) == (channel, [["anna@customer.test", ""]])


def test_a_channel_that_only_receives_is_no_way_out(ticket: Ticket, channel: Any, agent: Any) -> None:
    form = factories.ChannelFactory(queue=ticket.queue, kind="webform")
    before = counts()
    with pytest.raises(replies.NoWayOut):
        replies.reply(ticket, author=agent, text="Hi", channel=form)
    assert counts() == before
    factories.MessageFactory(ticket=ticket, channel=form, from_address="anna@customer.test")
    assert [(way.channel, way.recipient) for way in ways_out.ways(ticket)] == [(channel, "anna@customer.test")]
