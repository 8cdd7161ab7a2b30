"""Failure reports: who could not be reached, for how long, and what is no report at all."""

from __future__ import annotations

import time

import pytest

from inbox.channels.base import Address, DeliveryReport
from inbox.channels.email.reading.message import parse
from inbox.channels.email.reading.parsed import ParsedMail, Part
from inbox.channels.email.understanding.bounces import find_good_report, find_report
from inbox.channels.email.understanding.statuses import reported_recipients

pytestmark = pytest.mark.once


def mail(
    text: str, *, sender: str = "MAILER-DAEMON@mx.example", subject: str = "Returned mail", more: str = ""
) -> ParsedMail:
    header = f"From: {sender}\nTo: service@shop.example\nSubject: {subject}\n{more}"
    return parse(f"{header}Content-Type: text/plain; charset=utf-8\n\n{text}".encode())


def report(status_fields: str, original: str = "") -> ParsedMail:
    return parse(
        (
            "From: MAILER-DAEMON@mx.example\nTo: service@shop.example\nSubject: Returned mail\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nSee below.\n"
            f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n{status_fields}\n"
            f"--b\nContent-Type: text/rfc822-headers\n\n{original}\n--b--\n"
        ).encode()
    )


class TestStatusFields:
    def test_everything_of_one_recipient_is_taken_over(self) -> None:
        found = find_report(
            report(
                "Original-Envelope-Id: env-77\n\nFinal-Recipient: rfc822; Ann@Client.Example\nAction: failed\n"
                "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n  User unknown\n",
                "Subject: x\nMessage-ID: <t1.2@shop.example>\n",
            )
        )
        assert found == DeliveryReport(
            recipients=("Ann@client.example",),
            permanent=True,
            status="5.1.1",
            diagnostic="550 5.1.1 User unknown",
            original_message_id="t1.2@shop.example",
            original_envelope_token="env-77",
        )

    def test_a_delay_is_a_report_that_is_not_permanent(self) -> None:
        found = find_report(report("\nFinal-Recipient: rfc822; a@b.example\nAction: delayed\nStatus: 4.4.1\n"))
        assert (found.recipients, found.permanent, found.status) == (("a@b.example",), False, "4.4.1")

    @pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
    def test_good_news_is_no_failure(self, action: str) -> None:
        told = report(
            f"\nFinal-Recipient: rfc822; a@b.example\nAction: {action}\nStatus: 2.1.5\n", "Message-ID: <our@x.example>"
        )
        assert find_report(told) is None
        assert find_good_report(told) == DeliveryReport(
            kind="success",
            recipients=("a@b.example",),
            status="2.1.5",
            diagnostic=action,
            original_message_id="our@x.example",
        )

    def test_a_failure_among_successes_is_no_good_news(self) -> None:
        told = report(
            "\nFinal-Recipient: rfc822; ok@b.example\nAction: delivered\nStatus: 2.0.0\n"
            "\nFinal-Recipient: rfc822; bad@b.example\nAction: failed\nStatus: 5.2.2\n"
        )
        assert find_good_report(told) is None

    def test_a_success_told_in_words_alone_is_good_news(self) -> None:
        words = ("Your message has been delivered to the following recipients:\n\na@b.example\n", "Delivered: Order")
        told = mail(words[0], sender="postmaster@b.example", subject=words[1])
        found = find_good_report(told)
        assert find_report(told) is None and found is not None and found.kind == "success"
        parcel = mail("Your parcel is in the box.", sender="robot@parcels.example", subject="Delivered: your parcel")
        assert find_report(parcel) is None and find_good_report(parcel) is None

    def test_a_person_who_attaches_a_report_of_success_still_writes(self) -> None:
        inner = "Final-Recipient: rfc822; a@b.example\nAction: delivered\nStatus: 2.0.0\n"
        for told in (
            mail(f"Where is it? I got this:\n\n{inner}", sender="ann@client.example", subject="Delivered?"),
            parse(
                b"From: ann@client.example\nSubject: Where is it?\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHere:\n"
                b"--b\nContent-Type: message/delivery-status\n\n" + inner.encode() + b"\n--b--\n"
            ),
        ):
            assert find_report(told) is None
            assert find_good_report(told) is None

    def test_only_the_failed_ones_of_a_mixed_report_are_named(self) -> None:
        found = find_report(
            report(
                "\nFinal-Recipient: rfc822; ok@b.example\nAction: delivered\nStatus: 2.0.0\n"
                "\nFinal-Recipient: rfc822; bad@b.example\nAction: failed\nStatus: 5.2.2\n"
            )
        )
        assert (found.recipients, found.status) == (("bad@b.example",), "5.2.2")

    @pytest.mark.parametrize(
        ("fields", "address"),
        [
            (
                "Original-Recipient: rfc822;we@wrote.example\nFinal-Recipient: rfc822;alias@in.example",
                "we@wrote.example",
            ),
            ("Final-Recipient: <a@b.example>", "a@b.example"),
            ("Final-Recipient: rfc822; rfc822;a@b.example", "a@b.example"),
            ('Final-Recipient: rfc822; "a b"@c.example', '"a b"@c.example'),
            ("Final-Recipient: X400; /C=DE/S=Muster\nOriginal-Recipient: rfc822; a@b.example", "a@b.example"),
            ("Final-Recipient: LOCAL;<a@b.example>", "a@b.example"),
        ],
    )
    def test_ways_of_writing_the_recipient(self, fields: str, address: str) -> None:
        [found] = reported_recipients(f"{fields}\nAction: failed\nStatus: 5.1.1")[0]
        assert found.address == address

    def test_groups_without_blank_lines_and_with_blank_lines_inside(self) -> None:
        text = "Final-Recipient: rfc822; a@b.example\nAction: failed\nFinal-Recipient: rfc822; c@d.example\nAction: failed\n"
        assert [r.address for r in reported_recipients(text)[0]] == ["a@b.example", "c@d.example"]
        [torn] = reported_recipients("Final-Recipient: rfc822; a@b.example\n\nAction: delayed\nStatus: 4.2.2\n")[0]
        assert (torn.action, torn.status) == ("delayed", "4.2.2")

    def test_a_status_alone_says_what_happened(self) -> None:
        failed, others = reported_recipients(
            "Final-Recipient: rfc822; a@b.example\nStatus: 4.2.2\n\nFinal-Recipient: rfc822; c@d.example\nStatus: 2.1.5\n"
        )
        assert ([r.action for r in failed], [r.action for r in others]) == (["delayed"], ["delivered"])


