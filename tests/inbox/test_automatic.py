"""Which mail a machine wrote, and which of it answers a mail of ours."""

from __future__ import annotations

import pytest

from inbox.channels.email.reading.message import parse, read
from inbox.channels.email.understanding.automatic import is_auto_reply, why_automatic

pytestmark = pytest.mark.once


def why(
    subject: str = "Question",
    text: str = "Where is my order?",
    more: str = "",
    sender: str = "ann@client.example",
    kind: str = "text/plain",
) -> str:
    header = f"From: {sender}\nTo: service@shop.example\nSubject: {subject}\n{more}"
    parsed = parse(f"{header}Content-Type: {kind}; charset=utf-8\n\n{text}".encode())
    return why_automatic(parsed, parsed.text)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: no", ""),
        ("Auto-Submitted: auto-replied", "auto-reply"),
        ("Auto-Submitted: Auto-Replied (vacation)", "auto-reply"),
        ("Auto-Submitted: auto-generated", "auto-generated"),
        ("Auto-Submitted: auto-notified; owner-email=a@b.example", "auto-generated"),
        ("Auto-Submitted: auto-generated\nIn-Reply-To: <1@shop.example>", "auto-reply"),
        ("X-Autoreply: yes", "auto-reply"),
        ("X-Autorespond: thanks", "auto-reply"),
        ("X-Autoreply: no", ""),
        ("Precedence: auto_reply", "auto-reply"),
        ("Precedence: bulk", "bulk"),
        ("Precedence: junk", "bulk"),
        ("Precedence: list", "list"),
        ("List-Id: <users.example>", "list"),
        ("List-Unsubscribe: <mailto:u@x.example>", "bulk"),
        ("Feedback-ID: 1:campaign", "bulk"),
        ("Feedback-ID: ::1.eu-west-1.q4Sd7f0a=:AmazonSES", ""),
        ("Feedback-ID: ::1.eu-west-1.q4Sd7f0a=:AmazonSES\nList-Unsubscribe: <mailto:u@shop.test>", "bulk"),
        ("X-Loop: somebody@x.example", "loop"),
        ("Return-Path: <>", "null-sender"),
        ("X-Auto-Response-Suppress: All", ""),
        ("X-Mailer: Microsoft Outlook 16.0", ""),
        ("", ""),
    ],
)
def test_headers(header: str, reason: str) -> None:
    assert why(more=f"{header}\n" if header else "") == reason


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("MAILER-DAEMON@x.example", "report"),
        ("postmaster@x.example", "report"),
        ("Mail Delivery System <x@y.example>", "report"),
        ("noreply@x.example", "machine-sender"),
        ("No-Reply+123@x.example", "machine-sender"),
        ("do-not-reply@x.example", "machine-sender"),
        ("orders-noreply@x.example", "machine-sender"),
        ("nepasrepondre@x.example", "machine-sender"),
        ("news-bounces@x.example", "machine-sender"),
        ("norbert.reply@x.example", ""),
        ("robert@x.example", ""),
        ("rooted@x.example", ""),
        ("info@x.example", ""),
    ],
)
def test_senders(sender: str, reason: str) -> None:
    assert why(sender=sender) == reason


@pytest.mark.parametrize(
    "subject",
    [
        "Out of Office: your order",
        "OOO Re: your order",
        "On vacation until Monday",
        "Abwesenheitsnotiz: Bestellung",
        "Absence du bureau : commande",
        "Fuera de la oficina: pedido",
        "Fuori sede: ordine",
        "Afwezig: bestelling",
        "Fora do escritório: pedido",
        "Frånvaro: beställning",
        "Fraværende: ordre",
        "Poissa toimistolta: tilaus",
        "Poissa: tilaus",
        "Odpověď v nepřítomnosti: objednávka",
        "Poza biurem: zamówienie",
        "Вне офиса: заказ",
        "不在办公室: 订单",
        "外出自動回覆",
        "不在のお知らせ",
        "부재중: 주문",
    ],
)
def test_absence_by_subject(subject: str) -> None:
    assert why(subject, "x") == "out-of-office"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Automatic reply: order", "I am out of the office until Monday."),
        ("Automatische Antwort: Bestellung", "Ich bin bis zum 3.4. im Urlaub und danach wieder erreichbar."),
        ("Réponse automatique : commande", "Je suis absent jusqu'au 3 mai."),
        ("Respuesta automática: pedido", "Estoy de vacaciones hasta el 3 de mayo."),
        ("Risposta automatica: ordine", "Sono in ferie fino al 3 maggio."),
        ("Resposta automática: pedido", "Estou de férias até 3 de maio."),
        ("Automatyczna odpowiedź: zamówienie", "Jestem na urlopie do 3 maja."),
        ("Автоматический ответ: заказ", "Я нахожусь в отпуске до 3 мая."),
        ("自动回复: 订单", "我目前正在休假，紧急事务请联系同事。"),
        ("自動返信：注文", "5月3日まで不在です。"),
        ("자동 응답: 주문", "현재 휴가 중입니다. 5월 3일까지 연락이 어렵습니다."),
    ],
)
def test_absence_by_text_of_an_automatic_reply(subject: str, text: str) -> None:
    assert why(subject, text) == "out-of-office"
    assert why(subject, "x") == "auto-reply"


