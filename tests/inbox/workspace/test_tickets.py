"""The conversation, and what is done to a ticket."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation
from zeal import zeal_ignore

from crm.organisation.models import User
from crm.service import services
from crm.service.models import Ticket, TicketEvent, TicketLink, TicketMerge
from inbox import queries
from inbox.models import Delivery, Mention, Message, TicketSeen
from inbox.workspace import conversation, history
from routing.models import Rule, RuleRun
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


def url(name, ticket, *more) -> str:
    return reverse(f"inbox:{name}", args=[ticket.number, *more])


def do(client, ticket, deed, value, **extra):
    return client.post(url("do", ticket, deed), {"value": value, **extra}, **HTMX)


@pytest.fixture
def desk(login, agent, channel):
    return login(agent)


def test_messages_and_changes_stand_in_their_order(desk, ticket, agent):
    do(desk, ticket, "priority", "4")
    factories.MessageFactory(ticket=Ticket.objects.get(), text="Second")
    do(desk, ticket, "tag", "leak, machine")
    shown = desk.get(url("ticket", ticket)).context["window"].entries
    assert [(e.seq, e.kind) for e in shown] == [(1, "message"), (2, "events"), (3, "message"), (4, "events")]
    assert [words for _, words, _, _ in shown[1].events] == ["changed the priority from Normal to Urgent"]
    assert [words for _, words, _, _ in shown[3].events] == ["added the tag leak, machine"]
    assert shown[1].actor == "Agent"


def test_only_what_came_after_is_given_and_reading_marks_it_seen(desk, ticket, agent):
    desk.get(url("ticket", ticket))
    factories.MessageFactory(ticket=ticket, text="Second")
    do(desk, ticket, "priority", "3", seen="2")
    response = desk.get(url("after", ticket, 1))
    assert [entry.seq for entry in response.context["entries"]] == [2, 3]
    assert 'data-seq="3"' in response.content.decode()
    assert TicketSeen.objects.get(user=agent).seq == 3
    assert desk.get(url("after", ticket, 3)).context["entries"] == []


def test_long_conversations_come_in_windows(desk, ticket, monkeypatch):
    monkeypatch.setattr(conversation, "WINDOW", 3)
    for n in range(7):
        factories.MessageFactory(ticket=ticket, text=f"Message {n}")
    window = desk.get(url("ticket", ticket)).context["window"]
    assert ([e.seq for e in window.entries], window.earlier) == ([6, 7, 8], 6)
    window = desk.get(url("before", ticket, 6)).context["window"]
    assert ([e.seq for e in window.entries], window.earlier) == ([3, 4, 5], 3)
    window = desk.get(url("before", ticket, 3)).context["window"]
    assert ([e.seq for e in window.entries], window.earlier) == ([1, 2], 0)


def test_an_answer_is_held_while_something_new_is_unseen(desk, ticket):
    desk.get(url("ticket", ticket))
    factories.MessageFactory(ticket=ticket, text="Wait, one more thing")
    held = desk.post(url("reply", ticket), {"text": "Our answer", "seen": "1"}, **HTMX)
    assert held.status_code == 409
    assert 'data-unseen="1"' in held.content.decode()
    assert "Wait, one more thing" in held.content.decode()
    assert not Message.objects.filter(kind="outbound").exists()
    sent = desk.post(url("reply", ticket), {"text": "Our answer", "seen": "1", "override": "1"}, **HTMX)
    assert sent.status_code == 200
    assert Message.objects.get(kind="outbound").text == "Our answer"
    assert Delivery.objects.get().recipient == "anna@customer.test"
    ticket.refresh_from_db()
    seen = desk.post(url("reply", ticket), {"text": "And this", "seen": str(ticket.sequence)}, **HTMX)
    assert seen.status_code == 200


def test_an_answer_is_held_while_that_of_a_colleague_is_unseen(login, agent, supervisor, channel, ticket):
    lena = login(supervisor)
    assert lena.post(url("reply", ticket), {"text": "Lena was first", "seen": "1"}, **HTMX).status_code == 200
    desk = login(agent)
    held = desk.post(url("reply", ticket), {"text": "Sabine was second", "seen": "1"}, **HTMX)
    assert held.status_code == 409
    assert 'data-unseen="1"' in held.content.decode() and "Lena was first" in held.content.decode()
    assert Message.objects.get(kind="outbound").author == supervisor
    again = {"text": "Sabine was second", "seen": "1", "override": "1", "client_id": "0123456789abcdef"}
    for _twice in range(2):
        assert desk.post(url("reply", ticket), again, **HTMX).status_code == 200
    assert Message.objects.filter(kind="outbound").count() == 2


def test_a_reply_takes_copies_files_and_a_status(desk, ticket):
    from django.core.files.uploadedfile import SimpleUploadedFile

    data = {
        "text": "Our answer",
        "seen": "1",
        "cc": "b@customer.test, c@customer.test",
        "status": "resolved",
        "files": [SimpleUploadedFile("a.txt", b"content", "text/plain")],
    }
    assert desk.post(url("reply", ticket), data, **HTMX).status_code == 200
    message = Message.objects.get(kind="outbound")
    assert sorted(message.deliveries.values_list("recipient", flat=True)) == [
        "anna@customer.test",
        "b@customer.test",
        "c@customer.test",
    ]
    assert message.attachments.get().name == "a.txt"
    ticket.refresh_from_db()
    assert ticket.status == "resolved"


@pytest.mark.parametrize(
    "data",
    [
        {"text": "   "},
        {"text": "Hi", "cc": "not an address"},
        {"text": "Hi", "cc": "a@x.test\r\nRCPT TO:<b@y.test>"},
        {"text": "Hi", "cc": " ".join(f"p{n}@x.test" for n in range(30))},
        {"text": "Hi", "to": "a@x.test b@x.test"},
        {"text": "x" * 300_000},
    ],
)
def test_what_cannot_be_sent_is_said_and_changes_nothing(data, desk, ticket):
    response = desk.post(url("reply", ticket), {"seen": "1", **data}, **HTMX)
    assert response.status_code == 422
    assert "data-refused" in response.content.decode()
    assert Message.objects.count() == 1
    assert not Delivery.objects.exists()


def test_a_note_tells_whom_it_names_and_nobody_else(desk, ticket, agent):
    named = factories.StaffFactory(name="Hans Koch")
    outside = factories.StaffFactory(name="Eva Wolf")
    factories.QueueMemberFactory(queue=ticket.queue, user=named)
    data = {"text": "@Hans Koch and @Eva Wolf, please look", "mention": [named.pk, outside.pk, agent.pk, "x"]}
    with zeal_ignore():  # whoever is named is asked one by one whether he sees the ticket
        assert desk.post(url("note", ticket), data, **HTMX).status_code == 200
    note = Message.objects.get(kind="note")
    assert list(Mention.objects.values_list("user", "message")) == [(named.pk, note.pk)]
    assert named.notifications.count() == 1
    assert outside.notifications.count() == 0
    view = next(v for v in queries.VIEWS if v.key == "mentions")
    assert list(queries.narrow(Ticket.objects.visible_to(named), view.filters, named)) == [ticket]


def test_deeds(desk, ticket, agent, other_queue):
    macro = factories.MacroFactory(actions=[{"action": "set_priority", "priority": 1}])
    for deed, value, field, expected in (
        ("status", "pending", "status", "pending"),
        ("priority", "4", "priority", 4),
        ("assign", "me", "assignee_id", agent.pk),
        ("assign", "none", "assignee_id", None),
        ("assign", str(agent.pk), "assignee_id", agent.pk),
        ("subject", "Another  subject", "subject", "Another subject"),
        ("macro", str(macro.pk), "priority", 1),
        ("snooze", "tomorrow", "status", "snoozed"),
        ("queue", str(other_queue.pk), "queue_id", other_queue.pk),
    ):
        response = do(desk, ticket, deed, value)
        assert response.status_code == 200, (deed, response.content)
        assert getattr(Ticket.objects.get(pk=ticket.pk), field) == expected, deed
    do(desk, ticket, "tag", "one, two ,")
    do(desk, ticket, "untag", "one")
    assert list(ticket.tags.values_list("name", flat=True)) == ["two"]


@pytest.mark.parametrize(
    ("deed", "value"),
    [
        ("status", "merged"),
        ("status", "x"),
        ("priority", "9"),
        ("priority", "x"),
        ("assign", "99999"),
        ("assign", "-1"),
        ("queue", "99999"),
        ("snooze", "2001-01-01T10:00"),
        ("snooze", "2999-01-01T10:00"),
        ("snooze", "soon"),
        ("macro", "99999"),
        ("subject", " "),
        ("merge", "1"),
        ("merge", "x"),
    ],
)
def test_deeds_that_cannot_be_are_refused_in_words(deed, value, desk, ticket):
    before = Ticket.objects.values().get()
    response = do(desk, ticket, deed, value)
    assert response.status_code == 422
    assert len(response.content.decode().strip()) > 20
    assert Ticket.objects.values().get() == before
    assert do(desk, ticket, "explode", "1").status_code == 404


def test_nobody_is_given_a_ticket_that_he_does_not_see(desk, ticket, customer_user, marketer):
    stranger = factories.StaffFactory(role="agent")
    for user in (stranger, customer_user, marketer):
        assert do(desk, ticket, "assign", str(user.pk)).status_code == 422
    assert Ticket.objects.get().assignee is None


def test_a_ticket_that_leaves_the_agents_sight_says_so(desk, ticket, other_queue):
    do(desk, ticket, "assign", "none")
    response = do(desk, ticket, "queue", str(other_queue.pk))
    assert (response.status_code, response.headers["X-Ticket"]) == (204, "gone")
    assert desk.get(url("after", ticket, 0)).status_code == 404


def test_an_unverified_claim_is_shown_and_merged_with_one_click(desk, ticket, queue, contact):
    claiming = factories.TicketFactory(queue=queue, contact=contact)
    factories.MessageFactory(ticket=claiming, text="I belong there", unverified=True)
    TicketLink.objects.create(ticket=claiming, other=ticket, kind="unverified")
    page = desk.get(url("ticket", claiming)).content.decode()
    assert f"Says that it belongs to #{ticket.number}" in page
    assert "Sender not verified" in page
    assert do(desk, claiming, "merge", str(ticket.number)).headers["X-Ticket"] == str(ticket.number)


def test_a_claim_never_names_a_ticket_of_another_queue(desk, ticket, other_queue):
    """S-26: nothing of a foreign ticket, not even its number."""
    foreign = factories.TicketFactory(queue=other_queue, subject="Salaries")
    TicketLink.objects.create(ticket=ticket, other=foreign, kind="unverified")
    page = desk.get(url("ticket", ticket)).content.decode()
    assert str(foreign.number) not in page


def test_split_makes_a_ticket_of_one_message(desk, ticket):
    second = factories.MessageFactory(ticket=ticket, text="By the way, another question")
    response = desk.post(url("split", ticket), {"message": second.pk}, **HTMX)
    made = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (response.status_code, response.headers["X-Ticket"]) == (200, str(made.number))
    second.refresh_from_db()
    assert second.ticket == made
    foreign = factories.MessageFactory(ticket=factories.TicketFactory())
    assert desk.post(url("split", ticket), {"message": foreign.pk}, **HTMX).status_code == 404
    assert desk.post(url("split", ticket), {"message": "9" * 30}, **HTMX).status_code == 404


def test_a_failed_delivery_is_sent_again(desk, ticket):
    message = factories.MessageFactory(ticket=ticket, kind="outbound")
    delivery = factories.DeliveryFactory(message=message, state="failed", response="550 no such user")
    assert "550 no such user" in desk.get(url("ticket", ticket)).content.decode()
    assert desk.post(url("retry", ticket, delivery.pk), **HTMX).status_code == 200
    assert Delivery.objects.get().state == "queued"
    foreign = factories.DeliveryFactory(message=factories.MessageFactory(kind="outbound"), state="failed")
    assert desk.post(url("retry", ticket, foreign.pk), **HTMX).status_code == 404


def test_our_own_words_about_a_delivery_are_in_the_readers_language(desk, agent, ticket):
    agent.language = "zh-hans"
    agent.save()
    message = factories.MessageFactory(ticket=ticket, kind="outbound")
    for said in ("The visitor has not come back yet.", "550 no such user"):
        factories.DeliveryFactory(message=message, state="deferred", response=said)
    page = desk.get(url("ticket", ticket)).content.decode()
    assert "访客还没有回来。" in page and "550 no such user" in page


@pytest.mark.parametrize(
    ("deed", "value", "said"),
    [
        ("status", "bogus", "There is no such status."),
        ("status", "merged", "A ticket is merged by merging it into another one."),
        ("status", "snoozed", "A ticket is snoozed until a time, or it would never wake."),
        ("priority", "9", "There is no such priority."),
    ],
)
def test_what_cannot_be_set_is_refused_in_words(desk, ticket, deed, value, said):
    refused = do(desk, ticket, deed, value)
    assert (refused.status_code, said in refused.content.decode()) == (422, True)
    assert said in bulk(desk, deed, value, ticket.number).content.decode()


def bulk(client, deed, value, *numbers):
    return client.post(reverse("inbox:bulk"), {"deed": deed, "value": value, "ticket": numbers}, **HTMX)


def test_bulk_changes_all_that_are_chosen(desk, queue, ticket):
    others = [factories.TicketFactory(queue=queue) for _ in range(3)]
    assert bulk(desk, "status", "resolved", *[t.number for t in others]).status_code == 200
    assert set(Ticket.objects.filter(status="resolved")) == set(others)
    with zeal_ignore():  # each merge is a transaction of its own
        assert bulk(desk, "merge", str(ticket.number), *[t.number for t in others[:2]]).status_code == 200
    assert set(Ticket.objects.filter(merged_into=ticket)) == set(others[:2])
    assert bulk(desk, "snooze", "soon", others[2].number).status_code == 422
    assert bulk(desk, "subject", "x", others[2].number).status_code == 404
    assert bulk(desk, "status", "open", "1 OR 1").status_code == 404


def test_bulk_with_one_foreign_ticket_changes_nothing(desk, queue, other_queue):
    mine, foreign = factories.TicketFactory(queue=queue), factories.TicketFactory(queue=other_queue)
    before = list(Ticket.objects.order_by("pk").values())
    assert bulk(desk, "status", "closed", mine.number, foreign.number).status_code == 404
    assert list(Ticket.objects.order_by("pk").values()) == before


def test_merging_into_a_foreign_ticket_is_refused_and_changes_nothing(desk, ticket, other_queue):
    foreign = factories.TicketFactory(queue=other_queue)
    assert do(desk, ticket, "merge", str(foreign.number)).status_code == 422
    assert not TicketMerge.objects.exists()


def test_the_customer_is_shown_without_tickets_of_other_queues(desk, ticket, contact, queue, other_queue):
    factories.TicketFactory(queue=other_queue, contact=contact, subject="Hidden from the agent")
    factories.TicketFactory(queue=queue, contact=contact, subject="Seen by the agent")
    body = desk.get(url("about", ticket)).content.decode()
    assert "Seen by the agent" in body
    assert "Hidden from the agent" not in body
    assert "Kaffeehaus Schmidt" in body


def test_why_it_is_here_names_rule_and_values(desk, ticket):
    because = [["sender_domain", "is", "customer.test", "customer.test"], ["subject", "contains", "leak", "It leaks"]]
    matched = [
        {"rule": 1, "name": "Machines", "because": because, "did": ["moved it to Support", ["set_queue", "Repairs"]]}
    ]
    RuleRun.objects.create(event="message.received", subject=f"ticket:{ticket.pk}", matched=matched)
    RuleRun.objects.create(event="message.received", subject="ticket:999", matched=[{"name": "Not ours"}])
    body = desk.get(url("why", ticket)).content.decode()
    for words in ("Machines", "customer.test", "It leaks", "moved it to Support", "Repairs"):
        assert words in body
    assert "Not ours" not in body


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Urgent", "Waiting for customer", "nobody has room", "notified: everybody in the queue", "note"]),
        ("zh-hans", ["紧急", "等待客户", "没有人有空闲", "已通知：队列中的所有人", "备注"]),
    ],
)
def test_what_rules_did_is_read_in_the_readers_language(ticket, agent, language, words):
    """Whichever was spoken when they ran."""
    actions = [
        {"action": "set_priority", "priority": "4"},
        {"action": "set_status", "status": "pending"},
        {"action": "assign_by", "strategy": "round-robin"},
        {"action": "notify", "whom": "queue"},
        {"action": "add_note", "text": "Look"},
    ]
    User.objects.filter(pk=agent.pk).update(is_available=False)
    Rule.objects.create(name="All", event="ticket.changed", actions=actions)
    with translation.override("zh-hant" if language == "en" else "en"):
        services.tag(ticket, add=["leak"], by=None)
    with translation.override(language):
        assert conversation.runs(ticket)[0].matched[0]["did"] == words


def test_the_real_address_and_hidden_signs_are_shown(desk, ticket):
    factories.MessageFactory(
        ticket=ticket,
        from_name="support@bank.test\u202e",
        from_address="x@evil.test",
        subject="a\u200bb",
        text='Line one\nA\u202eB\u200b <script>alert(1)</script> https://a.test/?x="onmouseover=1',
    )
    body = desk.get(url("ticket", ticket)).content.decode()
    assert "&lt;x@evil.test&gt;" in body
    assert "support@bank.test⟨U+202E⟩" in body
    assert "\u202e" not in body
    assert "\u200b" not in body
    assert "<script>alert" not in body
    assert "Line one\nA⟨U+202E⟩B⟨U+200B⟩" in body
    assert 'rel="noopener noreferrer nofollow"' in body


def test_the_end_of_a_line_is_no_hidden_sign(desk, ticket):
    factories.MessageFactory(ticket=ticket, text="Line one\r\nLine two")
    assert "Line one\nLine two" in desk.get(url("ticket", ticket)).content.decode()


def test_numbers_are_spaced_wherever_a_fax_stands(desk, ticket):
    caller = factories.PointFactory(contact__name="", kind="fax", value="+494012345678").contact
    fax = factories.ChannelFactory(kind="fax", address="+49404321560")
    ticket.contact = caller
    ticket.save()
    factories.MessageFactory(ticket=ticket, contact=caller, channel=fax, from_address="+494012345678", text="Order")
    answer = factories.MessageFactory(
        ticket=ticket, kind="outbound", channel=fax, to=[["+494012345678", ""]], text="Thanks"
    )
    factories.DeliveryFactory(message=answer, channel=fax, recipient="+494012345678", state="sent")
    words = " ".join(re.findall(r">([^<]*)<", desk.get(url("ticket", ticket)).content.decode()))
    assert "+494012345678" not in words
    assert words.count("+49 40 12345678") >= 4


def test_canned_replies_speak_the_customers_language(desk, ticket):
    texts = {
        "en": ("", "Dear {{ contact.name }}, #{{ ticket.number }} {{ settings.SECRET_KEY }}"),
        "zh-hans": ("", "您好 {{ contact.name }}"),
    }
    factories.TemplateFactory(name="Serial number", texts=texts)
    factories.TemplateFactory(name="Other", purpose="automatic")
    items = desk.get(url("texts", ticket, "canned"), {"q": "serial"}).json()["items"]
    assert [(i["name"], i["text"]) for i in items] == [
        ("Serial number", f"Dear Anna Schmidt, #{ticket.number} {{{{ settings.SECRET_KEY }}}}")
    ]
    Ticket.objects.update(language="zh-hans")
    assert desk.get(url("texts", ticket, "canned")).json()["items"][0]["text"] == "您好 Anna Schmidt"
    assert desk.get(url("texts", ticket, "automatic")).status_code == 404


def test_a_new_ticket_begins_with_our_message(desk, agent, channel, other_queue):
    foreign = factories.ChannelFactory(queue=other_queue)
    data = {"channel": channel.pk, "to": "new@person.test", "subject": "Your order", "text": "Dear customer"}
    assert desk.post(reverse("inbox:compose"), {**data, "channel": foreign.pk}).status_code == 422
    assert desk.post(reverse("inbox:compose"), {**data, "to": "a@x.test, b@x.test"}).status_code == 422
    refused = desk.post(reverse("inbox:compose"), {**data, "subject": ""})
    assert "Dear customer" in refused.content.decode()
    assert not Ticket.objects.exists()
    response = desk.post(reverse("inbox:compose"), data)
    made = Ticket.objects.get()
    assert (response.status_code, response.url) == (302, url("ticket", made))
    assert (made.subject, made.assignee, made.queue) == ("Your order", agent, channel.queue)
    assert Delivery.objects.get().recipient == "new@person.test"


def test_shortcuts_are_remapped_and_never_ambiguous(desk, agent):
    address = reverse("inbox:shortcuts")
    refused = desk.post(address, {"next": "h", "previous": "h"})
    assert refused.status_code == 422
    assert refused.content.decode().count('value="h"') == 2  # what was typed stands there to be put right
    assert desk.post(address, {"next": "n", "note": ""}).status_code == 422
    assert desk.post(address, {"next": "h", "previous": "h", "reset": "1"}).json()["next"] == "j"
    keys = desk.post(address, {"next": "n", "note": "j"}).json()
    assert (keys["next"], keys["note"], keys["reply"]) == ("n", "j", "r")
    agent.refresh_from_db()
    assert agent.shortcuts == {"next": "n", "note": "j"}
    assert desk.post(address, {"reset": "1"}).json()["next"] == "j"


def test_snooze_presets_lie_in_the_future(desk, ticket):
    for preset in ("hour", "afternoon", "tomorrow", "monday", "week", "month"):
        assert do(desk, ticket, "snooze", preset).status_code == 200
        until = Ticket.objects.get().snoozed_until
        assert timezone.now() < until < timezone.now() + timedelta(days=32)


def test_reasons_are_read_in_the_readers_language_and_peoples_words_stay(ticket):
    with translation.override("zh-hans"):
        for what, why, read in (
            ("assignee", "took over", ""),
            ("status", "took over", "已接手"),
            ("queue", "handed over", "已移交"),
            ("status", "chat ended", "聊天已结束"),
            ("status", "answer", "同事已回复"),
            ("status", "message", "客户来信"),
            ("escalated", "first", "首次回复"),
            ("opened", "split from #100001", "拆分自 #100001"),
            ("rated", "answer", "answer"),
            ("undelivered", "550 unknown", "550 unknown"),
        ):
            assert history.reason(TicketEvent(ticket=ticket, what=what, new="open", why=why)) == read