class TestWords:
    @pytest.mark.parametrize(
        ("text", "addresses"),
        [
            ("Your message could not be delivered to\nann@client.example (mailbox full)\n", ("ann@client.example",)),
            ("   ----- Transcript of session follows -----\n550 <a@b.example>... User unknown\n", ("a@b.example",)),
            (
                "The following addresses had delivery errors\n\n<a@b.example>:\n<c@d.example>:\n",
                ("a@b.example", "c@d.example"),
            ),
            ("Unable to deliver message to: <a@b.example>\nContact postmaster@mx.example\n", ("a@b.example",)),
            ("您的邮件无法投递\n收件人: a@b.example\n", ("a@b.example",)),
            ("Die Nachricht konnte nicht zugestellt werden.\nEmpfänger: a@b.example\n", ("a@b.example",)),
        ],
    )
    def test_recipients_named_in_words(self, text: str, addresses: tuple[str, ...]) -> None:
        found = find_report(mail(text))
        assert (found.recipients, found.permanent) == (addresses, True)

    @pytest.mark.parametrize(
        ("subject", "opening"),
        [
            ("Unzustellbar: Bestellung", "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:"),
            ("Non remis : commande", "Échec de la remise aux destinataires ou groupes suivants :"),
            ("No se puede entregar: pedido", "Error de entrega a los siguientes destinatarios o grupos:"),
            ("Non recapitabile: ordine", "Recapito non riuscito per i seguenti destinatari o gruppi:"),
            ("Onbestelbaar: bestelling", "De bezorging is mislukt voor deze geadresseerden of groepen:"),
            ("Não é possível entregar: pedido", "Falha na entrega a estes destinatários ou grupos:"),
            ("Niedostarczone: zamówienie", "Nie można dostarczyć wiadomości do następujących adresatów lub grup:"),
            ("Nedoručitelné: objednávka", "Doručení následujícím příjemcům nebo skupinám se nezdařilo:"),
            ("Teslim edilemedi: sipariş", "Aşağıdaki alıcılara veya gruplara teslim edilemedi:"),
            ("Недоставленное сообщение", "К сожалению, Ваше письмо не может быть доставлено:"),
            ("无法传递: 订单", "传递到以下收件人或组失败:"),
            ("無法傳遞: 訂單", "傳遞給下列收件者或群組失敗:"),
            ("配信不能: ご注文", "次の受信者またはグループへの配信に失敗しました:"),
            ("배달되지 않음: 주문", "다음 받는 사람 또는 그룹에게 배달하지 못했습니다."),
        ],
    )
    def test_notices_in_many_languages(self, subject: str, opening: str) -> None:
        text = f"{opening}\n\nli@corp.example\n\n#550 5.1.1 RESOLVER.ADR.RecipNotFound\n"
        found = find_report(mail(text, sender="postmaster@corp.example", subject=subject))
        assert (found.recipients, found.status) == (("li@corp.example",), "5.1.1")

    def test_the_returned_mail_names_nobody(self) -> None:
        found = find_report(
            mail(
                "Could not deliver your message:\n<a@b.example>\n\n------ This is a copy of the message ------\n\n"
                "Message-ID: <orig@shop.example>\nTo: <other@b.example>\n<third@b.example>\n"
            )
        )
        assert (found.recipients, found.original_message_id) == (("a@b.example",), "orig@shop.example")

    def test_who_wrote_the_original_is_no_failed_recipient(self) -> None:
        found = find_report(mail("A message from service@shop.example\ncould not be delivered to a@b.example\n"))
        assert found.recipients == ("a@b.example",)

    def test_the_failed_recipients_header_is_enough(self) -> None:
        found = find_report(mail("Sorry.", subject="hm", more="X-Failed-Recipients: A@B.Example, c@d.example\n"))
        assert found.recipients == ("A@b.example", "c@d.example")

    @pytest.mark.parametrize(
        ("subject", "text"),
        [
            (
                "Warning: message delayed 24 hours",
                "Your message to a@b.example has not been delivered after 24 hours\n",
            ),
            ("Delayed Mail (still being retried)", "<a@b.example>: connection timed out\n"),
            ("Mail Delivery Warning", "Delivery to a@b.example has been postponed. We will continue to try.\n"),
        ],
    )
    def test_delays_in_words(self, subject: str, text: str) -> None:
        found = find_report(mail(text, subject=subject))
        assert (found.recipients, found.permanent) == (("a@b.example",), False)

    def test_who_writes_to_himself_is_named(self) -> None:
        assert find_report(mail("<service@shop.example>: mailbox full\n")).recipients == ("service@shop.example",)

    def test_a_system_without_a_name_needs_the_null_sender_and_an_opening_that_says_it(self) -> None:
        text = "Your mail sent on: Tue, 1 Sep 2026\n  Could not be delivered to: <a@b.example>\n"
        sender = "info@b.example"
        assert find_report(mail(text, sender=sender, subject="Mail")) is None
        assert find_report(mail(text, sender=sender, subject="Mail", more="Return-Path: <>\n")).recipients == (
            "a@b.example",
        )
        thanks = f"Hello, we have your message and answer soon. {text}"
        assert find_report(mail(thanks, sender=sender, subject="Re: x", more="Return-Path: <>\n")) is None

    def test_status_fields_in_the_text_of_a_mail_whose_parts_were_lost(self) -> None:
        text = "See below.\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.5.0\n"
        found = find_report(mail(text))
        assert (found.recipients, found.status) == (("a@b.example",), "5.5.0")

    def test_status_from_the_reply_code_where_no_better_is_given(self) -> None:
        assert find_report(mail("Could not deliver to\n<a@b.example>:\n552 Quota exceeded\n")).status == "5.0.0"
        assert find_report(mail("Could not deliver to\n<a@b.example>:\n552 5.2.2 Quota exceeded\n")).status == "5.2.2"