@pytest.mark.parametrize(
    "text",
    [
        "I got your automatic reply yesterday, but nobody has called me.",
        "The automated response you sent has a wrong number in it.",
        "We have only received an automatic answer so far. When do you come?",
        "Thanks for the automatic reply, but my question is still open.",
        "Merci pour la réponse automatique, mais ma question reste ouverte.",
        "Danke für Ihre automatische Antwort. Bitte rufen Sie mich an.",
        "Ich habe bisher nur eine automatische Antwort erhalten.",
        "J'ai reçu votre réponse automatique, mais personne ne m'a appelé.",
        "He recibido su respuesta automática, pero nadie me ha llamado.",
        "收到了你们的自动回复，但是没有人联系我。",
        "只收到自动回复，请问什么时候派人来？",
    ],
)
def test_who_writes_about_our_automatic_answer_is_a_person(text: str) -> None:
    assert why("Re: Your order", text) == why("Re: Your order", text, more="In-Reply-To: <1@us.example>\n") == ""


ANSWERS = {
    "below": "{own}\n\nOn Sat, 28 Nov 2026 at 10:00, Shop <service@shop.example> wrote:\n> {quoted}\n> Kind regards\n",
    "above": "> {quoted}\n\n{own}\n",
    "outlook": "{own}\n\n-----Original Message-----\nFrom: Shop <service@shop.example>\nSent: Saturday\n"
    "To: ann@client.example\nSubject: Re: Order\n\n{quoted}\n",
    "german": "{own}\n\nVon: Shop <service@shop.example>\nGesendet: Samstag, 28. November 2026 10:00\n"
    "An: ann@client.example\nBetreff: Re: Order\n\n{quoted}\n",
    "chinese": "{own}\n\n------------------ 原始邮件 ------------------\n发件人: Shop <service@shop.example>\n"
    "发送时间: 2026年11月28日\n主题: Re: Order\n\n{quoted}\n",
}


@pytest.mark.parametrize("style", ANSWERS)
@pytest.mark.parametrize(
    "quoted",
    [
        "This is an automatic reply. We have received your message and will answer soon.",
        "I am out of the office until Monday. In urgent cases please contact Bob.",
        "Dies ist eine automatische Antwort. Wir haben Ihre Nachricht erhalten.",
        "这是自动回复，您的邮件我们已收到，会尽快处理。",
    ],
)
def test_who_quotes_an_automatic_answer_is_a_person(style: str, quoted: str) -> None:
    header = "From: ann@client.example\nSubject: Re: Order\nIn-Reply-To: <1@shop.example>\n"
    for own, found in (("Thanks, but it still leaks.", ""), (quoted, "auto")):
        body = ANSWERS[style].format(own=own, quoted=quoted if not found else "Where is my order?")
        mail = read(f"{header}Content-Type: text/plain; charset=utf-8\n\n{body}".encode())
        assert bool(mail.automatic) == bool(found), mail.automatic


@pytest.mark.parametrize(
    "text",
    [
        "This is an automatic reply. We have received your message.",
        "You have received this automated response because you wrote to us.",
        "Thank you, we received your mail. This is an automated message, you need not answer.",
        "Dies ist eine automatische Antwort. Wir haben Ihre Nachricht erhalten.",
        "Ceci est une réponse automatique. Nous avons reçu votre message.",
        "您的邮件已收到，此邮件为系统自动回复。",
    ],
)
def test_what_says_of_itself_that_it_is_automatic_is(text: str) -> None:
    assert why("Re: Your order", text, more="In-Reply-To: <1@us.example>\n") == "auto-reply"


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until Monday. In urgent cases please contact Mary (mary@client.example).",
        "Guten Tag, ich bin bis Montag nicht im Büro. In dringenden Fällen wenden Sie sich bitte an Frau Klein.",
        "Bonjour, je suis absent jusqu'à lundi. En cas d'urgence, merci de contacter ma collègue.",
        "您好，我正在休假，9月7日返回。紧急事务请联系同事。",
        "您好，我正在休年假，5月4日返回。如有急事请联系王经理。",
    ],
)
def test_absence_without_any_declaration_only_as_an_answer(text: str) -> None:
    assert why("Re: Your order", text) == "out-of-office"
    assert why("Your order", text) == ""
    assert why("Re: Your order", f"{text} When do you deliver?") == ""


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Holiday", "I am on holiday until Friday, can you deliver later?"),
        ("Question", "I am out of the office today but need an answer, please contact me."),
        ("Re: Automatic reply: order", "Thanks, I will wait until you are back."),
        ("Re: offer", "Thank you for your message. I will get back to you as soon as possible."),
        ("My order", "I got an automatic reply from you, and nothing since."),
        ("Autoresponder broken", "Your autoresponder is broken."),
        ("Urlaub", "Ich bin ab Montag im Urlaub, bitte vorher liefern."),
        ("订单", "我下周出差，请尽快发货。"),
        ("Abwesend bei Lieferung", "Ich war bei der Lieferung abwesend. Bitte nochmals zustellen."),
        ("Urlaub stornieren?", "Ich bin krank."),
        ("Urlaub", "Ich bin im Urlaub krank geworden und möchte mein Geld zurück."),
        ("Urlaub", "Guten Tag, mein Flug wurde gestrichen."),
        ("Urlaub", "Guten Tag mein Mietwagen war nicht da"),
        ("Urlaub: 2 Personen nach Rom", "Guten Tag"),
        ("Urlaub", "Ich bin im Urlaub. Der Schlüssel vom Haus passt leider nicht."),
        ("Férias", "Estou de férias e quero cancelar a reserva."),
        ("Urlaub", "Hilfe"),
        ("Urlaub", "Hallo,\nbitte anrufen"),
        ("Férias", "Quanto custa uma semana em julho?"),
        ("En vacances", "Je suis en vacances, merci de livrer en septembre."),
        ("Ausente: no pude recibir el paquete", ""),
        ("Maternity leave", "I am on maternity leave from May, please pause my contract."),
        ("Maternity leave", "How do I enter it in your software"),
        ("外出中", "外出中に荷物が届いたようです。再配達をお願いします。"),
        ("Odpowiedź automatyczna nie działa", "Proszę o pomoc."),
        ("Automatic reply not working", "It is not sent to anybody. Please help."),
        ("Automatische Antwort einrichten", "Wie geht das bei Ihnen?"),
        ("自动回复设置", "请问如何设置？"),
    ],
)
def test_people_write_about_absence_and_machines_too(subject: str, text: str) -> None:
    assert why(subject, text) == ""


