"""The same mail once, whichever way it comes (R-07)."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest

from crm.customers.models import ContactPoint
from crm.service.models import Ticket, TicketQueue
from inbox.channels.email.composing import compose
from inbox.models import Delivery, Message, RawMessage
from inbox.services import merging, replies
from inbox.services.accept import Arrival, accept, accept_many
from inbox.services.processing import process_waiting
from tests.inbox.intake.conftest import letter

Outcome = RawMessage.Outcome


def test_the_same_mail_twice_is_one_ticket_with_one_acknowledgement(receive: Any) -> None:
    mail = letter("It leaks.", mail_id="same@x.test")
    one, two = receive(mail), receive(mail)
    assert (one.outcome, two.outcome, two.ticket_id) == (Outcome.OPENED, Outcome.DUPLICATE, one.ticket_id)
    assert (Ticket.objects.count(), Delivery.objects.count()) == (1, 1)


def test_the_same_mail_twice_in_one_batch(mailbox: Any) -> None:
    mail = letter("It leaks.", mail_id="same@x.test")
    accept(mailbox, mail)
    accept(mailbox, mail)
    assert process_waiting() == 2
    assert list(RawMessage.objects.order_by("id").values_list("outcome", flat=True)) == ["opened", "duplicate"]
    assert (
        len({r.ticket_id for r in RawMessage.objects.all()}) == 1
        and Message.objects.filter(kind="inbound").count() == 1
    )


def test_a_mail_to_two_of_our_addresses_is_one_ticket_in_both_queues(receive: Any, mailbox: Any, sales: Any) -> None:
    mail = letter("Two questions.", to="support@example.com, sales@example.com", mail_id="both@x.test")
    one, two = receive(mail), receive(mail, channel=sales)
    assert (one.outcome, two.outcome, two.ticket_id) == (Outcome.OPENED, Outcome.DUPLICATE, one.ticket_id)
    assert one.ticket.queue == mailbox.queue
    assert [row.queue for row in TicketQueue.objects.select_related("queue")] == [sales.queue]
    assert Delivery.objects.filter(purpose="automatic").count() == 1


def test_a_blind_copy_to_our_second_address_shows_there_too(receive: Any, mailbox: Any, sales: Any) -> None:
    mail = letter("Hidden copy.", mail_id="bcc@x.test")
    one = receive(mail)
    assert not TicketQueue.objects.exists()
    receive(mail, channel=sales)
    assert list(TicketQueue.objects.values_list("ticket", "queue")) == [(one.ticket_id, sales.queue_id)]


def test_a_hidden_copy_that_our_server_notes_shows_in_the_queue_it_was_sent_to(receive: Any, sales: Any) -> None:
    """One mailbox behind both addresses."""
    one = receive("Hidden copy.", to="Somebody <else@x.test>", Delivered_To="sales@example.com")
    assert list(TicketQueue.objects.values_list("ticket", "queue")) == [(one.ticket_id, sales.queue_id)]


def test_a_copy_in_one_batch_for_two_channels(mailbox: Any, sales: Any) -> None:
    mail = letter("Hidden copy.", mail_id="bcc@x.test")
    accept(mailbox, mail)
    accept(sales, mail)
    process_waiting()
    assert Ticket.objects.count() == 1
    assert list(TicketQueue.objects.values_list("queue", flat=True)) == [sales.queue_id]


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_have_a_copy_each_open_one_ticket(
    receive: Any, mailbox: Any, sales: Any, at_the_same_time: Any
) -> None:
    receive("It leaks.")  # who writes is known: no contact is made that would keep the two apart
    mail = letter("It is the pump.", subject="The pump", to="support@example.com, sales@example.com")
    rows = [accept(mailbox, mail), accept(sales, mail)]
    at_the_same_time(rows)
    outcomes = RawMessage.objects.filter(pk__in=[r.pk for r in rows]).values_list("outcome", flat=True)
    assert sorted(outcomes) == ["duplicate", "opened"]
    assert Ticket.objects.count() == 2 and Delivery.objects.count() == 2


def test_a_copy_that_a_list_made_is_the_same_mail(receive: Any) -> None:
    one = receive("It leaks.", mail_id="list@x.test")
    two = receive(
        "It leaks.\n\n____\nThe users mailing list",
        mail_id="list@x.test",
        subject="[users] Leaking machine",
        List_Id="<users.customer.test>",
    )
    assert (two.outcome, two.ticket_id) == (Outcome.DUPLICATE, one.ticket_id)


@pytest.mark.parametrize("together", [False, True])
def test_a_copy_of_a_list_that_comes_first_costs_nobody_his_acknowledgement(mailbox: Any, together: bool) -> None:
    mails = [letter(f"It leaks.{end}", mail_id="list@x.test", **more) for end, more in _COPY_AND_DIRECT]
    for mail in mails:
        accept(mailbox, mail)
        if not together:
            process_waiting()
    process_waiting()
    found = RawMessage.objects.order_by("id").values_list("outcome", "answer")
    assert list(found) == [("opened", "written by a machine: list"), ("duplicate", "queued")]
    sent = Delivery.objects.get()
    ticket = Ticket.objects.get()
    assert (sent.recipient, sent.message.ticket, sent.message.seq) == ("anna@customer.test", ticket, ticket.sequence)
    accept(mailbox, mails[1])
    process_waiting()
    assert Delivery.objects.count() == 1 and RawMessage.objects.latest("id").answer == "duplicate"


_COPY_AND_DIRECT: list[tuple[str, dict[str, str]]] = [
    ("\n\n____\nThe users list", {"List_Id": "<users.customer.test>"}),
    ("", {}),
]


def _munged(text: str = "It leaks.\n\n____\nThe users list", **other: str) -> bytes:
    sender = "Anna Schmidt via Users <users@lists.test>"
    return letter(text, **{"sender": sender, "mail_id": "list@x.test", "List_Id": "<users.lists.test>", **other})


def test_a_copy_that_a_list_sends_in_its_own_name_is_the_same_mail(receive: Any) -> None:
    one, two = receive("It leaks.", mail_id="list@x.test"), receive(_munged())
    assert (two.outcome, two.ticket_id) == (Outcome.DUPLICATE, one.ticket_id)
    assert receive(_munged("Mine leaks too.")).outcome == Outcome.OPENED


def test_a_copy_that_a_list_sends_in_its_own_name_in_one_batch(mailbox: Any) -> None:
    for mail in (letter("It leaks.", mail_id="list@x.test"), _munged()):
        accept(mailbox, mail)
    process_waiting()
    assert list(RawMessage.objects.order_by("id").values_list("outcome", flat=True)) == ["opened", "duplicate"]


def test_nobody_suppresses_a_mail_by_a_list_that_is_first(receive: Any) -> None:
    """Who knows the id and the words must not take the place of the customer himself (R-07)."""
    receive(_munged("It leaks."))
    own = receive("It leaks.", mail_id="list@x.test")
    assert (own.outcome, own.answer, own.ticket.contact.address) == (Outcome.OPENED, "queued", "anna@customer.test")


@pytest.mark.parametrize("turned", [False, True])
def test_a_copy_that_a_list_made_in_one_batch_is_the_same_mail(mailbox: Any, turned: bool) -> None:
    direct = letter("It leaks.", mail_id="list@x.test")
    copy = letter("It leaks.\n\n____\nThe users list", mail_id="list@x.test", List_Id="<users.customer.test>")
    for mail in (copy, direct) if turned else (direct, copy):
        accept(mailbox, mail)
    assert process_waiting() == 2
    one, two = RawMessage.objects.order_by("id")
    assert (one.outcome, two.outcome, two.ticket_id) == (Outcome.OPENED, Outcome.DUPLICATE, one.ticket_id)
    assert Message.objects.filter(kind="inbound").count() == 1


@pytest.mark.parametrize(("other", "sender"), [("Now it burns.", "anna@x.test"), ("It leaks.", "ben@x.test")])
def test_other_content_under_the_same_id_in_one_batch_is_kept(mailbox: Any, other: str, sender: str) -> None:
    accept(mailbox, letter("It leaks.", sender="anna@x.test", mail_id="reused@x.test"))
    accept(mailbox, letter(other, sender=sender, mail_id="reused@x.test"))
    process_waiting()
    assert Message.objects.filter(kind="inbound").count() == 2


def test_a_copy_that_comes_after_a_merge_is_of_the_ticket_that_has_the_mail_now(receive: Any, supervisor: Any) -> None:
    mail = letter("It leaks.")
    one, other = receive(mail), receive("And it is loud.", subject="Noise")
    merging.merge(one.ticket, other.ticket, by=supervisor)
    copy = receive(mail)
    assert (copy.outcome, copy.ticket_id, copy.message_id) == (Outcome.DUPLICATE, other.ticket_id, one.message_id)


def test_other_content_under_the_same_id_is_kept(receive: Any) -> None:
    one = receive("It leaks.", mail_id="reused@x.test")
    two = receive("Now it burns.", mail_id="reused@x.test")
    assert (one.outcome, two.outcome) == (Outcome.OPENED, Outcome.OPENED)
    assert two.message.text.strip() == "Now it burns."


def _scan(
    content: bytes, *, html: str = "", text: str = "See the scan.", received: str = "mx1", subject: str = ""
) -> bytes:
    mail = EmailMessage()
    mail["Received"] = f"from {received}.customer.test by mx.example.com; Mon, 02 Nov 2026 09:00:00 +0100"
    mail["From"], mail["To"] = "Anna Schmidt <anna@customer.test>", "support@example.com"
    mail["Subject"], mail["Date"] = subject or "A scan", "Mon, 02 Nov 2026 09:00:00 +0100"
    mail["Message-ID"] = "<scanner@customer.test>"
    if text:
        mail.set_content(text)
    if text and html:
        mail.add_alternative(html, subtype="html")
    elif html:
        mail.set_content(html, subtype="html")
    if content:
        mail.add_attachment(content, maintype="application", subtype="pdf", filename="scan.pdf")
    return mail.as_bytes()


LINK = '<p>Please <a href="https://customer.test/{}">look here</a>.</p>'
FOOTER = '<hr><p>The users list, <a href="https://lists.customer.test/">leave</a></p>'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_scan(b"AAAA"), _scan(b"BBBB")),
        (_scan(b"AAAA"), _scan(b"BBBB", text="See the scan.\n\n____\nThe users list")),
        (_scan(b""), _scan(b"BBBB", subject="[users] A scan")),
        (_scan(b"", text="", html=LINK.format("1")), _scan(b"", text="", html=LINK.format("2"))),
        (_scan(b"", text="", html="<p>Please look here.</p>"), _scan(b"", text="", html=LINK.format("2"))),
        (_scan(b"", html=LINK.format("1")), _scan(b"", html=LINK.format("2"))),
        (_scan(b"", html=LINK.format("1")), _scan(b"", html=LINK.format("2") + FOOTER, subject="[users] A scan")),
    ],
)
def test_another_file_or_link_under_the_same_id_is_kept(receive: Any, one: bytes, other: bytes) -> None:
    before, after = receive(one), receive(other)
    assert before.outcome == Outcome.OPENED and after.outcome in (Outcome.OPENED, Outcome.APPENDED)
    assert Message.objects.filter(kind="inbound").count() == 2


@pytest.mark.parametrize(
    "copy",
    [
        _scan(b"AAAA", html=LINK.format("1"), received="mx2"),
        _scan(b"AAAA", html=LINK.format("1") + FOOTER, text="See the scan.\n\n____\nThe users list"),
        _scan(b"", html=LINK.format("1"), subject="[users] A scan"),
        _scan(b"AAAA", subject="[users] A scan"),
    ],
)
def test_a_copy_of_a_mail_with_a_file_is_the_same_mail(receive: Any, copy: bytes) -> None:
    one = receive(_scan(b"AAAA", html=LINK.format("1")))
    two = receive(copy)
    assert (two.outcome, two.ticket_id) == (Outcome.DUPLICATE, one.ticket_id)


def test_an_attacker_who_sends_first_does_not_suppress_the_real_mail(receive: Any) -> None:
    bad = receive("Nothing.", mail_id="guessed@x.test", sender="mallory@evil.test")
    real = receive("It leaks.", mail_id="guessed@x.test")
    assert real.outcome == Outcome.OPENED and real.ticket_id != bad.ticket_id


def test_without_message_id_the_date_tells_mails_apart(receive: Any) -> None:
    one = receive("Help", mail_id="", date="Mon, 02 Nov 2026 09:00:00 +0100")
    again = receive("Help", mail_id="", date="Mon, 02 Nov 2026 09:00:00 +0100")
    later = receive("Help", mail_id="", date="Tue, 03 Nov 2026 09:00:00 +0100")
    assert [one.outcome, again.outcome, later.outcome] == [Outcome.OPENED, Outcome.DUPLICATE, Outcome.OPENED]


def test_an_arrival_with_a_known_uid_is_the_row_that_is_there(mailbox: Any) -> None:
    first = accept(mailbox, letter("a"), folder="INBOX", uidvalidity=1, uid=5)
    rows = accept_many(
        mailbox,
        [Arrival(letter("a"), "INBOX", 1, 5), Arrival(letter("b"), "INBOX", 1, 6), Arrival(letter("b"), "INBOX", 1, 6)],
    )
    assert rows[0].pk == first.pk and rows[1] == rows[2] and RawMessage.objects.count() == 2


def test_new_uids_after_a_restore_are_duplicates_by_content(mailbox: Any) -> None:
    mail = letter("It leaks.", mail_id="restored@x.test")
    accept(mailbox, mail, folder="INBOX", uidvalidity=1, uid=5)
    process_waiting()
    accept(mailbox, mail, folder="INBOX", uidvalidity=2, uid=1)
    process_waiting()
    assert list(RawMessage.objects.order_by("id").values_list("outcome", flat=True)) == ["opened", "duplicate"]


def test_our_own_mail_coming_back_is_ignored(receive: Any, supervisor: Any) -> None:
    ticket = receive("It leaks.").ticket
    message = replies.reply(ticket, author=supervisor, text="Which model?")
    raw = receive("Which model?", sender="support@example.com", mail_id=message.mail_id)
    assert (raw.outcome, raw.ticket_id, raw.answer) == (Outcome.IGNORED, None, "our own message")


@pytest.mark.parametrize("closed", [False, True])
def test_our_mail_from_another_of_our_addresses_is_ignored(
    receive: Any, supervisor: Any, sales: Any, closed: bool
) -> None:
    ticket = receive("It leaks.").ticket
    message = replies.reply(ticket, author=supervisor, text="Which model?")
    sales.aliases, sales.active = ["orders@example.com"], not closed
    sales.save()
    raw = receive("Which model?", sender="Orders <Orders@example.com>", mail_id=message.mail_id)
    assert (raw.outcome, raw.answer) == (Outcome.IGNORED, "our own message")


LIST = {"sender": "Support via Users <users@lists.test>", "List_Id": "<users.lists.test>", "Precedence": "list"}


def _sent(delivery: Delivery) -> Any:
    return message_from_bytes(compose(delivery, delivery.channel).content)


def test_our_mail_that_a_list_hands_round_in_its_own_name_is_ignored(receive: Any, supervisor: Any) -> None:
    """Lists put their address into From, lest the receivers' DMARC check fails; the id stays ours."""
    ticket = receive("It leaks.\n" + "It is old. " * 400).ticket
    replies.reply(ticket, author=supervisor, text="Which model?\n\nSee https://example.com/models.")
    for purpose in ("automatic", "reply"):
        mail = _sent(Delivery.objects.get(purpose=purpose))
        mail.replace_header("From", LIST["sender"])
        mail.replace_header("Subject", f"[Users] {mail['Subject']}")
        mail["List-Id"] = LIST["List_Id"]
        raw = receive(mail.as_bytes())
        assert (raw.outcome, raw.ticket_id, raw.answer) == (Outcome.IGNORED, None, "our own message")
    assert Ticket.objects.count() == 1 and not ContactPoint.objects.filter(value="users@lists.test").exists()


