"""One sender who writes very often: staff are told, then his mails wait where staff see and release them."""

from __future__ import annotations

from typing import Any

import pytest

from core.models import AuditEntry
from crm.organisation.models import Notification
from inbox.models import Message, RawMessage
from inbox.services import files
from inbox.services.accept import accept
from inbox.services.processing import process_waiting, replay

pytestmark = pytest.mark.django_db


def mail(sender: str, number: int) -> bytes:
    return (
        f"From: {sender}\nTo: support@example.com\nSubject: Machine {number}\nMessage-ID: <{number}.{sender}>\n\nHelp\n"
    ).encode()


def test_many_mails_of_one_sender_are_told_and_then_parked(
    channel: Any, supervisor: Any, agent: Any, settings: Any
) -> None:
    settings.MAIL_ALERT_PER_HOUR, settings.MAIL_PARK_PER_HOUR = 2, 5
    for number in range(8):
        accept(channel, mail("Loud@x.test", number))
    accept(channel, mail("quiet@x.test", 1))
    while process_waiting(limit=3):
        pass
    assert Message.objects.filter(from_address__iexact="loud@x.test").count() == 5
    assert Message.objects.filter(from_address="quiet@x.test").count() == 1
    parked = RawMessage.objects.filter(state=RawMessage.State.DEAD).order_by("id")
    assert [raw.reason for raw in parked] == ["More than 5 mails in an hour from loud@x.test"] * 3
    assert list(Notification.objects.order_by("id").values_list("user__email", "text")) == [
        (supervisor.email, "loud@x.test has sent more than 2 mails within an hour."),
        (supervisor.email, "loud@x.test has sent more than 5 mails within an hour."),
    ]
    assert replay(parked[0], by=supervisor)
    process_waiting()
    assert Message.objects.filter(from_address__iexact="loud@x.test").count() == 6
    assert AuditEntry.objects.get(deed="released").actor == supervisor.pk


def test_a_full_disk_takes_nothing_and_loses_nothing(channel: Any, settings: Any, login: Any, ticket: Any) -> None:
    """S-22: who brings something keeps it: mail stays at its server, an upload is refused in words."""
    settings.STORAGE_RESERVE = 1 << 60
    with pytest.raises(files.StorageFull, match="MB are free"):
        accept(channel, mail("a@x.test", 1))
    assert not RawMessage.objects.exists()
    assert not list(files._root("raw").rglob("*"))
    from inbox.listening import door

    with pytest.raises(OSError, match="MB are free"):
        door.take("support@example.com", "a@x.test", b"Subject: x\n\ny", "192.0.2.1")
    settings.STORAGE_RESERVE = 1 << 20
    assert accept(channel, mail("a@x.test", 1)).pk


def test_an_upload_without_room_is_refused_in_words(login: Any, agent: Any, ticket: Any, settings: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.urls import reverse

    settings.STORAGE_RESERVE = 1 << 60
    before = Message.objects.count()
    answer = login(agent).post(
        reverse("inbox:note", args=[ticket.number]),
        {"text": "See the file", "seen": "99", "files": SimpleUploadedFile("a.txt", b"words")},
    )
    assert answer.status_code == 507
    assert "no room for files" in answer.content.decode()
    assert Message.objects.count() == before
