"""Mail by pipe: from files, folders, mailboxes and standard input, one JSON object a mail."""

from __future__ import annotations

import gc
import io
import json
import mailbox as boxes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm.service.models import Ticket
from inbox.intake.draft import Draft
from inbox.models import Channel, RawMessage
from inbox.services import files
from inbox.services.processing import process, replay
from tests import factories
from tests.inbox.intake.conftest import letter

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run(mailbox: Channel) -> Run:
    """`run(source, …)`: what the command said, a line for each mail."""

    def take(*sources: str | Path, channel: str = "", fails: str = "") -> list[dict[str, Any]]:
        out = io.StringIO()
        arguments = ["receive_mail", "--channel", channel or mailbox.name, *map(str, sources)]
        if fails:
            with pytest.raises(CommandError, match=fails):
                call_command(*arguments, stdout=out)
        else:
            call_command(*arguments, stdout=out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return take


def test_what_became_of_a_mail_and_of_its_copy(run: Run, mailbox: Channel, tmp_path: Path) -> None:
    (file := tmp_path / "one.eml").write_bytes(letter("It leaks."))
    [one], [two] = run(file), run(file)
    raw = RawMessage.objects.earliest("pk")
    common = {
        "file": str(file),
        "ticket": Ticket.objects.get().number,
        "message": raw.message_id,
        "linked_ticket": None,
        "queue": mailbox.queue.name,
        "assignee": None,
        "tags": [],
        "rules": [],
    }
    assert one == {**common, "raw": raw.pk, "outcome": "opened", "reason": "", "auto_answer": "queued"}
    reason = f"the same mail as number {raw.pk}"
    second = {"raw": two["raw"], "outcome": "duplicate", "reason": reason, "auto_answer": "duplicate"}
    assert two == {**common, **second} and two["raw"] != raw.pk


def test_folders_and_mailboxes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "a.eml").write_bytes(letter("a"))
    (tmp_path / "in" / "b.eml").write_bytes(letter("b"))
    old, new = boxes.mbox(tmp_path / "old.mbox"), boxes.Maildir(tmp_path / "new")
    for box in (old, new):
        box.add(letter("c"))
        box.add(letter("d"))
        box.close()
    told = run(tmp_path / "in", "--mbox", tmp_path / "old.mbox", "--maildir", tmp_path / "new")
    assert [each["outcome"] for each in told] == ["opened"] * 6
    assert [each["file"].removeprefix(str(tmp_path)) for each in told[:4]] == [
        "/in/b.eml",
        "/in/sub/a.eml",
        "/old.mbox:0",
        "/old.mbox:1",
    ]


@pytest.mark.parametrize("gone", [["gone.eml"], ["--mbox", "gone"], ["--maildir", "gone"]])
def test_a_source_that_is_not_there_is_named_before_any_mail_is_taken(
    run: Run, tmp_path: Path, monkeypatch: Any, gone: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.eml").write_bytes(letter("one"))
    assert run("one.eml", *gone, fails=f"{gone[-1]} is not there") == []
    assert not RawMessage.objects.exists()


def test_a_mailbox_that_cannot_be_read_holds_nothing_up(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(letter("one"))
    boxes.Maildir(tmp_path / "good").add(letter("two"))
    (tmp_path / "bad").mkdir()
    sources = (tmp_path / "one.eml", "--maildir", tmp_path / "bad", "--maildir", tmp_path / "good")
    assert [each["outcome"] for each in run(*sources, fails="bad cannot be read")] == ["opened", "opened"]


@pytest.mark.parametrize("kind", ["phone", "chat", "webform"])
def test_a_channel_that_takes_no_mail(run: Run, tmp_path: Path, kind: str) -> None:
    (tmp_path / "one.eml").write_bytes(letter("one"))
    other = factories.ChannelFactory(kind=kind, name="Other", address="")
    assert run(tmp_path / "one.eml", channel=other.name, fails="takes no mail") == []
    assert run(tmp_path / "one.eml", channel="Nobody", fails="no channel called 'Nobody'") == []
    assert not RawMessage.objects.exists()


def test_too_large_a_mail_is_put_aside_whole_and_let_in_by_hand(
    run: Run, tmp_path: Path, settings: Any, supervisor: Any
) -> None:
    settings.MAIL_MAX_BYTES = 10_000
    (tmp_path / "1.eml").write_bytes(large := letter("It leaks. " * 2000))
    (tmp_path / "2.eml").write_bytes(letter("It leaks."))
    one, two = run(tmp_path)
    assert (one["outcome"], one["ticket"], two["outcome"]) == ("quarantined", None, "opened")
    assert "more than is accepted" in one["reason"]
    raw = RawMessage.objects.get(pk=one["raw"])
    assert (raw.state, files.content_of(raw)) == ("dead", large)
    assert replay(raw, by=supervisor) and process(raw).outcome == "opened"


def test_a_mailbox_hides_lines_that_look_like_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"From anna Mon Nov  2 09:00:00 2026\n" + letter(">From here\n>>From there\n> From"))
    run("--mbox", tmp_path / "one")
    assert RawMessage.objects.get().message.text.split("\n")[:3] == ["From here", ">From there", "> From"]


def test_while_the_disk_is_full_a_mail_server_is_told_to_try_again(run: Run, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "one.eml").write_bytes(letter("one"))
    settings.STORAGE_RESERVE = 1 << 60
    with pytest.raises(CommandError) as told:
        run(tmp_path / "one.eml")
    assert told.value.returncode == 75 and not RawMessage.objects.exists()
    settings.STORAGE_RESERVE = 0
    assert [each["outcome"] for each in run(tmp_path / "one.eml")] == ["opened"]


def test_a_mail_leaves_the_memory_when_it_is_posted(receive: Any) -> None:
    """By itself, with its parts: it does not wait in a circle until the next search for garbage."""
    gc.collect()
    gc.disable()
    try:
        first = receive(subject="Gone at once")
        receive(subject=f"Gone at once [#{first.ticket.number}]")
        drafts = [each for each in gc.get_objects() if type(each) is Draft]
    finally:
        gc.enable()
    assert first.answer == "queued"
    assert [each.inbound.subject for each in drafts if "at once" in each.inbound.subject] == []