@pytest.mark.parametrize("text", ["I saw your answer and want one too.", "Which colour? " * 300])
def test_other_words_under_the_id_of_our_answer_are_kept_though_a_list_sends_them(
    receive: Any, supervisor: Any, text: str
) -> None:
    ticket = receive("It leaks.").ticket
    message = replies.reply(ticket, author=supervisor, text="Which model?")
    assert receive(text, mail_id=message.mail_id, **LIST).outcome == Outcome.OPENED


@pytest.mark.parametrize("text", ["I saw your answer and want to buy one too.", "Which model?"])
def test_a_mail_of_somebody_else_under_the_id_of_our_answer_is_kept(receive: Any, supervisor: Any, text: str) -> None:
    ticket = receive("It leaks.").ticket
    message = replies.reply(ticket, author=supervisor, text="Which model?")
    raw = receive(text, sender="stranger@elsewhere.test", mail_id=message.mail_id)
    assert raw.outcome == Outcome.OPENED and raw.ticket_id != ticket.pk
    own = receive(text, mail_id=message.mail_id)
    assert own.outcome in (Outcome.OPENED, Outcome.APPENDED) and own.ticket_id != raw.ticket_id
    both = receive(text, sender="support@example.com, stranger@elsewhere.test", mail_id=message.mail_id)
    assert both.outcome == Outcome.OPENED
