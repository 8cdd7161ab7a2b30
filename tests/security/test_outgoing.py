"""What leaves the house: one mail to whom it is meant for, headers from a list, and never a note (S-37, S-50 … S-53)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from crm.organisation.models import Notification
from crm.service import services
from crm.service.models import Ticket
from inbox import live
from inbox.models import Channel, Delivery, Message, RawMessage
from inbox.search import index_waiting
from inbox.services import merging, replies
from inbox.services.accept import accept
from inbox.services.processing import process
from tests import factories
from tests.inbox.wires.loops import sending, sending_channel, until
from tests.security.conftest import entered
from tests.servers.smtp_sink import Kept, SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

ALLOWED = {
    "date", "from", "to", "cc", "subject", "message-id", "in-reply-to", "references", "reply-to", "mime-version",
    "content-type", "content-transfer-encoding", "content-language", "auto-submitted", "x-auto-response-suppress",
}  # fmt: skip
EVIL = "x\r\nBcc: victim@other.test\r\nX-Bad: 1\r\n\r\n<script>\r\n.\r\nMAIL FROM:<a@b>\u2028y\x00\x85\x0bz"
ENCODED = "=?utf-8?q?x=0D=0ABcc=3A_victim=40other=2Etest=0D=0A=0D=0Abody=0D=0A=2E=0D=0AQUIT=E2=80=A8y=00=C2=85?="


@pytest.fixture
def channel(sink: SmtpSink, queue: Any) -> Channel:
    made = sending_channel(sink, plus_addressing=True)
    made.queue = queue
    made.acknowledge = factories.TemplateFactory(
        purpose="automatic",
        texts={"en": ("We have: {{ ticket.subject }}", "Dear {{ contact.name }}, {{ ticket.subject }}")},
    )
    made.save()
    return made


@pytest.fixture
def send(sink: SmtpSink) -> Callable[[], list[Kept]]:
    """Send all that is queued; what the sink has then."""

    def run() -> list[Kept]:
        with sending():
            until(lambda: not Delivery.objects.filter(state__in=("queued", "sending", "deferred")).exists())
        return sink.kept

    return run


def receive(channel: Channel, content: bytes) -> RawMessage:
    return process(accept(channel, content))


def checked(kept: Kept, recipient: str) -> None:
    """The mail has one recipient, headers from our list only, each once, on lines that end as they should."""
    assert kept.recipient == recipient
    head, _blank, body = kept.content.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert set(names) <= ALLOWED and len(names) == len(set(names)), names
    for part in (head, body):
        assert (
            b"\x00" not in part and b"\r" not in part.replace(b"\r\n", b"") and b"\n" not in part.replace(b"\r\n", b"")
        )
    assert all(len(line) <= 998 for line in kept.content.split(b"\r\n"))
    assert kept.message.get_content_maintype() in ("multipart", "text")
    told = getaddresses([str(kept.message[name]) for name in ("To", "Cc") if kept.message[name]])
    assert "victim@other.test" not in [address for _name, address in told]
    shown = str(make_header(decode_header(str(kept.message["Subject"]))))
    assert not set(shown) & set("\r\n\x00\u2028\x85\x0b") and len(shown) <= 110


def test_line_breaks_of_a_mail_never_make_a_header_of_ours(
    channel: Channel, agent: Any, send: Callable[[], list[Kept]]
) -> None:
    mail = (
        f"From: {ENCODED} <anna@schmidt.test>\r\nReply-To: victim@other.test\r\nTo: {ENCODED} <support@example.com>\r\n"
        f"Subject: {ENCODED}\r\nMessage-ID: <a\r\n\tb@x.test>\r\nReferences: <r1@x.test>\r\n <r2\x00@x.test> <{'r' * 900}@x>\r\n"
        "\r\nHello\r\n.\r\nQUIT\r\n"
    ).encode()
    raw = receive(channel, mail)
    assert raw.answer == "queued"
    answer = entered(agent).post(
        f"/desk/inbox/{raw.ticket.number}/reply/",
        {"text": "Dear\r\n.\r\nRCPT TO:<victim@other.test>\r\n" + EVIL, "seen": "99", "subject": EVIL, "from": EVIL},
    )
    assert answer.status_code == 302
    kept = send()
    assert len(kept) == 2
    for each in kept:
        checked(each, "anna@schmidt.test")
    assert [each.message["Auto-Submitted"] for each in kept].count("auto-replied") == 1
    assert "RCPT TO:<victim@other.test>" in kept[-1].message.get_body(("plain",)).get_content()


def test_names_of_our_own_records_never_make_a_header_either(
    channel: Channel, agent: Any, send: Callable[[], list[Kept]]
) -> None:
    stored = EVIL.replace("\x00", "")  # PostgreSQL keeps no NUL
    Channel.objects.filter(pk=channel.pk).update(display_name=stored[:100])
    type(agent).objects.filter(pk=agent.pk).update(name=stored[:100], signature=stored)
    raw = receive(channel, b"From: anna@schmidt.test\r\nTo: support@example.com\r\nSubject: Hi\r\n\r\nHi\r\n")
    Ticket.objects.filter(pk=raw.ticket.pk).update(subject=stored[:200])
    agent.refresh_from_db()
    replies.reply(
        raw.ticket,
        author=agent,
        text="Hi",
        attached=[(stored, "text/html\r\nX-Bad: 1", b"x"), ("\u202egnp.exe", "a/b", b"y")],
    )
    for each in send():
        checked(each, "anna@schmidt.test")
        for part in each.message.walk():
            assert {name.lower() for name in part} - ALLOWED <= {"content-disposition"}
            assert not set(part.get_filename() or "") & set("\r\n\x00\u2028\u202e/")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", "a@x.com,b@y.com"),
        ("to", "a@x.com>\r\nRCPT TO:<b@y.com>"),
        ("to", "a@x.com b@y.com"),
        ("cc", "a@x.com>\r\nRCPT TO:<b@y.com>"),
        ("cc", "a@x.com\r\nBcc:b@y.com"),
        ("cc", " ".join(f"u{n}@x.test" for n in range(21))),
        ("cc", "\x00@x.test"),
        ("to", "root@local\u2028host.test"),
        ("to", '"a@x.com"@y.com'),
    ],
)
def test_a_recipient_is_one_address(field: str, value: str, channel: Channel, agent: Any, ticket: Ticket) -> None:
    answer = entered(agent).post(f"/desk/inbox/{ticket.number}/reply/", {"text": "Hi", "seen": "99", field: value})
    assert answer.status_code == 422
    assert (Delivery.objects.count(), Message.objects.filter(kind="outbound").count()) == (0, 0)


def test_thousands_of_copies_are_not_answered(channel: Channel, agent: Any, send: Callable[[], list[Kept]]) -> None:
    copies = ",\r\n ".join(f"c{n}@crowd.test" for n in range(5_000))
    mail = f"From: anna@schmidt.test\r\nTo: support@example.com\r\nCc: {copies}\r\nSubject: All\r\n\r\nHi\r\n"
    raw = receive(channel, mail.encode())
    assert raw.outcome == "opened"
    replies.reply(raw.ticket, author=agent, text="Hi")
    kept = send()
    assert {each.recipient for each in kept} == {"anna@schmidt.test"}
    for each in kept:
        checked(each, "anna@schmidt.test")
        assert each.message["Cc"] is None


def test_the_open_form_carries_nothing_to_a_stranger(
    channel: Channel, queue: Any, send: Callable[[], list[Kept]], client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "inbox.channels.email.system_mail.QueuedEmailBackend"
    factories.ChannelFactory(name="Form", kind="webform", address="", queue=queue, settings={"guests": True})
    words = {"name": "Casino Winner", "subject": "Buy pills now", "text": "https://spam.test/ cheap"}
    with time_machine.travel(timezone.now() - timedelta(minutes=1)):
        page = client.get("/contact/").content.decode()
    opened = page.partition('name="opened" value="')[2].partition('"')[0]
    for n in range(3):
        sent = {**words, "email": "victim@other.test", "opened": opened, "text": f"{words['text']} {n}"}
        client.post("/contact/", sent)
    kept = send()
    assert len(kept) == 1
    checked_names = {name.lower() for name in kept[0].message}
    assert checked_names <= ALLOWED
    assert kept[0].recipient == "victim@other.test"
    assert kept[0].message["Auto-Submitted"] == "auto-generated"
    whole = kept[0].content.decode() + "".join(
        part.get_content() for part in kept[0].message.walk() if part.get_content_maintype() == "text"
    )
    for word in ("Casino", "Winner", "pills", "spam.test", "cheap"):
        assert word not in whole
    assert not Ticket.objects.exists()


NOTE = "zyxnote"
"""Stands in every note and nowhere else."""


def told(page: bytes) -> str:
    """The page without the question that it was asked."""
    return page.decode().replace(f"q={NOTE}", "").replace(f'value="{NOTE}"', "").replace(f"“{NOTE}”", "")


def test_a_note_reaches_no_customer(
    channel: Channel, agent: Any, anna: Any, send: Callable[[], list[Kept]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Note, then answer, customer's answer, merge, split, undo, copies and search: the word is nowhere (S-53)."""
    hints: list[Any] = []
    monkeypatch.setattr(live, "push", lambda found: hints.extend(found))
    mail = "From: Anna <anna@schmidt.test>\r\nTo: support@example.com\r\nSubject: Machine\r\nMessage-ID: <{0}@x.test>\r\n\r\nIt leaks {0}.\r\n"
    one = receive(channel, mail.format("one").encode()).ticket
    two = receive(channel, mail.format("two").encode()).ticket
    factories.ChannelFactory(name="Form", kind="webform", address="", queue=channel.queue)
    for ticket in (one, two):
        replies.add_note(
            ticket, author=agent, text=f"{NOTE} he lies", attached=[(f"{NOTE}.txt", "text/plain", NOTE.encode())]
        )
    replies.reply(one, author=agent, text="Close the valve.", cc=["ben@copy.test"])
    replies.add_note(one, author=agent, text=f"{NOTE} again")
    me = entered(anna)
    assert me.post(f"/my/tickets/{one.number}/answer/", {"text": "Done"}).status_code == 302
    merge = merging.merge(two, one, by=agent)
    replies.reply(one, author=agent, text="And now?")
    services.set_status(Ticket.objects.get(pk=one.pk), "resolved", by=agent)
    note = Message.objects.filter(ticket=one, kind="note").first()
    apart = merging.split(Ticket.objects.get(pk=one.pk), [note], by=agent)
    replies.reply(apart, author=agent, text="Third", to="anna@schmidt.test")
    merging.undo_merge(merge, by=agent)
    while index_waiting():
        pass

    kept = send()
    assert len(kept) >= 5
    for each in kept:
        words = each.content.decode() + "".join(
            str(part.get_content()) for part in each.message.walk() if not part.is_multipart()
        )
        assert NOTE not in words, each.message["Subject"]
    assert hints and NOTE not in json.dumps(hints)
    pages = ["/", "/my/tickets/", "/my/tickets/?state=closed", f"/my/tickets/?q={NOTE}", "/my/account/"]
    pages += [f"/my/tickets/{ticket.number}/" for ticket in (one, two, apart)]
    pages += [f"/my/messages/{pk}/original/" for pk in Message.objects.values_list("pk", flat=True)]
    pages += [f"/my/files/{n}/" for n in range(1, 10)]
    seen = 0
    for page in pages:
        answer = me.get(page)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert NOTE not in told(content), page
        seen += answer.status_code == 200
    assert seen >= 8
    # Colleagues do find it, so the word was there to be seen.
    assert NOTE in entered(agent).get(f"/desk/inbox/{two.number}/").content.decode()


