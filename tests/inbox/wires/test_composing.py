"""The bytes that go out: headers, threading, S-51 … S-53, and what must never be in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from inbox.channels.email import tokens
from inbox.channels.email.composing import NotComposable, compose, subject
from inbox.models import Delivery, Message
from inbox.services import deliveries
from tests import factories

pytestmark = pytest.mark.django_db

ALLOWED = {
    "Date", "From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References", "Reply-To", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip
NASTY = "a\r\nBcc: v@evil.test\r\n\r\nx\nX-Evil: 1\x00\u2028Y-Evil: 2\u2029\x85Z-Evil: 3\x0b\x0c\x1c end"


def delivery_of(ticket, channel, text="Please close the valve.", recipient="anna@customer.test", **fields):
    purpose = fields.pop("purpose", Delivery.Purpose.REPLY)
    kind = Message.Kind.AUTOMATIC if purpose == "automatic" else Message.Kind.OUTBOUND
    fields.setdefault("to", [[recipient, ""]])
    message = factories.MessageFactory(ticket=ticket, kind=kind, channel=channel, text=text, **fields)
    return deliveries.queue([deliveries.NewDelivery(channel, message, recipient, purpose)])[0]


def composed(delivery):
    fresh = Delivery.objects.get(pk=delivery.pk)
    out = compose(fresh)
    assert all(len(line) <= 998 for line in out.content.split(b"\r\n"))
    assert b"\n" not in out.content.replace(b"\r\n", b"")
    assert out.content.isascii()
    return out, message_from_bytes(out.content, policy=default)


def body(mail, kind="plain"):
    return mail.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_an_answer(ticket, channel, agent):
    agent.signature = "Greta\nExample Ltd"
    agent.save()
    first = ticket.messages.get()
    delivery = delivery_of(ticket, channel, author=agent)
    out, mail = composed(delivery)
    assert set(mail.keys()) <= ALLOWED
    assert out.envelope_from == "support@example.com"
    assert mail["From"] == "Example Support <support@example.com>"
    assert mail["To"] == "anna@customer.test"
    assert mail["Subject"] == f"Re: The machine leaks [Ticket#{ticket.number}]"
    assert mail["Message-ID"] == f"<{delivery.mail_id}>"
    assert mail["In-Reply-To"] == mail["References"] == f"<{first.mail_id}>"
    assert "Reply-To" not in mail
    assert "Auto-Submitted" not in mail
    text = body(mail)
    assert text.startswith("Please close the valve.\n\n-- \nGreta\nExample Ltd\n\nOn ")
    assert text.endswith("Anna Schmidt wrote:\n> Water runs out below.\n")
    page = body(mail, "html")
    assert "Please close the valve.<br>" in page
    assert '<blockquote type="cite">Water runs out below.</blockquote>' in page


def test_the_quote_tells_the_time_of_who_answers(ticket, channel, agent):
    agent.time_zone = "Asia/Shanghai"
    agent.save()
    ticket.messages.update(sent_at=datetime(2026, 3, 1, 20, 15, tzinfo=UTC))
    _out, mail = composed(delivery_of(ticket, channel, author=agent))
    assert "On 2 Mar 2026, 04:15, Anna Schmidt wrote:\n" in body(mail)


def test_plus_addresses_when_the_server_delivers_them(ticket, channel):
    channel.settings = {"plus_addressing": True}
    channel.save()
    delivery = delivery_of(ticket, channel, mail_id=tokens.new_message_id(ticket.pk, "example.com"))
    out, mail = composed(delivery)
    marked = mail["Reply-To"].addresses[0].addr_spec
    assert tokens.ticket_of_address(marked) == ticket.pk
    assert delivery.mail_id.startswith(tokens.delivery_of_address(out.envelope_from))


def test_an_automatic_answer_says_so_and_wants_none(ticket, channel):
    channel.settings = {"plus_addressing": True}
    channel.save()
    out, mail = composed(delivery_of(ticket, channel, purpose="automatic", subject="We have your message"))
    assert out.envelope_from == ""
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert mail["Subject"] == f"We have your message [Ticket#{ticket.number}]"
    assert "wrote:" not in body(mail)


def test_account_mail(channel):
    content = {"subject": "Confirm your address", "text": "Follow https://help.example.com/x?y=1"}
    row = deliveries.queue([deliveries.NewDelivery(None, None, "anna@customer.test", "system", content)])[0]
    out = compose(Delivery.objects.get(pk=row.pk), channel)
    mail = message_from_bytes(out.content, policy=default)
    assert set(mail.keys()) <= ALLOWED
    assert mail["From"] == "Example Support <support@example.com>"
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Confirm your address", "auto-generated")
    assert body(mail) == "Follow https://help.example.com/x?y=1\n"


def test_references_keep_the_oldest_and_the_newest(ticket, channel):
    for n in range(30):
        factories.MessageFactory(ticket=ticket, mail_id=f"m{n}@customer.test")
    _out, mail = composed(delivery_of(ticket, channel))
    found = re.findall(r"<([^>]+)>", mail["References"])
    assert len(found) == 10
    assert found[0] == ticket.messages.order_by("seq").first().mail_id
    assert found[1:] == [f"m{n}@customer.test" for n in range(21, 30)]
    assert mail["In-Reply-To"] == "<m29@customer.test>"


def test_long_ids_stay_whole(ticket, channel):
    long = "x" * 180 + "@customer.test"
    factories.MessageFactory(ticket=ticket, mail_id=long)
    out, _mail = composed(delivery_of(ticket, channel))
    assert f"In-Reply-To: <{long}>\r\n".encode() in out.content


def test_each_recipient_is_referred_to_what_he_got(ticket, channel):
    message = factories.MessageFactory(ticket=ticket, kind=Message.Kind.OUTBOUND, channel=channel)
    news = [deliveries.NewDelivery(channel, message, who) for who in ("anna@customer.test", "bert@customer.test")]
    anna, bert = deliveries.queue(news)
    assert anna.mail_id == message.mail_id != bert.mail_id
    assert tokens.ticket_of_message_id(bert.mail_id) == ticket.pk
    for recipient, known in (("anna@customer.test", anna), ("bert@customer.test", bert)):
        _out, mail = composed(delivery_of(ticket, channel, recipient=recipient))
        assert f"<{known.mail_id}>" in mail["References"]


def test_notes_and_hidden_mail_are_never_quoted_or_named(ticket, channel):
    factories.MessageFactory(ticket=ticket, kind=Message.Kind.NOTE, text="He is lying", mail_id="note@example.com")
    factories.MessageFactory(ticket=ticket, hidden=True, text="Your code is 1234", mail_id="hidden@other.test")
    out, mail = composed(delivery_of(ticket, channel))
    whole = body(mail) + body(mail, "html") + out.content.decode()
    for secret in ("He is lying", "note@example.com", "1234", "hidden@other.test"):
        assert secret not in whole


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_mark_in_the_subject(ticket, side):
    options = {"subject_hook": "Case:", "subject_side": side}
    mark = f"[Case:{ticket.number}]"
    made = subject("x" * 300, ticket, options, is_answer=True)
    assert len(made) == 110
    assert made.startswith(mark) if side == "left" else made.endswith(mark)
    assert subject(f"AW: hello {mark}", ticket, options, is_answer=True) == (
        f"{mark} AW: hello" if side == "left" else f"AW: hello {mark}"
    )
    assert subject("答复：你好", ticket, options, is_answer=True).count("Re:") == 0
    assert subject("hello", ticket, {}, is_answer=False) == f"hello [Ticket#{ticket.number}]"


def test_no_value_makes_a_header(ticket, channel, agent):
    """S-51."""
    nasty = NASTY.replace("\x00", "") if connection.vendor == "postgresql" else NASTY  # it cannot store NUL
    channel.display_name = nasty[:100]
    channel.settings = {"plus_addressing": True, "signature": nasty}
    channel.save()
    ticket.messages.update(from_name=nasty[:200], mail_id=nasty[:100], reply_text=nasty)
    delivery = delivery_of(
        ticket, channel, text=nasty, subject=nasty, to=[["anna@customer.test", nasty], [nasty, nasty]], cc=[[nasty, ""]]
    )
    factories.AttachmentFactory(
        message=delivery.message, name=nasty[:200] + ".txt", content_type="text/html\r\nX-Evil: 1"
    )
    _out, mail = composed(delivery)
    assert set(mail.keys()) <= ALLOWED
    assert len(mail.keys()) == len(set(mail.keys()))
    assert [a.addr_spec for a in mail["To"].addresses] == ["anna@customer.test"]
    assert mail["Cc"] is None
    part = next(mail.iter_attachments())
    assert set(part.keys()) == {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"}
    assert part.get_content_type() == "application/octet-stream"
    assert "\n" not in part.get_filename()


@pytest.mark.parametrize(
    "bad",
    ["a@x.test,b@y.test", "a@x.test>\r\nRCPT TO:<b@y.test>", "a@x.test b@y.test", "a b@x.test", "", "nobody", "a@x@y.test",
     "a@x.test\n", "<a@x.test>", "a@x.test\u2028", "A <a@x.test>", '"a b"@x.test'],
)  # fmt: skip
def test_one_recipient_a_field(channel, bad):
    """S-52."""
    with pytest.raises(ValidationError):
        deliveries.queue([deliveries.NewDelivery(channel, None, bad, "system", {})])
    assert not Delivery.objects.exists()


def test_words_of_every_script(ticket, channel):
    channel.display_name = "客服 “Support”"
    channel.save()
    ticket.language = "zh-hans"
    ticket.save()
    text = "您好，\n请关闭阀门。\U0001f527\n.\n..\nFrom here\n" + "很长" * 300
    delivery = delivery_of(ticket, channel, text=text, subject="咖啡机漏水" * 5, language="zh-hans")
    factories.AttachmentFactory(
        message=delivery.message, name="说明书.pdf", content_type="application/pdf", content=b"%PDF\r\n.\r\n\x00\xff"
    )
    _out, mail = composed(delivery)
    assert body(mail).startswith(text)
    assert mail["Subject"] == f"Re: {'咖啡机漏水' * 5} [Ticket#{ticket.number}]"
    assert mail["From"].addresses[0].display_name == "客服 “Support”"
    part = next(mail.iter_attachments())
    assert (part.get_filename(), part.get_content()) == ("说明书.pdf", b"%PDF\r\n.\r\n\x00\xff")


def test_html_is_escaped(ticket, channel):
    ticket.messages.update(reply_text="<img src=x onerror=alert(1)>")
    _out, mail = composed(delivery_of(ticket, channel, text="<script>alert(1)</script> https://example.com/?a=1&b=2"))
    page = body(mail, "html")
    assert "<script" not in page
    assert "<img" not in page
    assert '<a href="https://example.com/?a=1&amp;b=2"' in page


def test_a_channel_without_an_address(ticket):
    channel = factories.ChannelFactory(address="")
    with pytest.raises(NotComposable):
        compose(Delivery.objects.get(pk=delivery_of(ticket, channel).pk))


def test_mail_of_django_is_queued(mailoutbox, settings, channel):
    from django.core.mail import EmailMultiAlternatives

    settings.EMAIL_BACKEND = "inbox.channels.email.system_mail.QueuedEmailBackend"
    mail = EmailMultiAlternatives("Hello", "text", to=["Anna <anna@customer.test>", "bert@customer.test"])
    mail.attach_alternative("<html><body>page</body></html>", "text/html")
    assert mail.send() == 1
    rows = Delivery.objects.order_by("pk")
    assert [(r.recipient, r.purpose, r.state) for r in rows] == [
        ("anna@customer.test", "system", "queued"),
        ("bert@customer.test", "system", "queued"),
    ]
    assert rows[0].content == {"subject": "Hello", "text": "text", "html": "<html><body>page</body></html>"}
    assert rows[0].mail_id != rows[1].mail_id
    assert not mailoutbox