class TestNoReport:
    @pytest.mark.parametrize(
        ("sender", "subject", "text", "more"),
        [
            ("ann@client.example", "Undelivered parcel", "My parcel could not be delivered to ann@client.example.", ""),
            ("ann@client.example", "Undeliverable", "My mail to info@shop.example was undeliverable, why?", ""),
            ("no-reply@post.example", "Delivery notification", "Your parcel arrives tomorrow.", ""),
            ("ann@client.example", "Re: Undeliverable: offer", "Thanks, I will send it again.", ""),
            ("ann@client.example", "Out of office: Delivery failed", "I am on holiday.", "Return-Path: <>\n"),
            ("postmaster@client.example", "Your invoice", "Hello, could you send the invoice again?", ""),
            (
                "ann@client.example",
                "Your address",
                "Hello,\nthis is what I get:\n\nYour message could not be delivered: <info@shop.example> 550 unknown",
                "",
            ),
            ("guard@client.example", "Re: x", "Your message has been waitlisted, click the link to be added.", ""),
        ],
    )
    def test_people_and_other_robots(self, sender: str, subject: str, text: str, more: str) -> None:
        assert find_report(mail(text, sender=sender, subject=subject, more=more)) is None

    def test_status_fields_that_somebody_sends_along_with_a_letter(self) -> None:
        forwarded = parse(
            b"From: ann@client.example\nTo: service@shop.example\nSubject: Fwd: Returned mail\n"
            b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nWhat is this?\n'
            b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
            b"Final-Recipient: rfc822; service@shop.example\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
        )
        assert find_report(forwarded) is None


