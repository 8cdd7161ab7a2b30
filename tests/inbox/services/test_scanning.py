"""Files are checked before people may have them; nothing that comes in waits for that (S-23)."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from django.urls import reverse

from crm.service.models import Ticket
from inbox.channels.base import NotComposable
from inbox.channels.email.composing import compose
from inbox.models import Attachment, Delivery, RawMessage, Verdict
from inbox.services import accept, processing, replies, scanning
from tests import factories
from tests.servers.clamd import EICAR, Clamd

pytestmark = [pytest.mark.clamav, pytest.mark.django_db]


@pytest.fixture
def scanner(clamd: Clamd, settings: Any) -> Clamd:
    settings.SCANNER = str(clamd.socket)
    return clamd


@pytest.fixture
def away(settings: Any, tmp_path: Any) -> None:
    settings.SCANNER = str(tmp_path / "nobody.sock")


def mail(content: bytes) -> bytes:
    head = b"From: anna@customer.test\r\nTo: support@example.com\r\nSubject: Photo\r\nMessage-ID: <a@x.test>\r\n"
    parts = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee.\r\n'
    file = b'--b\r\nContent-Type: text/plain; name="a.txt"\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\n'
    return head + parts + file + content + b"\r\n--b--\r\n"


def received(channel: Any, content: bytes) -> Attachment:
    raw = processing.process(accept.accept(channel, mail(content), external_id="one"))
    assert raw.outcome == RawMessage.Outcome.OPENED
    return Attachment.objects.get(message=raw.message)


def test_a_virus_is_found_told_and_kept_back(scanner: Clamd, channel: Any, agent: Any, login: Any) -> None:
    file = received(channel, EICAR)
    assert file.verdict == Verdict.WAITING
    assert scanning.scan_waiting() == 1
    file.refresh_from_db()
    assert (file.verdict, file.finding) == (Verdict.VIRUS, "Eicar-Test.UNOFFICIAL")
    ticket = file.message.ticket
    event = ticket.events.get(what="virus")
    assert (event.new, event.why) == ("a.txt", "Eicar-Test.UNOFFICIAL")
    ticket.refresh_from_db()
    assert ticket.sequence == event.seq  # browsers that look at the ticket hear of it
    desk = login(agent)
    for name in ("download", "look"):
        answer = desk.get(reverse(f"inbox:{name}", args=[file.pk]))
        assert b"Eicar-Test" in answer.content and EICAR not in answer.content
    assert desk.get(reverse("inbox:download", args=[file.pk])).status_code == 403
    page = desk.get(reverse("inbox:ticket", args=[ticket.number])).content.decode()
    assert "Virus found" in page and reverse("inbox:download", args=[file.pk]) not in page


def test_what_is_clean_is_handed_out(scanner: Clamd, channel: Any, agent: Any, login: Any) -> None:
    file = received(channel, b"Just words")
    answer = login(agent).get(reverse("inbox:download", args=[file.pk]))  # before the job came to it
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"Just words")
    file.refresh_from_db()
    assert (file.verdict, file.finding, scanning.scan_waiting()) == (Verdict.CLEAN, "", 0)


def test_without_the_scanner_mail_comes_in_and_files_wait(
    away: None, channel: Any, agent: Any, login: Any, settings: Any, clamd: Clamd
) -> None:
    file = received(channel, EICAR)
    assert scanning.scan_waiting() == 0
    answer = login(agent).get(reverse("inbox:download", args=[file.pk]))
    assert (answer.status_code, EICAR in answer.content) == (403, False)
    settings.SCANNER = str(clamd.socket)
    assert scanning.scan_waiting() == 1
    assert Attachment.objects.get(pk=file.pk).verdict == Verdict.VIRUS


def test_files_may_be_handed_out_unchecked_where_that_was_decided(
    away: None, channel: Any, agent: Any, login: Any, settings: Any
) -> None:
    settings.SCANNER_REQUIRED = False
    file = received(channel, b"Just words")
    answer = login(agent).get(reverse("inbox:download", args=[file.pk]))
    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"Just words")
    assert Attachment.objects.get(pk=file.pk).verdict == Verdict.WAITING


def test_what_the_scanner_cannot_take_is_kept_back(scanner: Clamd, ticket: Ticket) -> None:
    message = factories.MessageFactory(ticket=ticket)
    file = factories.AttachmentFactory(message=message, content=b"x" * (5 * 1024 * 1024), verdict=Verdict.WAITING)
    with pytest.raises(scanning.FileWithheld):
        scanning.clear(file)
    assert Attachment.objects.get(pk=file.pk).verdict == Verdict.UNKNOWN


def test_a_virus_never_leaves_the_house(scanner: Clamd, ticket: Ticket, channel: Any, agent: Any) -> None:
    replies.reply(ticket, author=agent, text="See.", attached=[("a.txt", "text/plain", EICAR)])
    with pytest.raises(NotComposable, match="Eicar-Test"):
        compose(Delivery.objects.get())


def test_an_answer_waits_for_the_scanner(away: None, ticket: Ticket, channel: Any, agent: Any) -> None:
    replies.reply(ticket, author=agent, text="See.", attached=[("a.txt", "text/plain", b"words")])
    with pytest.raises(OSError, match="viruses"):
        compose(Delivery.objects.get())


def test_something_else_on_the_port_is_no_scanner(settings: Any, ticket: Ticket) -> None:
    async def run() -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(64)
            writer.write(b"220 hello\r\n\0")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        settings.SCANNER = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            await asyncio.to_thread(scanning.ask, io.BytesIO(b"words"))
        except scanning.ScannerDown as why:
            return str(why)
        finally:
            server.close()
        return ""

    assert asyncio.run(run()).startswith("220 hello")
