"""Joining a ticket needs proof of the thread and a sender who takes part in it (S-39, S-40, S-43, S-44)."""

from __future__ import annotations

from typing import Any

import pytest

from crm.service.models import Ticket, TicketLink
from inbox.channels.email import tokens
from inbox.models import Message, RawMessage
from inbox.services import merging, replies
from tests import factories

Outcome = RawMessage.Outcome
ANNA, MALLORY = "Anna <anna@customer.test>", "Mallory <mallory@evil.test>"


@pytest.fixture
def opened(receive: Any) -> RawMessage:
    return receive("It leaks.", mail_id="first@mail.customer.test")


@pytest.fixture
def answer(opened: RawMessage, supervisor: Any) -> Message:
    return replies.reply(opened.ticket, author=supervisor, text="Which model is it?")


def untouched(ticket: Ticket) -> tuple[int, int, str]:
    ticket.refresh_from_db()
    return ticket.sequence, ticket.messages.count(), ticket.status


def test_a_first_mail_opens_a_ticket_with_its_sender_as_participant(opened: RawMessage) -> None:
    ticket = opened.ticket
    assert (opened.outcome, ticket.subject, ticket.status) == (Outcome.OPENED, "Leaking machine", "new")
    assert [
        p.contact.address for p in ticket.participants.select_related("contact").prefetch_related("contact__points")
    ] == ["anna@customer.test"]
    assert opened.message.text.strip() == "It leaks."


def test_an_answer_to_our_mail_is_appended(receive: Any, opened: RawMessage, answer: Message) -> None:
    raw = receive(
        "The blue one.", In_Reply_To=f"<{answer.mail_id}>", References=f"<first@mail.customer.test> <{answer.mail_id}>"
    )
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)
    assert list(opened.ticket.messages.values_list("kind", flat=True)) == [
        "inbound",
        "automatic",
        "outbound",
        "inbound",
    ]


