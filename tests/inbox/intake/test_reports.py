"""Delivery reports: onto their delivery, never a ticket, never an answer (S-47)."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers.models import Contact
from crm.service import services
from crm.service.models import Ticket, TicketEvent
from inbox.channels.email import tokens
from inbox.models import Delivery, RawMessage
from inbox.services import replies
from inbox.workspace.history import in_words

REPORT = """From: Mail Delivery System <MAILER-DAEMON@mx.customer.test>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <report@mx.customer.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.test

Final-Recipient: rfc822; anna@customer.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--B
Content-Type: text/rfc822-headers

From: support@example.com
To: anna@customer.test
Message-ID: <{mail_id}>

--B--
"""


def report(mail_id: str, *, to: str = "support@example.com", action: str = "failed", status: str = "5.1.1") -> bytes:
    return REPORT.format(mail_id=mail_id, to=to, action=action, status=status).encode()


COMPLAINT = """From: Feedback <fbl@mailbox.test>
To: support@example.com
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B

This is an abuse report.
--B
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1
User-Agent: X/1
Original-Rcpt-To: <anna@customer.test>

--B
Content-Type: message/rfc822

Message-ID: <{mail_id}>

Which model?
--B--
"""


@pytest.fixture
def delivery(receive: Any, supervisor: Any) -> Delivery:
    ticket = receive("It leaks.").ticket
    message = replies.reply(ticket, author=supervisor, text="Which model?", status="resolved")
    delivery = message.deliveries.get()
    Delivery.objects.filter(pk=delivery.pk).update(state="sent")
    return delivery


def test_a_permanent_failure_of_an_answer_reopens_its_ticket(receive: Any, delivery: Delivery) -> None:
    raw = receive(report(delivery.mail_id))
    delivery.refresh_from_db()
    ticket = delivery.message.ticket
    assert (raw.outcome, raw.ticket_id) == (RawMessage.Outcome.REPORT, ticket.pk)
    assert (delivery.state, bool(delivery.bounced_at), ticket.status) == ("failed", True, "open")
    event = TicketEvent.objects.get(ticket=ticket, what="undelivered")
    assert event.new == "anna@customer.test" and "5.1.1" in event.why
    assert Ticket.objects.count() == 1 and raw.answer == "delivery report"


def test_it_is_found_by_the_return_path_alone(receive: Any, delivery: Delivery) -> None:
    raw = receive(report("something-else@x.test", to=tokens.return_path("support@example.com", delivery.mail_id)))
    delivery.refresh_from_db()
    assert (raw.ticket_id, delivery.state) == (delivery.message.ticket_id, "failed")


def test_a_delay_changes_nothing_but_the_note(receive: Any, delivery: Delivery) -> None:
    raw = receive(report(delivery.mail_id, action="delayed", status="4.4.1"))
    delivery.refresh_from_db()
    assert (raw.outcome, delivery.state, delivery.message.ticket.status) == ("delivery-report", "sent", "resolved")


def test_a_failed_acknowledgement_does_not_reopen(receive: Any) -> None:
    raw = receive("It leaks.")
    services.close(raw.ticket, by=None)
    answer = Delivery.objects.get(purpose="automatic")
    receive(report(answer.mail_id))
    answer.refresh_from_db()
    raw.ticket.refresh_from_db()
    assert (answer.state, raw.ticket.status) == ("failed", "closed")


def test_a_report_about_nothing_of_ours_opens_no_ticket(receive: Any) -> None:
    raw = receive(report("spam@elsewhere.test"))
    assert (raw.outcome, raw.ticket_id, raw.reason) == ("delivery-report", None, "about no message of ours")
    assert not Ticket.objects.exists() and not Delivery.objects.exists()


def test_a_forged_return_path_touches_no_delivery(receive: Any, delivery: Delivery) -> None:
    signed, at, domain = tokens.return_path("support@example.com", delivery.mail_id).partition("@")
    forged = signed[:-1] + ("b" if signed.endswith("a") else "a")
    receive(report("x@x.test", to=forged + at + domain))
    delivery.refresh_from_db()
    assert delivery.state == "sent"


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_success_is_noted_and_opens_no_ticket(receive: Any, delivery: Delivery, action: str) -> None:
    people = Contact.objects.count()
    raw = receive(b"Return-Path: <>\n" + report(delivery.mail_id, action=action, status="2.1.5"))
    delivery.refresh_from_db()
    assert (raw.outcome, raw.reason) == ("delivery-report", "success for anna@customer.test")
    assert (delivery.state, delivery.bounced_at, delivery.message.ticket.status) == ("sent", None, "resolved")
    assert delivery.response.startswith(f"2.1.5 {action}")
    assert (Ticket.objects.count(), Contact.objects.count()) == (1, people)


def test_a_success_of_nothing_of_ours_opens_no_ticket(receive: Any) -> None:
    raw = receive(report("spam@elsewhere.test", action="delivered", status="2.0.0"))
    assert (raw.outcome, raw.reason) == ("delivery-report", "success, about no message of ours")
    assert not Ticket.objects.exists()


def test_a_success_does_not_hide_the_failure_before_it(receive: Any, delivery: Delivery) -> None:
    receive(report(delivery.mail_id))
    receive(report(delivery.mail_id, action="relayed", status="2.0.0").replace(b"<report@", b"<later@"))
    delivery.refresh_from_db()
    assert (delivery.state, "5.1.1" in delivery.response) == ("failed", True)


@pytest.mark.parametrize(
    ("kind", "part", "fields", "reason"),
    [
        ("feedback-report", "feedback-report", "Feedback-Type: abuse\nVersion: 1\nUser-Agent: X/1\n", "abuse report"),
        (
            "disposition-notification",
            "disposition-notification",
            "Final-Recipient: rfc822; anna@customer.test\nOriginal-Message-ID: <{mail_id}>\n"
            "Disposition: manual-action/MDN-sent-manually; displayed\n",
            "read receipt",
        ),
    ],
)
@pytest.mark.parametrize("sender", ["fbl@mailbox.test", "Anna Schmidt <anna@customer.test>"])
def test_abuse_reports_and_read_receipts_open_no_ticket(
    receive: Any, delivery: Delivery, kind: str, part: str, fields: str, reason: str, sender: str
) -> None:
    raw = receive(
        (
            f"From: {sender}\nTo: support@example.com\nSubject: Read: Leaking machine\nMessage-ID: <r@customer.test>\n"
            f"In-Reply-To: <{delivery.mail_id}>\nMIME-Version: 1.0\n"
            f'Content-Type: multipart/report; report-type={kind}; boundary="B"\n\n--B\n\nThis is a report.\n'
            f"--B\nContent-Type: message/{part}\n\n{fields.format(mail_id=delivery.mail_id)}\n"
            f"--B\nContent-Type: message/rfc822\n\nMessage-ID: <{delivery.mail_id}>\n\nWhich model?\n--B--\n"
        ).encode()
    )
    response = delivery.response
    delivery.refresh_from_db()
    assert (raw.outcome, raw.reason) == ("delivery-report", f"{reason} for anna@customer.test")
    assert raw.ticket_id == delivery.message.ticket_id and raw.message_id is None
    assert (delivery.state, delivery.response, delivery.message.ticket.status) == ("sent", response, "resolved")
    assert Ticket.objects.count() == 1


def test_who_marked_our_mail_as_unwanted_gets_no_more_automatic_answers(receive: Any, delivery: Delivery) -> None:
    ticket = delivery.message.ticket
    raw = receive(COMPLAINT.format(mail_id=delivery.mail_id, kind="abuse").encode())
    delivery.refresh_from_db()
    assert (raw.outcome, raw.ticket_id, delivery.state) == ("delivery-report", ticket.pk, "sent")
    assert delivery.complained_at is not None and ticket.status == "resolved"
    event = TicketEvent.objects.get(ticket=ticket, what="complained")
    assert (event.new, event.why) == ("anna@customer.test", "abuse")
    assert in_words(event) == "learnt that our mail to anna@customer.test was reported as unwanted"
    again = receive("And the other machine?", subject="Another one")
    assert (again.outcome, again.answer) == ("opened", "mail of ours to this address was reported as unwanted")
    assert receive("It leaks.", sender="ben@customer.test", subject="Leaks").answer == "queued"


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_feedback_that_is_no_complaint_changes_nothing(receive: Any, delivery: Delivery, kind: str) -> None:
    raw = receive(COMPLAINT.format(mail_id=delivery.mail_id, kind=kind).encode())
    delivery.refresh_from_db()
    assert (raw.outcome, delivery.complained_at) == ("delivery-report", None)
    assert not TicketEvent.objects.filter(what="complained").exists()
    assert receive("And the other machine?", subject="Another one").answer == "queued"


@pytest.mark.parametrize("purpose", ["main", "copy"])
def test_a_report_that_names_another_recipient_of_the_message_is_about_him(
    receive: Any, supervisor: Any, purpose: str
) -> None:
    """Some systems return the mail of one recipient and name the other, to whom the same message went."""
    ticket = receive("It leaks.", sender="ben@customer.test").ticket
    cc = {"main": ["carl@customer.test"], "copy": ["anna@customer.test"]}[purpose]
    message = replies.reply(ticket, author=supervisor, text="Which model?", cc=cc)
    main, copy = message.deliveries.order_by("pk")
    raw = receive(report(main.mail_id))
    about = copy if purpose == "copy" else main
    assert raw.reason == f"permanent failure for {about.recipient}"
    assert list(message.deliveries.filter(state="failed")) == [about]
