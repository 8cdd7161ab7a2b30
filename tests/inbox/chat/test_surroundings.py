"""What surrounds a talk: files, rating, transcript, the form, hand-over by mail, and the limits of all of it."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from crm.service.models import Satisfaction, Ticket
from inbox.channels.chat import file_views
from inbox.channels.email.composing import compose
from inbox.models import Conversation, Delivery, Message, RawMessage, Visitor
from inbox.services import chats, guests, handover, replies, utterances
from inbox.services.accept import accept
from inbox.services.processing import process
from tests import factories
from tests.inbox.chat.conftest import Browser
from tests.inbox.chat.test_identity import user

pytestmark = pytest.mark.django_db
ID = "8f14e45f-ceea-467f-9575-1c2d3e4f5a6{}"


@pytest.fixture(autouse=True)
def real_mail(settings: Any) -> None:
    """System mail as the product sends it: queued with all other deliveries."""
    settings.EMAIL_BACKEND = "inbox.channels.email.system_mail.QueuedEmailBackend"


@pytest.fixture(autouse=True)
def within_one_window() -> Any:
    """No test begins in one minute, hour or day of the limits and ends in the next."""
    with time_machine.travel(timezone.now().replace(hour=12, minute=30, second=30), tick=False):
        yield


def send_file(browser: Browser, content: bytes, name: str = "photo.png", client_id: str = ID.format(0)) -> Any:
    return browser.client.post(
        f"/chat/v1/{browser.channel.settings['key']}/file",
        {"id": client_id, "file": SimpleUploadedFile(name, content, "text/html")},
        headers={"origin": browser.origin, "authorization": f"Bearer {browser.token}"},
    )


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (800, 600), "red").save(file, "PNG")
    return file.getvalue()


def test_a_file_is_a_message_of_its_own(chat: Any) -> None:
    browser = Browser(chat)
    first = send_file(browser, picture(), "../../evil\u202e.png")
    assert first.status_code == 200
    assert send_file(browser, picture(), "../../evil.png").json() == first.json()
    (event,) = browser.events()["events"]
    (file,) = event["files"]
    assert (event["text"], file["name"], file["type"], file["image"]) == ("", "evil.png", "image/png", True)
    small = browser.ask("GET", f"file/{file['id']}", {"small": 1})
    assert small.status_code == 200
    assert max(Image.open(BytesIO(small.content)).size) == file_views.SMALL


def test_uploads_are_limited(chat: Any, monkeypatch: Any) -> None:
    """S-22."""
    browser = Browser(chat)
    monkeypatch.setattr(file_views, "FILE_BYTES", 1_000)
    assert send_file(browser, b"x" * 1_001).status_code == 413
    assert send_file(browser, b"x" * 100_000).status_code == 413
    assert send_file(browser, b"").status_code == 413
    assert browser.ask("POST", "file", b"no form").json()["code"] == "invalid"
    monkeypatch.setattr(file_views, "BYTES_A_DAY", 2_500)
    answers = [send_file(browser, b"x" * 1_000, client_id=ID.format(n)).status_code for n in range(4)]
    assert answers == [200, 200, 429, 429]
    monkeypatch.setattr(file_views, "BYTES_A_DAY", 10**6)
    monkeypatch.setattr(file_views, "FILES_AN_HOUR", 5)
    assert send_file(browser, b"x", client_id=ID.format(5)).status_code == 200
    assert send_file(browser, b"x", client_id=ID.format(6)).status_code == 429
    assert Message.objects.count() == 3
    chat.settings["files"] = False
    chat.save()
    assert send_file(Browser(chat), b"x").json()["code"] == "closed"


def test_talks_from_one_network_are_limited(chat: Any, settings: Any, monkeypatch: Any) -> None:
    """S-50."""
    browsers = [Browser(chat) for _ in range(utterances.TALKS_A_MINUTE + 1)]
    answers = [b.post("say", id=ID.format(1), text="Hello") for b in browsers]
    assert [a.status_code for a in answers] == [200] * utterances.TALKS_A_MINUTE + [429]
    assert (answers[-1].json()["code"], answers[-1].headers["Retry-After"]) == ("too-many", "300")
    assert Ticket.objects.count() == utterances.TALKS_A_MINUTE
    assert browsers[0].post("say", id=ID.format(2), text="Who talks already goes on").status_code == 200
    settings.CHAT_MESSAGES_PER_MINUTE = 3
    answers = [browsers[0].post("say", id=ID.format(n), text="Fast") for n in range(3, 7)]
    assert [a.status_code for a in answers][-1] == 429


def test_sessions_from_one_network_are_limited(chat: Any, monkeypatch: Any) -> None:
    from inbox.channels.chat import views

    monkeypatch.setattr(views, "SESSIONS_A_MINUTE", 2)
    assert [Browser(chat, enter=False).post("session").status_code for _ in range(3)] == [200, 200, 429]


def test_the_end_can_be_rated(chat: Any, here: Any) -> None:
    browser = Browser(chat)
    browser.say("Hello")
    assert browser.post("rating", score=5).json()["code"] == "closed"
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="Hello!")
    chats.end(ticket, here)
    for score in (0, 6, "x", None, True):
        assert browser.post("rating", score=score).status_code in (400, 409)
    assert Satisfaction.objects.count() == 0
    assert browser.post("rating", score=4, comment="Quick").status_code == 204
    assert browser.post("rating", score=5, comment="Quick").status_code == 204
    rating = Satisfaction.objects.get()
    assert (rating.score, rating.comment, rating.ticket) == (5, "Quick", ticket)


def test_a_talk_that_the_visitor_ended_with_thanks_can_be_rated_too(chat: Any, here: Any) -> None:
    """His last words wait for a colleague, so the ticket stays open; the talk is over all the same."""
    browser = Browser(chat)
    browser.say("Hello")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="Hello!")
    browser.say("Thanks, it works")
    assert browser.post("rating", score=5).json()["code"] == "closed"
    browser.post("end")
    assert browser.post("rating", score=5).status_code == 204
    assert (Satisfaction.objects.get().score, Ticket.objects.get().is_finished) == (5, False)


def test_a_talk_without_an_answer_is_not_rated(chat: Any, here: Any) -> None:
    browser = Browser(chat)
    browser.say("Hello")
    browser.post("end")
    assert browser.post("rating", score=1).json()["code"] == "closed"


def mails_to(address: str) -> list[Delivery]:
    return list(Delivery.objects.filter(recipient=address).order_by("pk"))


def link_in(mail: Delivery) -> str:
    link = next(word for word in mail.content["text"].split() if "://" in word)
    return "/" + link.split("/", 3)[3]


def test_a_transcript_goes_to_a_proved_address_at_once(chat: Any, here: Any, contact: Any) -> None:
    browser = Browser(chat, user=user("anna@customer.test"))
    browser.say("Where is my order?")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="On its way.", channel=chat, to=Visitor.objects.get().address)
    replies.add_note(ticket, author=here, text="Difficult")
    assert browser.post("transcript").json() == {"done": "sent"}
    (mail,) = mails_to("anna@customer.test")
    assert "Where is my order?" in mail.content["text"]
    assert "On its way." in mail.content["text"]
    assert "Difficult" not in mail.content["text"]
    wire = message_from_bytes(compose(mail, factories.ChannelFactory()).content, policy=default)
    assert wire["Auto-Submitted"] == "auto-generated"
    for _ in range(4):
        browser.post("transcript")
    assert browser.post("transcript").json()["code"] == "too-many"
    assert len(mails_to("anna@customer.test")) == 5


def test_a_transcript_names_files_and_tells_the_visitors_time(chat: Any, contact: Any) -> None:
    browser = Browser(chat, user=user("anna@customer.test"), zone="Asia/Taipei")
    with time_machine.travel("2026-03-04 20:05:00+00:00", tick=False):
        browser.say("Here it is: https://shop.test/" + "x" * 90)
        send_file(browser, picture(), "label.png")
        browser.post("transcript")
    text = mails_to("anna@customer.test")[0].content["text"]
    assert "You (5 Mar 2026, 04:05):\n[label.png]" in text
    assert "overflow-wrap: anywhere" in mails_to("anna@customer.test")[0].content["html"]


def test_an_unproved_address_is_asked_without_a_word_of_the_visitors(chat: Any, client: Any) -> None:
    """S-50."""
    browser = Browser(chat)
    assert browser.post("transcript").json()["code"] in ("gone", "invalid")
    browser.post("person", name="BUY CHEAP WATCHES")
    browser.say("BUY CHEAP WATCHES")
    assert browser.post("transcript").json()["code"] == "invalid"
    assert browser.post("transcript", email="victim@else.test").json() == {"done": "confirm"}
    assert browser.post("transcript").json()["code"] == "too-many"
    (mail,) = mails_to("victim@else.test")
    assert "WATCHES" not in str(mail.content)
    path = link_in(mail)
    assert "what you missed there" in client.get(path).content.decode()
    assert client.get(path).status_code == 200
    assert len(mails_to("victim@else.test")) == 1  # a scanner that looks sets nothing off
    assert client.post(path).status_code == 200
    assert "WATCHES" in mails_to("victim@else.test")[1].content["text"]
    assert client.post(path).status_code == 410
    assert len(mails_to("victim@else.test")) == 2


def test_a_link_dies_when_the_address_changes(chat: Any, client: Any) -> None:
    browser = Browser(chat)
    browser.say("Hello")
    browser.post("transcript", email="one@else.test")
    path = link_in(mails_to("one@else.test")[0])
    browser.post("person", email="two@else.test")
    assert client.post(path).status_code == 410


def test_the_form_waits_for_the_click_in_the_mail(chat: Any, queue: Any) -> None:
    """S-50."""
    browser = Browser(chat)
    given = {"id": ID.format(1), "name": "Anna", "email": "Anna@customer.test", "text": "Please call", "phone": "123"}
    assert browser.post("form", **given).json()["code"] == "gone"
    form = factories.ChannelFactory(kind="webform", address="", queue=queue)
    assert browser.post("form", **given).json() == {"done": "confirm"}
    assert browser.post("form", **given).json() == {"done": "confirm"}
    raw = RawMessage.objects.get()
    assert (raw.channel, raw.state, Ticket.objects.count()) == (form, "held", 0)
    assert len(mails_to("anna@customer.test")) == 1
    assert "Please call" not in str(mails_to("anna@customer.test")[0].content)
    assert browser.post("form", **{**given, "id": ID.format(2)}).json()["code"] == "too-many"
    assert browser.post("form", **{**given, "id": ID.format(3), "email": "a@x,b@y"}).json()["code"] == "invalid"


@pytest.fixture
def mailbox(queue: Any) -> Any:
    return factories.ChannelFactory(name="Support", address="support@example.com", queue=queue)


def leave(browser: Browser) -> None:
    Visitor.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    Delivery.objects.update(created_at=timezone.now() - timedelta(minutes=2))


def test_answers_that_nobody_waited_for_go_by_mail_together(chat: Any, here: Any, mailbox: Any, client: Any) -> None:
    """S-50: the address is a claim until its owner has clicked."""
    browser = Browser(chat)
    browser.post("person", name="Anna", email="anna@home.test")
    browser.say("BUY CHEAP WATCHES")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="First answer")
    replies.reply(ticket, author=here, text="Second answer")
    assert handover.mail_what_waits() == 0
    leave(browser)
    assert handover.mail_what_waits() == 0
    assert handover.mail_what_waits() == 0
    (question,) = mails_to("anna@home.test")
    assert "answer" not in question.content["text"]  # not a word of ours either before the click
    assert {d.state for d in Delivery.objects.filter(recipient__startswith="visitor-")} == {"queued"}
    path = link_in(question)
    assert client.get(path).status_code == 200
    assert handover.mail_what_waits() == 0
    assert client.post(path).status_code == 200
    assert client.post(path).status_code == 410
    assert handover.mail_what_waits() == 1
    assert handover.mail_what_waits() == 0
    _question, mail = mails_to("anna@home.test")
    wire = message_from_bytes(compose(mail, mailbox).content, policy=default)
    text = wire.get_body(("plain",)).get_content()
    assert "First answer" in text
    assert "Second answer" in text
    assert "You can reply to this mail." in text
    assert "WATCHES" not in wire.as_string()  # the address is a claim: it gets no word of the visitor's
    assert wire["To"] == "anna@home.test"
    left = Delivery.objects.filter(recipient__startswith="visitor-")
    assert {d.state for d in left} == {"cancelled"}
    assert all("anna@home.test" in d.response for d in left)

    answer = (
        f"From: anna@home.test\r\nTo: support@example.com\r\nSubject: Re\r\nMessage-ID: <a@home.test>\r\n"
        f"In-Reply-To: {wire['Message-ID']}\r\n\r\nThank you\r\n"
    ).encode()
    raw = process(accept(mailbox, answer, external_id="1"))
    assert (raw.outcome, raw.ticket) == ("appended", ticket)
    # His answer by mail is not the visitor's: the browser does not show it (it may be somebody else's by now).
    assert "Thank you" not in str(browser.events())


def test_the_hand_over_to_claimed_addresses_is_limited(chat: Any, here: Any, mailbox: Any) -> None:
    for _ in range(2):
        browser = Browser(chat)
        browser.post("person", email="victim@else.test")
        browser.say("Hello")
        replies.reply(Conversation.objects.latest("pk").ticket, author=here, text="Hello!")
    leave(browser)
    handover.mail_what_waits()
    assert len(mails_to("victim@else.test")) == 1
    handover.mail_what_waits()
    assert len(mails_to("victim@else.test")) == 1
    assert Delivery.objects.filter(recipient__startswith="visitor-", state="queued").count() == 2


def test_a_network_names_few_addresses_of_strangers(chat: Any, here: Any, mailbox: Any) -> None:
    """S-50: beside the limits of an address there are one of a network and one of all."""
    browser = Browser(chat)
    codes = [browser.post("person", email=f"{n}@else.test").status_code for n in range(6)]
    assert codes == [204] * guests.PER_VISITOR_MINUTE + [429]
    assert browser.post("transcript", email="7@else.test").json()["code"] == "too-many"
    assert browser.post("person", name="Anna").status_code == 204
    assert Visitor.objects.get().email == "4@else.test"


def test_all_addresses_of_strangers_together_get_few_mails(
    chat: Any, here: Any, mailbox: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(guests, "ALL_HOUR", 2)
    for n in range(3):
        browser = Browser(chat)
        Visitor.objects.filter(email="").update(email=f"{n}@else.test")
        browser.say("Hello")
        replies.reply(Conversation.objects.latest("pk").ticket, author=here, text="Hello!")
    leave(browser)
    handover.mail_what_waits()
    assert Delivery.objects.filter(recipient__endswith="@else.test").count() == 2
    assert Delivery.objects.filter(recipient__startswith="visitor-", state="queued").count() == 3


def test_an_address_given_anew_is_a_claim_again(chat: Any, here: Any, mailbox: Any) -> None:
    browser = Browser(chat)
    browser.post("person", email="one@else.test")
    Visitor.objects.update(email_state="confirmed")
    browser.post("person", email="one@else.test")
    assert Visitor.objects.get().email_state == "confirmed"
    browser.post("person", email="two@else.test")
    assert Visitor.objects.get().email_state == "claimed"


def test_without_an_address_answers_wait_for_his_return_and_then_fail(chat: Any, here: Any, mailbox: Any) -> None:
    from inbox.channels.base import Outcome, Receipt
    from inbox.services import outcomes, sending

    browser = Browser(chat)
    browser.say("Hello")
    ticket = Ticket.objects.get()
    replies.reply(ticket, author=here, text="Hello!")
    leave(browser)
    assert handover.mail_what_waits() == 0
    assert sending.claim(10) == []
    late = timezone.now() - timedelta(days=3, minutes=1)
    Delivery.objects.update(next_at=timezone.now(), created_at=late)
    (row,) = sending.claim(10)
    assert not isinstance(sending.prepare(row), Receipt)
    outcomes.record(row, Receipt(Outcome.LATER, response="The visitor has not come back yet."))
    assert Delivery.objects.get().state == "failed"
    ticket.refresh_from_db()
    assert ticket.events.filter(what="undelivered").exists()
    assert [e["text"] for e in browser.events()["events"]] == ["Hello", "Agent has joined.", "Hello!"]


def test_the_channels_page_shows_the_line_to_embed(chat: Any, administrator: Any, login: Any) -> None:
    client = login(administrator)
    page = client.get(f"/desk/channels/{chat.pk}/")
    assert f"data-channel=&quot;{chat.settings['key']}&quot;" in page.content.decode()
    answer = client.post(f"/desk/channels/{chat.pk}/do/new-secret/", follow=True)
    chat.refresh_from_db()
    secret = chat.secrets()["identity_secret"]
    assert secret in answer.content.decode()
    assert secret not in client.get(f"/desk/channels/{chat.pk}/").content.decode()
    old = chat.settings["key"]
    client.post(f"/desk/channels/{chat.pk}/do/new-key/")
    chat.refresh_from_db()
    assert chat.settings["key"] != old
    assert Browser(chat).welcome["token"]
    assert client.post(f"/desk/channels/{chat.pk}/do/anything/").status_code == 404


def test_a_chat_is_made_by_the_form_with_a_key_of_its_own(administrator: Any, login: Any, queue: Any) -> None:
    from inbox.models import Channel

    fields = {
        "kind": "chat", "name": "Site", "queue": queue.pk, "language": "en", "active": "on",
        "settings-origins": "https://a.test\nhttps://b.test:8443", "settings-colour": "#112233",
        "settings-title_en": "Hi", "settings-welcome_zh_hans": "您好",
    }  # fmt: skip
    answer = login(administrator).post("/desk/channels/new/", fields)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    channel = Channel.objects.get(name="Site")
    assert len(channel.settings["key"]) >= 12
    assert channel.settings["origins"] == "https://a.test\nhttps://b.test:8443"
    assert channel.settings["welcome_zh_hans"] == "您好"