def test_a_stranger_with_a_true_mark_is_told_nothing_of_the_ticket(
    channel: Channel, send: Callable[[], list[Kept]], agent: Any
) -> None:
    """S-40: he gets a ticket of his own and its acknowledgement; agents see what he claims."""
    mail = "From: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@x.test>\r\nIn-Reply-To: {}\r\n\r\n{}\r\n"
    first = receive(channel, mail.format("anna@schmidt.test", channel.address, "qzv contract", "a", "", "qzv").encode())
    answer = replies.reply(first.ticket, author=agent, text="qzv answer")
    before = len(send())
    to, mark = answer.channel.address, f"<{answer.mail_id}>"
    content = mail.format("mallory@evil.test", to, "Re: hello", "m", mark, "Tell me more")
    raw = receive(channel, content.encode())
    assert (raw.outcome, raw.message.unverified) == ("opened", True)
    sent = send()[before:]
    assert [kept.recipient for kept in sent] == ["mallory@evil.test"]
    assert b"qzv" not in sent[0].content and b"schmidt" not in sent[0].content
    assert answer.mail_id.encode() not in sent[0].content
    assert set(first.ticket.participants.values_list("contact", flat=True)) <= {first.ticket.contact_id}
    page = entered(agent).get(f"/desk/inbox/{raw.ticket.number}/").content.decode()
    assert "Sender not verified" in page and f"/desk/inbox/{first.ticket.number}/" in page
    replies.reply(first.ticket, author=agent, text="qzv later")
    assert {kept.recipient for kept in send()[before + 1 :]} == {"anna@schmidt.test"}


def test_rules_tell_nobody_who_may_not_see(channel: Channel, agent: Any, marketer: Any, other_queue: Any) -> None:
    outsider = factories.StaffFactory(role="agent")
    factories.QueueMemberFactory(queue=other_queue, user=outsider)
    gone = factories.StaffFactory(role="agent", is_active=False)
    factories.QueueMemberFactory(queue=channel.queue, user=gone)
    for whom in ("agent", "marketer", "queue", "assignee"):
        factories.RuleFactory(actions=[{"action": "notify", "whom": whom, "text": "Look"}])
    receive(channel, b"From: anna@schmidt.test\r\nTo: support@example.com\r\nSubject: Hi\r\n\r\nHi\r\n")
    assert set(Notification.objects.values_list("user", flat=True)) == {agent.pk}
