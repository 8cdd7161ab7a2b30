"""What a customer does with his tickets, with plain forms and no JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm.service.models import Satisfaction, Ticket, TicketParticipant
from inbox.models import Attachment, Message, RawMessage
from inbox.services import merging
from inbox.services.files import read_blob
from portal.my import queries, views
from tests import factories


@pytest.fixture
def me(anna: Any, client: Client) -> Client:
    client.force_login(anna)
    return client


def test_an_answer_reaches_the_ticket_with_its_files(annas: Ticket, anna: Any, me: Client) -> None:
    files = [SimpleUploadedFile("leak.jpg", b"\xff\xd8picture", "image/jpeg"), SimpleUploadedFile("收据.pdf", b"%PDF")]
    answer = me.post(f"/my/tickets/{annas.number}/answer/", {"text": "It still leaks.\nSee here.", "files": files})
    assert answer.status_code == 302
    message = Message.objects.filter(ticket=annas).order_by("-seq").first()
    assert (message.kind, message.text, message.contact.user) == ("inbound", "It still leaks.\nSee here.", anna)
    stored = list(Attachment.objects.filter(message=message).order_by("name"))
    assert [(f.name, read_blob("attachments", f.blob)) for f in stored] == [
        ("leak.jpg", b"\xff\xd8picture"),
        ("收据.pdf", b"%PDF"),
    ]
    page = me.get(answer["Location"]).content.decode()
    assert "It still leaks." in page
    assert "收据.pdf" in page
    assert "Thank you. Your message has reached us." in page


def test_a_merged_ticket_leads_to_where_it_went(annas: Ticket, anna: Any, me: Client) -> None:
    agent = factories.StaffFactory(role="agent")
    contact = annas.contact
    other, last = (factories.TicketFactory(queue=annas.queue, contact=contact) for _ in range(2))
    for ticket in (other, last):
        TicketParticipant.objects.get_or_create(ticket=ticket, contact=contact)
    merging.merge(annas, other, by=agent)
    merging.merge(other, last, by=agent)
    moved = me.get(f"/my/tickets/{annas.number}/")
    assert (moved.status_code, moved["Location"]) == (302, f"/my/tickets/{last.number}/")
    said = me.post(f"/my/tickets/{annas.number}/answer/", {"text": "It leaks again."})
    assert said["Location"] == f"/my/tickets/{last.number}/"
    assert last.messages.filter(text="It leaks again.").exists()
    for deed in ("close", "reopen"):
        assert me.post(f"/my/tickets/{annas.number}/{deed}/").status_code == 404
    TicketParticipant.objects.filter(ticket=last).delete()
    assert me.get(f"/my/tickets/{annas.number}/").status_code == 404


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "x" * 20_001}, "at most 20000 characters"),
        ({"text": "x", "files": [SimpleUploadedFile(f"{n}.txt", b"a") for n in range(6)]}, "At most 5 files"),
    ],
)
def test_a_bad_answer_says_what_is_wrong_and_keeps_the_text(data: Any, said: str, annas: Ticket, me: Client) -> None:
    before = RawMessage.objects.count()
    answer = me.post(f"/my/tickets/{annas.number}/answer/", data)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert said in page
    assert data["text"][:50] in page
    assert 'aria-invalid="true"' in page
    assert RawMessage.objects.count() == before


def test_too_large_files_are_refused(annas: Ticket, me: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.my.files.MAX_BYTES", 10)
    file = SimpleUploadedFile("big.txt", b"x" * 11)
    answer = me.post(f"/my/tickets/{annas.number}/answer/", {"text": "x", "files": file})
    assert "“big.txt” is larger than 0 MB." in answer.content.decode()


def test_there_is_a_limit_an_hour(annas: Ticket, me: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MESSAGES_AN_HOUR", 2)
    codes = [me.post(f"/my/tickets/{annas.number}/answer/", {"text": "x"}).status_code for _ in range(3)]
    assert codes == [302, 302, 429]


def test_there_is_a_limit_of_bytes_a_day(annas: Ticket, me: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MEGABYTES_A_DAY", 2)
    codes = [
        me.post(
            f"/my/tickets/{annas.number}/answer/", {"text": "x", "files": SimpleUploadedFile("a.txt", b"x")}
        ).status_code
        for _ in range(3)
    ]
    assert codes == [302, 302, 429]


def test_nobody_is_asked_to_rate_what_was_only_said(annas: Ticket, me: Client) -> None:
    at = f"/my/tickets/{annas.number}/"
    me.post(at + "close/")
    annas.messages.all().delete()
    factories.MessageFactory(ticket=annas, kind="call", text="He called.")
    page = me.get(at).content.decode()
    assert "What was said on the telephone" in page and 'id="rate"' not in page


def test_close_open_again_and_rate(annas: Ticket, me: Client) -> None:
    at = f"/my/tickets/{annas.number}/"
    assert me.post(at + "rate/", {"score": 5}).status_code == 404
    me.post(at + "close/")
    annas.refresh_from_db()
    assert annas.status == Ticket.Status.CLOSED
    assert "Are you satisfied with our answer?" in me.get(at).content.decode()
    assert me.post(at + "rate/", {"score": 6}).status_code == 400
    assert me.post(at + "rate/", {"score": 4, "comment": "Quick"}).status_code == 302
    rating = Satisfaction.objects.get(ticket=annas)
    assert (rating.score, rating.comment) == (4, "Quick")
    page = me.get(at).content.decode()
    assert ">\nQuick</textarea>" in page  # whoever changes the stars keeps his words
    assert [page.index(f'id="score-{n}"') for n in range(1, 6)] == sorted(
        page.index(f'id="score-{n}"') for n in range(1, 6)
    )
    me.post(at + "rate/", {"score": 2})
    assert Satisfaction.objects.get(ticket=annas).score == 2
    me.post(at + "reopen/")
    annas.refresh_from_db()
    assert annas.status == Ticket.Status.OPEN


@pytest.mark.parametrize("verb", ["answer", "close", "reopen", "rate"])
def test_looking_changes_nothing(verb: str, annas: Ticket, me: Client) -> None:
    assert me.get(f"/my/tickets/{annas.number}/{verb}/").status_code == 405


def test_answering_a_closed_ticket_opens_it(annas: Ticket, me: Client) -> None:
    me.post(f"/my/tickets/{annas.number}/close/")
    me.post(f"/my/tickets/{annas.number}/answer/", {"text": "Not done"})
    annas.refresh_from_db()
    assert annas.status == Ticket.Status.OPEN


def test_a_new_request_opens_a_ticket(anna: Any, form_channel: Any, me: Client) -> None:
    answer = me.post("/contact/", {"topic": "Invoice", "subject": "Wrong VAT", "text": "The number is old."})
    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/my/tickets/{ticket.number}/"
    assert (ticket.subject, ticket.contact.user, ticket.queue, ticket.origin) == (
        "Wrong VAT",
        anna,
        form_channel.queue,
        "webform",
    )
    assert ticket.messages.get().facts["topic"] == "Invoice"


def test_the_topic_comes_from_the_list(form_channel: Any, me: Client) -> None:
    assert me.post("/contact/", {"topic": "Other", "subject": "a", "text": "b"}).status_code == 400


def test_without_a_form_channel_the_page_says_so(me: Client) -> None:
    answer = me.get("/contact/")
    assert answer.status_code == 503
    assert "The form is closed" in answer.content.decode()


def test_pages_by_activity_without_gap_or_repeat(anna: Any, queue: Any) -> None:
    now = timezone.now()
    contact = anna.contact
    # Pairs of equal moments: the cursor has to go on inside one.
    made = [
        factories.TicketFactory(queue=queue, contact=contact, activity_at=now - timedelta(minutes=n // 2))
        for n in range(45)
    ]
    wanted = [t.pk for t in sorted(made, key=lambda t: (t.activity_at, t.pk), reverse=True)]
    seen, before = [], ""
    for length in (20, 20, 5):
        page = queries.page_of(anna, before=before)
        assert len(page.tickets) == length
        seen += [t.pk for t in page.tickets]
        before = page.more
    assert before == ""
    assert seen == wanted


@pytest.mark.parametrize("cursor", ["x", "1-", "-1", "1-x", "9" * 30 + "-1", "١-١", "99999999999999999999-1", "\x00"])
def test_a_made_up_cursor_gives_the_first_page(cursor: str, annas: Ticket, me: Client) -> None:
    answer = me.get("/my/tickets/", {"before": cursor})
    assert answer.status_code == 200
    assert "The machine leaks" in answer.content.decode()


def test_search_by_number_and_subject(annas: Ticket, anna: Any, queue: Any) -> None:
    factories.TicketFactory(queue=queue, contact=anna.contact, subject="Invoice")
    assert queries.page_of(anna, words=f"#{annas.number}").tickets == [annas]
    assert queries.page_of(anna, words=f" {annas.number} ").tickets == [annas]
    assert queries.page_of(anna, words="MACHINE").tickets == [annas]
    assert queries.page_of(anna, words="%").tickets == []
    assert queries.page_of(anna, words="9" * 90).tickets == []


def test_states_in_the_customers_words(annas: Ticket, me: Client) -> None:
    for status, words in (("snoozed", "In progress"), ("pending", "Waiting for you"), ("new", "Received")):
        Ticket.objects.filter(pk=annas.pk).update(status=status)
        page = me.get("/my/tickets/").content.decode()
        assert words in page
        assert "Snoozed" not in page


def test_a_colleague_sees_his_own_requests_only(annas: Ticket, agent: Any, client: Client) -> None:
    client.force_login(agent)
    assert Ticket.objects.visible_to(agent).get() == annas
    assert "No open tickets" in client.get("/my/tickets/").content.decode()


def test_many_messages_cost_no_more_queries(annas: Ticket, me: Client, django_assert_max_num_queries: Any) -> None:
    for n in range(30):
        message = factories.MessageFactory(ticket=annas, kind="outbound" if n % 2 else "inbound")
        factories.AttachmentFactory(message=message, name=f"{n}.txt", content=b"x")
    with django_assert_max_num_queries(12):
        me.get(f"/my/tickets/{annas.number}/")


def test_a_very_long_conversation_is_shortened(annas: Ticket, me: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at = f"/my/tickets/{annas.number}/"
    monkeypatch.setattr(queries, "LONGEST", 2)
    page = me.get(at).content.decode()
    assert "Only the newest" not in page
    factories.MessageFactory(ticket=annas, text="The third")
    page = me.get(at).content.decode()
    assert "Only the newest 2 messages are shown." in page
    assert "Water runs out below." not in page
    assert page.index("Turn the valve.") < page.index("The third")


def test_without_a_proved_address_nothing_can_be_opened(form_channel: Any, client: Client) -> None:
    client.force_login(factories.UserFactory())
    answer = client.post("/contact/", {"subject": "a", "text": "b"})
    assert answer["Location"] == "/accounts/email/"
    assert RawMessage.objects.count() == 0


@pytest.mark.parametrize(
    ("chosen", "browser", "shown"),
    [
        ("", "", "09:30"),
        ("", "Asia/Shanghai", "17:30"),
        ("Europe/Berlin", "Asia/Shanghai", "10:30"),
        ("", "Mars/Olympus", "09:30"),
    ],
)
def test_times_are_the_readers(
    chosen: str, browser: str, shown: str, annas: Ticket, anna: Any, me: Client, settings: Any
) -> None:
    anna.time_zone = chosen
    anna.save()
    Message.objects.filter(ticket=annas).update(at=datetime(2025, 1, 15, 9, 30, tzinfo=UTC))
    if browser:
        me.cookies["zone"] = browser
    assert f"15 Jan 2025, {shown}" in me.get(f"/my/tickets/{annas.number}/").content.decode()