def test_the_mark_is_found_whatever_case_a_server_made_of_it(receive: Any, opened: RawMessage, answer: Message) -> None:
    raw = receive("The blue one.", In_Reply_To=f"<{answer.mail_id.upper()}>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_an_answer_without_references_is_found_by_the_plus_address(receive: Any, opened: RawMessage) -> None:
    to = tokens.reply_address("support@example.com", opened.ticket_id)
    raw = receive("The blue one.", to=f"Example <{to}>", subject="no mark here")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_a_second_mail_of_the_same_thread_by_its_own_first_id(receive: Any, opened: RawMessage) -> None:
    raw = receive("One more thing.", References="<first@mail.customer.test>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_two_mails_that_share_an_unknown_ancestor_meet(receive: Any) -> None:
    one = receive("See below.", References="<never-seen@elsewhere.test>")
    two = receive("And this.", References="<never-seen@elsewhere.test>")
    assert (one.outcome, two.outcome, two.ticket_id) == (Outcome.OPENED, Outcome.APPENDED, one.ticket_id)


def test_an_answer_that_overtakes_its_original_is_joined_by_it(receive: Any) -> None:
    late = letter_id = "original@mail.customer.test"
    answer = receive("Sorry, I forgot the serial number.", In_Reply_To=f"<{letter_id}>")
    original = receive("It leaks.", mail_id=late)
    assert (original.outcome, original.ticket_id) == (Outcome.APPENDED, answer.ticket_id)


def test_the_oldest_of_very_many_references_counts_too(receive: Any, opened: RawMessage, answer: Message) -> None:
    others = " ".join(f"<{n}@elsewhere.test>" for n in range(80))
    raw = receive("The blue one.", References=f"<{answer.mail_id}> {others}")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_the_oldest_of_more_references_than_are_read_counts_too(
    receive: Any, opened: RawMessage, answer: Message
) -> None:
    others = " ".join(f"<{n}@elsewhere.test>" for n in range(500))
    raw = receive("The blue one.", References=f"<{answer.mail_id}> {others}")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_a_finished_ticket_is_reopened(receive: Any, opened: RawMessage, answer: Message, supervisor: Any) -> None:
    from crm.service import services

    services.close(opened.ticket, by=supervisor)
    raw = receive("Still leaking!", In_Reply_To=f"<{answer.mail_id}>")
    opened.ticket.refresh_from_db()
    assert (raw.outcome, raw.ticket_id, opened.ticket.status) == (Outcome.REOPENED, opened.ticket_id, "open")


def test_a_vacation_notice_joins_without_reopening(
    receive: Any, opened: RawMessage, answer: Message, supervisor: Any
) -> None:
    from crm.service import services

    services.close(opened.ticket, by=supervisor)
    raw = receive("I am away.", In_Reply_To=f"<{answer.mail_id}>", Auto_Submitted="auto-replied")
    opened.ticket.refresh_from_db()
    assert (raw.outcome, opened.ticket.status) == (Outcome.APPENDED, "closed")


@pytest.mark.parametrize(
    "subject", ["Re: [Ticket#{n}] Leak", "[#{n}]", "Ticket#{n}", "re: ticket# {n}: leak", "AW: Leak [TICKET＃{n}]"]
)
def test_a_number_in_the_subject_never_appends_but_is_linked(receive: Any, opened: RawMessage, subject: str) -> None:
    before = untouched(opened.ticket)
    raw = receive("Let me in.", sender=MALLORY, subject=subject.format(n=opened.ticket.number))
    link = TicketLink.objects.get(ticket=raw.ticket)
    assert (raw.outcome, link.other_id, link.kind) == (Outcome.OPENED, opened.ticket_id, "unverified")
    assert raw.reason == f"unverified: claims to belong to #{opened.ticket.number}"
    assert raw.message.unverified and untouched(opened.ticket) == before


@pytest.mark.parametrize(
    ("hook", "subject", "claims"),
    [
        ("Halden-", "Re: Leak [Halden-{n}]", True),
        ("Halden-", "Halden-{n}", True),
        ("Halden-", "[#{n}]", True),
        ("工单 #", "回复：工单 #{n}", True),
        ("工单 #", "[工单＃{n}]", True),
        ("#", "[#{n}]", True),
        ("Halden-", "Re: [Ticket#{n}] Leak", False),
        ("Halden-", "[Acme#{n}]", False),
        ("Halden-", "NotHalden-{n}", False),
        ("Ticket#", "[Acme Ticket#{n}]", False),
        ("Ticket#", "Ticket#{n}7x", False),
        ("Ticket#", "Invoice #{n}", False),
        ("#", "Invoice #{n}", False),
        ("Ticket#", "#{n}", True),
        ("Ticket#", "Re: AW：#{n}", True),
        ("Ticket#", "Re: Invoice #{n}", False),
        ("Ticket#", "工单 #{n}", False),
    ],
)
def test_the_mark_in_a_subject_is_that_of_our_channels(
    receive: Any, opened: RawMessage, mailbox: Any, hook: str, subject: str, claims: bool
) -> None:
    mailbox.settings = {**mailbox.settings, "subject_hook": hook}
    mailbox.save()
    raw = receive("Let me in.", sender=MALLORY, subject=subject.format(n=opened.ticket.number))
    assert (raw.outcome, raw.message.unverified) == (Outcome.OPENED, claims)
    assert TicketLink.objects.filter(ticket=raw.ticket, other=opened.ticket).exists() == claims


def test_even_the_customer_himself_is_not_believed_by_number_alone(receive: Any, opened: RawMessage) -> None:
    raw = receive("Me again.", subject=f"[Ticket#{opened.ticket.number}]")
    assert raw.outcome == Outcome.OPENED and raw.ticket_id != opened.ticket_id
    assert TicketLink.objects.get(ticket=raw.ticket).other_id == opened.ticket_id


def forged(ticket_id: int) -> dict[str, dict[str, str]]:
    good = tokens.new_message_id(ticket_id, "example.com")
    local, _, domain = good.partition("@")
    payload, _, signature = local.rpartition(".")
    other = tokens.new_message_id(ticket_id + 7, "example.com").partition("@")[0].rpartition(".")[2]
    flipped = ("a" if signature[0] != "a" else "b") + signature[1:]
    return {
        "wrong signature": {"References": f"<{payload}.{flipped}@{domain}>"},
        "cut signature": {"References": f"<{payload}.{signature[:-3]}@{domain}>"},
        "no signature": {"References": f"<{payload}@{domain}>"},
        "signature of another ticket": {"In_Reply_To": f"<{payload}.{other}@{domain}>"},
        "guessed plus-address": {"to": f"support+t{ticket_id}.{'a' * 16}@example.com"},
        "plus-address without signature": {"to": f"support+t{ticket_id}@example.com"},
    }


@pytest.mark.parametrize("trick", list(forged(1)))
@pytest.mark.parametrize("sender", [ANNA, MALLORY])
def test_a_forged_mark_opens_a_linked_ticket(receive: Any, opened: RawMessage, trick: str, sender: str) -> None:
    before = untouched(opened.ticket)
    raw = receive("Send me the history.", sender=sender, subject="Hello", **forged(opened.ticket_id)[trick])
    assert raw.outcome == Outcome.OPENED and raw.message.unverified
    assert TicketLink.objects.get(ticket=raw.ticket).other_id == opened.ticket_id
    assert untouched(opened.ticket) == before


@pytest.mark.parametrize(("on", "queues"), [(True, ["Sales"]), (False, [])])
def test_a_plus_part_that_is_no_mark_names_the_channel_before_it(
    receive: Any, opened: RawMessage, other_queue: Any, on: bool, queues: list[str]
) -> None:
    other_queue.name = "Sales"
    other_queue.save()
    factories.ChannelFactory(
        name="Sales", address="sales@example.com", queue=other_queue, settings={"plus_addressing": on}
    )
    raw = receive("Hello", sender=MALLORY, subject="Hello", to="support@example.com, sales+1234@example.com")
    assert [row.queue.name for row in raw.ticket.also_in.select_related("queue")] == queues


def test_a_mark_made_with_a_retired_key_is_not_believed(receive: Any, opened: RawMessage, settings: Any) -> None:
    real = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = ["a key that was never ours, fifty characters long ....."]
    forged_id = tokens.new_message_id(opened.ticket_id, "example.com")
    settings.TOKEN_KEYS = real
    assert receive("Hi", In_Reply_To=f"<{forged_id}>", sender=MALLORY).outcome == Outcome.OPENED


def test_a_mark_made_with_the_previous_key_still_counts(
    receive: Any, opened: RawMessage, answer: Message, settings: Any
) -> None:
    settings.TOKEN_KEYS = ["the new key, which is also fifty characters long ......", *settings.TOKEN_KEYS]
    raw = receive("The blue one.", In_Reply_To=f"<{answer.mail_id}>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)


def test_a_true_mark_from_a_stranger_opens_a_linked_ticket(receive: Any, opened: RawMessage, answer: Message) -> None:
    before = untouched(opened.ticket)
    raw = receive("I found this mail.", sender=MALLORY, In_Reply_To=f"<{answer.mail_id}>")
    assert raw.outcome == Outcome.OPENED and raw.message.unverified
    assert TicketLink.objects.get(ticket=raw.ticket).other_id == opened.ticket_id
    assert untouched(opened.ticket) == before
    assert not opened.ticket.participants.filter(contact=raw.ticket.contact).exists()


def test_the_ticket_trick_does_not_show_a_code_to_the_customer(receive: Any, opened: RawMessage) -> None:
    to = tokens.reply_address("support@example.com", opened.ticket_id)
    raw = receive("Your code is 123456", sender="no-reply@bank.test", to=to, subject="Your code")
    assert raw.ticket_id != opened.ticket_id and raw.outcome == Outcome.OPENED
    assert raw.answer.startswith("written by a machine")


def test_the_ticket_trick_with_the_service_in_copy(receive: Any) -> None:
    first = receive("Hello", Cc="no-reply@bank.test")
    to = tokens.reply_address("support@example.com", first.ticket_id)
    raw = receive("Your code is 123456", sender="no-reply@bank.test", to=to, subject="Your code")
    assert raw.ticket_id != first.ticket_id


def test_the_ticket_trick_with_a_colleague_who_merges_what_it_claims(receive: Any, agent: Any) -> None:
    first = receive("Hello")
    to = tokens.reply_address("support@example.com", first.ticket_id)
    code = {"sender": "no-reply@bank.test", "to": to, "subject": "Your code"}
    merging.merge(receive("Your code is 123456", **code).ticket, first.ticket, by=agent)
    assert list(first.ticket.messages.filter(text__contains="123456").values_list("hidden", flat=True)) == [True]
    further = receive("Your code is 654321", **code)
    assert further.outcome == Outcome.OPENED and further.ticket_id != first.ticket_id


def test_somebody_in_copy_may_answer_the_thread(receive: Any) -> None:
    first = receive("Please look, Ben knows more.", mail_id="cc@mail.customer.test", Cc="Ben <ben@customer.test>")
    raw = receive("It is the seal.", sender="Ben <ben@customer.test>", In_Reply_To="<cc@mail.customer.test>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, first.ticket_id)
    assert first.ticket.participants.count() == 1


def test_somebody_in_copy_may_answer_our_answer(receive: Any, supervisor: Any) -> None:
    """The customer handed it on, and the colleague's program names nothing but it."""
    first = receive("Please look, Ben knows more.", Cc="Ben <ben@customer.test>")
    ours = replies.reply(first.ticket, author=supervisor, text="Which model is it?")
    raw = receive("The blue one.", sender="Ben <ben@customer.test>", In_Reply_To=f"<{ours.mail_id}>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, first.ticket_id)
    assert first.ticket.participants.count() == 1
    other = receive("And mine?", sender="Eve <eve@customer.test>", In_Reply_To=f"<{ours.mail_id}>")
    assert other.outcome == Outcome.OPENED and other.ticket_id != first.ticket_id


def test_a_machine_of_somebody_in_copy_leads_his_answers_nowhere_else(receive: Any, supervisor: Any) -> None:
    """His absence note has opened a ticket of its own, in which he takes part."""
    first = receive("Please look, Ben knows more.", Cc="Ben <ben@customer.test>")
    ours = replies.reply(first.ticket, author=supervisor, text="Which model is it?")
    ben = {"sender": "Ben <ben@customer.test>", "In_Reply_To": f"<{ours.mail_id}>"}
    note = receive("I am away.", Auto_Submitted="auto-replied", **ben)
    assert (note.outcome, note.message.unverified) == (Outcome.OPENED, True)
    raw = receive("The blue one.", **ben)
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, first.ticket_id)


def test_all_who_answer_one_newsletter_have_nothing_to_do_with_each_other(receive: Any) -> None:
    one = receive("Send me two.", In_Reply_To="<news@shop.test>")
    two = receive("I want one too.", sender="Ben <ben@elsewhere.test>", In_Reply_To="<news@shop.test>")
    assert (two.outcome, two.reason, two.answer) == (Outcome.OPENED, "", "queued")
    assert two.ticket_id != one.ticket_id and not two.message.unverified
    assert not TicketLink.objects.exists()


def test_a_stranger_who_names_a_customers_mail_is_linked_to_its_ticket(receive: Any, opened: RawMessage) -> None:
    raw = receive("And mine?", sender=MALLORY, In_Reply_To="<first@mail.customer.test>")
    assert (raw.outcome, raw.message.unverified) == (Outcome.OPENED, True)
    assert TicketLink.objects.get(ticket=raw.ticket).other_id == opened.ticket_id


def test_somebody_in_copy_is_not_found_by_the_mark_alone(receive: Any) -> None:
    first = receive("Please look.", Cc="Ben <ben@customer.test>")
    to = tokens.reply_address("support@example.com", first.ticket_id)
    raw = receive("It is the seal.", sender="Ben <ben@customer.test>", to=to)
    assert raw.outcome == Outcome.OPENED and raw.ticket_id != first.ticket_id


def test_whom_an_agent_copies_takes_part(receive: Any, opened: RawMessage, supervisor: Any) -> None:
    message = replies.reply(opened.ticket, author=supervisor, text="Ben, can you?", cc=["ben@customer.test"])
    raw = receive("Yes.", sender="ben@customer.test", to=tokens.reply_address("support@example.com", opened.ticket_id))
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, opened.ticket_id)
    assert message.cc == [["ben@customer.test", ""]]


def test_an_answer_to_a_merged_ticket_lands_in_the_one_it_went_into(
    receive: Any, opened: RawMessage, answer: Message, supervisor: Any
) -> None:
    target = receive("Another matter.", sender="Ben <ben@customer.test>")
    merging.merge(opened.ticket, target.ticket, by=supervisor)
    raw = receive("The blue one.", In_Reply_To=f"<{answer.mail_id}>")
    assert (raw.outcome, raw.ticket_id) == (Outcome.APPENDED, target.ticket_id)


@pytest.mark.parametrize(
    "sender",
    [
        "Anna <anna@customer.test>, Mallory <mallory@evil.test>",
        "Mallory <mallory@evil.test>, Anna <anna@customer.test>",
        "",
        "<>",
    ],
)
def test_nobody_is_identified_by_several_or_no_addresses(
    receive: Any, opened: RawMessage, answer: Message, sender: str
) -> None:
    before = untouched(opened.ticket)
    raw = receive(
        b"From: "
        + sender.encode()
        + b"\nTo: support@example.com\nSubject: Hi\nMessage-ID: <amb@x.test>\nIn-Reply-To: <"
        + answer.mail_id.encode()
        + b">\n\nHi\n"
    )
    assert raw.outcome == Outcome.OPENED and raw.message.unverified and raw.reason.startswith("unverified")
    assert raw.answer in ("no usable sender", "written by a machine: report") and untouched(opened.ticket) == before


def test_reply_to_and_sender_headers_identify_nobody(receive: Any, opened: RawMessage, answer: Message) -> None:
    raw = receive(
        "Hi",
        sender=MALLORY,
        In_Reply_To=f"<{answer.mail_id}>",
        Reply_To="anna@customer.test",
        Sender="anna@customer.test",
    )
    assert raw.outcome == Outcome.OPENED and raw.message.from_address == "mallory@evil.test"


def test_headers_that_imitate_ours_are_ignored(receive: Any, opened: RawMessage) -> None:
    number = str(opened.ticket.number)
    raw = receive("Hi", sender=MALLORY, X_Ticket_Id=number, X_Guichet_Ticket=number, X_Zammad_Ticket_Id=number)
    assert raw.outcome == Outcome.OPENED and not TicketLink.objects.filter(ticket=raw.ticket).exists()


def test_a_forwarded_mail_with_our_headers_inside_is_not_believed(
    receive: Any, opened: RawMessage, answer: Message
) -> None:
    from email.message import EmailMessage

    inner = EmailMessage()
    inner["In-Reply-To"] = f"<{answer.mail_id}>"
    inner["From"] = ANNA
    inner.set_content("inner")
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"], outer["Message-ID"] = (
        MALLORY,
        "support@example.com",
        "Fwd",
        "<o@x.test>",
    )
    outer.set_content("see attached")
    outer.add_attachment(inner)
    raw = receive(outer.as_bytes())
    assert raw.outcome == Outcome.OPENED and raw.ticket_id != opened.ticket_id


def test_an_agents_address_is_nobody_special_in_a_mail(
    receive: Any, opened: RawMessage, answer: Message, agent: Any
) -> None:
    raw = receive("Approved, refund him.", sender=f"Agent <{agent.email}>", In_Reply_To=f"<{answer.mail_id}>")
    assert raw.outcome == Outcome.OPENED and raw.message.kind == "inbound" and raw.message.author is None


def test_a_failed_dmarc_check_proves_nobody(receive: Any, opened: RawMessage, answer: Message, mailbox: Any) -> None:
    mailbox.settings = {"authserv_id": "mx.example.com"}
    mailbox.save()
    verdict = "mx.example.com; dmarc=fail header.from=customer.test"
    body = letter_with_first_header("Authentication-Results", verdict, In_Reply_To=f"<{answer.mail_id}>")
    raw = receive(body)
    assert raw.outcome == Outcome.OPENED and raw.message.unverified
    assert raw.answer == "sender failed authentication" and raw.message.authentication["dmarc"] == "fail"


def letter_with_first_header(name: str, value: str, **parts: Any) -> bytes:
    from tests.inbox.intake.conftest import letter

    return f"{name}: {value}\n".encode() + letter("Hi", **parts)