@pytest.mark.parametrize(
    "subject",
    [
        "Odpowiedź automatyczna: zamówienie",
        "Autoodpowiedź: zamówienie",
        "Tự động trả lời: đơn hàng",
        "การตอบกลับอัตโนมัติ: คำสั่งซื้อ",
    ],
)
def test_an_automatic_reply_by_subject(subject: str) -> None:
    assert why(subject, "x") == "auto-reply"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Ausente: pedido 12", "Estaré fuera hasta el lunes. Para urgencias, contacte con mi compañera."),
        ("Ausente: pedido 12", "Olá,\n\nestou de férias até 10 de agosto.\n\nAtenciosamente\nJoão Silva"),
        ("Férias", "Olá"),
        ("Férias", "Estou de férias até 10 de agosto. Em caso de urgência, contacte a Ana."),
        ("Annual leave Re: Order 12", "I am on annual leave until 15 May. Please contact bob@x.test."),
        ("En vacances", "Bonjour,\nje suis en vacances jusqu'au 12 mai.\nCordialement"),
        ("外出中", "お世話になっております。ただいま外出しております。戻り次第ご連絡いたします。"),
        ("Urlaub", "Guten Tag,\nich bin bis 12. Mai im Urlaub.\nMit freundlichen Grüßen\nPeter Klein"),
        ("Urlaub bis 12.5.", "Ich bin im Urlaub. In dringenden Fällen wenden Sie sich bitte an Frau Klein."),
        ("Maternity leave", "I am on maternity leave until September. Please contact Bob Miller."),
        ("On leave", "Hello"),
    ],
)
def test_an_absence_by_a_bare_subject_over_nothing_else(subject: str, text: str) -> None:
    assert why(subject, text) == "out-of-office"


def test_acknowledgements() -> None:
    thanks = "We have received your message and will reply within 2 days."
    assert why("Re: Question", f"This is an automated response. {thanks}") == "auto-reply"
    assert why("Ticket 12", thanks, sender="noreply@x.example") == "auto-reply"
    assert why("Thank you", "I will reply as soon as possible.", "Return-Path: <>\nPrecedence: bulk\n") == "auto-reply"
    assert why("Ticket 12", thanks) == ""


def test_receipts_and_invitations() -> None:
    assert why(kind="multipart/report; report-type=disposition-notification; boundary=b") == "report"
    answer = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"
    assert why("Accepted: Meeting", answer, kind="text/calendar; method=REPLY") == "calendar"


def test_only_answers_are_automatic_replies() -> None:
    reasons = ["auto-reply", "out-of-office", "report", "calendar", "auto-generated", "list", "bulk", "loop"]
    assert [is_auto_reply(each) for each in [*reasons, "null-sender", "machine-sender", ""]] == [True] * 2 + [False] * 9


def test_news_in_a_thread_answer_nothing() -> None:
    tracker = "Auto-Submitted: auto-generated\nIn-Reply-To: <bug-1@t.example>\n"
    assert why("[Bug 1] It crashes", "--- Comment #4 ---", tracker, sender="noreply@t.example") == "auto-generated"
    assert why("Re: It crashes", "Registered.", tracker, sender="noreply@t.example") == "auto-reply"
    assert why("Re: It crashes", "Registered.", "Auto-Submitted: auto-generated\n") == "auto-reply"
