"""Requests of guests (S-50): nothing of them is seen, and nothing of theirs is mailed, before the address is confirmed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm.service.models import Ticket
from inbox.models import Attachment, Channel, RawMessage
from inbox.services import guests
from inbox.services.files import read_blob
from tests import factories

SENT = {
    "name": "Eve BUY-PILLS",
    "email": "Guest@Victim.test",
    "subject": "BUY-PILLS https://evil.test",
    "text": "BUY-PILLS now",
    "topic": "",
}


def fill_in(client: Client, wait: float = 5, **changed: Any) -> Any:
    """Open the form, take `wait` seconds, and send it."""
    moment = timezone.now()
    with time_machine.travel(moment, tick=False):
        page = client.get("/contact/").content.decode()
    opened = re.search(r'name="opened" value="([^"]+)"', page)[1]
    with time_machine.travel(moment + timedelta(seconds=wait), tick=False):
        return client.post("/contact/", {**SENT, "opened": opened, **changed})


def link_of(number: int = 0) -> str:
    return re.search(r"https?://[^/\s]+(/contact/confirm/\S+)", mail.outbox[number].body)[1]


@pytest.fixture(autouse=True)
def _form(form_channel: Channel) -> None:
    """The form is set up in every test."""


def test_a_request_waits_until_it_is_confirmed(client: Client) -> None:
    assert fill_in(client)["Location"] == "/contact/sent/"
    raw = RawMessage.objects.get()
    assert raw.state == RawMessage.State.HELD
    assert Ticket.objects.count() == 0
    assert [m.to for m in mail.outbox] == [["guest@victim.test"]]
    page = client.get(link_of())
    assert page.status_code == 200
    raw.refresh_from_db()
    assert (raw.state, Ticket.objects.count()) == (RawMessage.State.HELD, 0)
    done = Client(enforce_csrf_checks=False).post(link_of())
    ticket = Ticket.objects.get()
    assert f"#{ticket.number}" in done.content.decode()
    assert (ticket.subject, ticket.contact.address) == ("BUY-PILLS https://evil.test", "guest@victim.test")
    assert client.post(link_of()).status_code == 410
    assert client.get(link_of()).status_code == 410
    assert Ticket.objects.count() == 1


def test_the_mail_holds_not_a_word_of_the_visitor(client: Client) -> None:
    fill_in(client)
    message = mail.outbox[0]
    everything = message.subject + message.body + str(message.alternatives[0][0])
    for word in ("BUY-PILLS", "evil.test", "Eve"):
        assert word not in everything
    assert "http://127.0.0.1:8000/contact/confirm/" in message.body


def test_a_strangers_host_is_not_in_the_link(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    fill_in(Client(headers={"host": "evil.test"}))
    assert "evil.test" not in mail.outbox[0].body
    assert "http://127.0.0.1:8000/contact/confirm/" in mail.outbox[0].body


@pytest.mark.parametrize("wrong", ["g-1", "g-1.aaaaaaaaaaaaaaaa", "x", "g-999.", "%00", "../../x"])
def test_a_made_up_link_does_nothing(wrong: str, client: Client) -> None:
    fill_in(client)
    assert client.post(f"/contact/confirm/{wrong}/").status_code in (404, 410)
    assert RawMessage.objects.get().state == RawMessage.State.HELD


def test_a_link_is_for_one_request(client: Client, form_channel: Channel) -> None:
    fill_in(client)
    other = factories.RawMessageFactory(channel=form_channel, state=RawMessage.State.HELD)
    signature = link_of().rsplit(".", 1)[1]
    assert client.post(f"/contact/confirm/g-{other.pk}.{signature}").status_code in (301, 410)
    assert client.post(f"/contact/confirm/g-{other.pk}.{signature.strip('/')}/").status_code == 410


def test_an_old_link_does_nothing(client: Client) -> None:
    fill_in(client)
    RawMessage.objects.update(received_at=timezone.now() - timedelta(hours=25))
    assert client.post(link_of()).status_code == 410
    assert Ticket.objects.count() == 0


def test_one_mail_an_hour_and_three_a_day_to_an_address() -> None:
    morning = timezone.now().replace(hour=1, minute=10, second=0)
    codes = []
    for minutes in (0, 5, 61, 122, 183, 244):
        with time_machine.travel(morning + timedelta(minutes=minutes), tick=False):
            page = Client().get("/contact/").content.decode()
        opened = re.search(r'name="opened" value="([^"]+)"', page)[1]
        with time_machine.travel(morning + timedelta(minutes=minutes, seconds=9), tick=False):
            codes.append(Client().post("/contact/", {**SENT, "opened": opened}).status_code)
    assert codes == [302, 429, 302, 302, 429, 429]
    assert len(mail.outbox) == 3
    assert RawMessage.objects.count() == 3


def test_the_limit_tells_and_keeps_what_was_typed(client: Client) -> None:
    fill_in(client)
    again = fill_in(client, text="My second question")
    page = again.content.decode()
    assert again.status_code == 429
    assert "less than an hour ago" in page
    assert "My second question" in page


def test_the_limit_is_one_for_all_spellings_of_an_address(client: Client) -> None:
    fill_in(client)
    assert fill_in(client, email="gUEST@VICTIM.TEST").status_code == 429


def test_a_visitor_and_all_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "PER_VISITOR_MINUTE", 2)
    codes = [fill_in(Client(), email=f"a{n}@x.test").status_code for n in range(3)]
    assert sorted(codes) == [302, 302, 429]
    monkeypatch.setattr(guests, "ALL_HOUR", 0)
    assert fill_in(Client(REMOTE_ADDR="192.0.2.7"), email="b@x.test").status_code == 429


def test_a_claimed_address_of_the_visitor_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "PER_VISITOR_HOUR", 2)
    codes = [
        fill_in(Client(headers={"x-forwarded-for": f"198.51.100.{n}"}), email=f"a{n}@x.test").status_code
        for n in range(3)
    ]
    assert codes == [302, 302, 429]


def test_a_script_that_fills_in_everything_gets_nowhere(client: Client) -> None:
    assert fill_in(client, website="https://spam.test")["Location"] == "/contact/sent/"
    assert RawMessage.objects.count() == 0
    assert mail.outbox == []


def test_faster_than_a_person_is_asked_again(client: Client) -> None:
    answer = fill_in(client, wait=1)
    assert answer.status_code == 400
    assert "very fast" in answer.content.decode()
    assert RawMessage.objects.count() == 0


def test_a_page_left_open_for_a_day_can_be_sent_again(client: Client) -> None:
    moment = timezone.now()
    answer = fill_in(client, wait=25 * 3600)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "open for too long" in page
    assert "BUY-PILLS now" in page
    opened = re.search(r'name="opened" value="([^"]+)"', page)[1]
    with time_machine.travel(moment + timedelta(seconds=25 * 3600 + 30), tick=False):
        assert client.post("/contact/", {**SENT, "opened": opened}).status_code == 302


@pytest.mark.parametrize("opened", ["", "form", "form:1:x"])
def test_a_form_we_did_not_show_is_not_taken(opened: str, client: Client) -> None:
    assert client.post("/contact/", {**SENT, "opened": opened}).status_code == 400
    assert RawMessage.objects.count() == 0


@pytest.mark.parametrize("email", ["a@x.test,b@y.test", "a@x.test\r\nBcc: b@y.test", "a@x.test>", "a b@x.test", "@x"])
def test_one_address_a_field(email: str, client: Client) -> None:
    assert fill_in(client, email=email).status_code == 400
    assert mail.outbox == []


def test_a_line_break_in_the_subject_stays_one_header(client: Client) -> None:
    fill_in(client, subject="a\r\nBcc: x@y.test")
    client.post(link_of())
    assert Ticket.objects.get().subject == "a Bcc: x@y.test"


def test_guests_can_be_turned_away(client: Client, form_channel: Channel) -> None:
    form_channel.settings = {"guests": False}
    form_channel.save()
    assert client.get("/contact/")["Location"] == "/accounts/login/?next=/contact/"
    assert client.post("/contact/", SENT)["Location"] == "/accounts/login/?next=/contact/"
    assert RawMessage.objects.count() == 0


def test_a_known_address_gets_the_same_answer(client: Client, anna: Any) -> None:
    known, unknown = fill_in(client, email=anna.email), fill_in(client, email="nobody@x.test")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    first, second = (message.body.replace(link_of(n), "") for n, message in enumerate(mail.outbox))
    assert first == second


def test_unconfirmed_requests_are_forgotten(client: Client) -> None:
    fill_in(client)
    assert guests.forget_unconfirmed() == 0
    RawMessage.objects.update(received_at=timezone.now() - timedelta(days=4))
    assert guests.forget_unconfirmed() == 1
    assert RawMessage.objects.count() == 0


def test_files_come_along(client: Client) -> None:
    fill_in(client, files=[SimpleUploadedFile("leak.jpg", b"picture", "image/jpeg")])
    client.post(link_of())
    file = Attachment.objects.get()
    assert (file.name, read_blob("attachments", file.blob), file.message.ticket) == (
        "leak.jpg",
        b"picture",
        Ticket.objects.get(),
    )


def test_a_guests_files_are_few(client: Client) -> None:
    answer = fill_in(client, files=[SimpleUploadedFile(f"{n}.txt", b"x") for n in range(4)])
    assert "At most 3 files" in answer.content.decode()
    assert RawMessage.objects.count() == 0