@pytest.mark.parametrize(
    "line",
    [
        "您发送给zhang@x.example的邮件无法投递，因为收件人不存在。",
        "抱歉，您的邮件被退回。收件人：zhang@x.example",
        "宛先：zhang@x.example のメールは配信できませんでした。",
        "zhang@x.example님에게 보낸 메일이 반송되었습니다.",
    ],
)
def test_addresses_are_found_in_sentences_without_blanks(line: str) -> None:
    found = find_report(mail(line, subject="退信"))
    assert found is not None and found.recipients == ("zhang@x.example",)


def test_the_returned_mail_names_no_recipients() -> None:
    found = find_report(
        mail(
            "This message was created automatically by mail delivery software.\n"
            "A message that you sent could not be delivered to one or more of its recipients.\n\n"
            "ann@client.example Invalid Address, ERROR_CODE :550\n\n"
            "Received:from mail.example by mx.example with SMTP id 1\nMessage-ID:<17.x@shop.example>\n"
            "From:Shop <noreply@shop.example>\nTo:<ann@client.example>\n"
        )
    )
    assert found is not None and found.recipients == ("ann@client.example",)


HOSTILE = ["a" * 500_000, "<a@" * 150_000, "a@b.example " * 40_000, "Final-Recipient: rfc822; a@b.example\n" * 15_000]


@pytest.mark.parametrize("text", HOSTILE, ids=["letters", "brackets", "addresses", "fields"])
def test_hostile_notices_take_no_time(text: str) -> None:
    parts = (
        Part("text/plain", text=text),
        Part("message/delivery-status", text=text),
        Part("message/rfc822", text=text),
    )
    bad = ParsedMail(
        raw=b"From: x\n\n",
        headers={"content-type": ("multipart/report",), "to": (text,), "from": ("MAILER-DAEMON@x.example",)},
        text=text,
        subject=text,
        sender=Address("MAILER-DAEMON@x.example"),
        parts=parts,
    )
    started = time.process_time()
    find_report(bad)
    assert time.process_time() - started < 1.5
