"""One bad message never holds up the next, and nothing is half done (R-03, R-09)."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from core import ledger
from core.models import Hit
from core.tokens import sign
from crm.service.models import Ticket
from inbox.intake import pipeline
from inbox.models import Message, RawMessage
from inbox.services import files, guests, posting, processing
from inbox.services.accept import accept
from tests.inbox.intake.conftest import letter


def states() -> list[tuple[str, str]]:
    return list(RawMessage.objects.order_by("id").values_list("state", "outcome"))


def test_a_message_whose_channel_kind_is_gone_is_put_aside_and_the_others_go_on(channel: Any) -> None:
    from tests import factories

    broken = factories.ChannelFactory(kind="telex", name="Telex", queue=channel.queue)
    accept(channel, letter("one"))
    bad = accept(broken, b"what is this")
    accept(channel, letter("two"))
    processing.process_waiting()
    assert states() == [("done", "opened"), ("dead", "quarantined"), ("done", "opened")]
    bad.refresh_from_db()
    assert "telex" in bad.reason and files.read_blob("raw", bad.blob) == b"what is this"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"MZ\x90\0" + bytes(90),
        b" \r\n",
    ],
    ids=["pdf", "png", "program", "nothing"],
)
def test_a_file_that_is_no_mail_is_kept_and_put_aside(channel: Any, supervisor: Any, content: bytes) -> None:
    raw = processing.process(accept(channel, content))
    assert (raw.state, raw.outcome, Ticket.objects.count()) == ("dead", "quarantined", 0)
    assert raw.reason.startswith("This is no mail") and files.read_blob("raw", raw.blob) == content
    assert processing.replay(raw, by=supervisor)
    processing.process_waiting()
    raw.refresh_from_db()
    assert (raw.state, raw.outcome) == ("done", "opened")


def test_text_that_lost_its_header_is_a_mail(channel: Any) -> None:
    raw = processing.process(accept(channel, b"\nThe machine leaks.\n"))
    assert (raw.outcome, raw.ticket.messages.get().text.strip()) == ("opened", "The machine leaks.")


def test_replay_runs_it_again_after_the_repair(channel: Any, supervisor: Any) -> None:
    from tests import factories

    broken = factories.ChannelFactory(kind="telex", name="Telex", queue=channel.queue)
    raw = processing.process(accept(broken, letter("one")))
    assert raw.state == "dead" and not processing.release(raw)
    broken.kind = "email"
    broken.save()
    assert processing.replay(raw, by=supervisor) and not processing.replay(raw, by=supervisor)
    processing.process_waiting()
    assert states() == [("done", "opened")]


def test_a_lost_file_is_waited_for(channel: Any) -> None:
    raw = accept(channel, letter("one"))
    content = files.read_blob("raw", raw.blob)
    files.remove("raw", [raw.blob])
    processing.process_waiting()
    raw.refresh_from_db()
    assert raw.state == "stored" and raw.next_at > timezone.now() and "FileNotFoundError" in raw.error
    RawMessage.objects.update(next_at=timezone.now(), blob=files.store("raw", content))
    processing.process_waiting()
    assert states() == [("done", "opened")]


def test_a_crowded_mailbox_does_not_hold_up_another(channel: Any) -> None:
    """R-10: what came to the other mailbox is in the next batch, and a batch is always full."""
    from tests import factories

    quiet = factories.ChannelFactory(address="quiet@example.com", queue=channel.queue)
    for n in range(9):
        accept(channel, letter(f"flood {n}"))
    accept(quiet, letter("the only one"))
    assert processing.process_waiting(limit=4) == 4
    done = RawMessage.objects.filter(state="done").order_by("id").values_list("channel", flat=True)
    assert list(done) == [channel.pk] * 3 + [quiet.pk]
    assert processing.process_waiting(limit=4) == 4
    assert processing.process_waiting(limit=4) == 2


def test_a_row_that_killed_five_workers_is_put_aside_alone(channel: Any) -> None:
    poison = accept(channel, letter("poison"))
    RawMessage.objects.filter(pk=poison.pk).update(attempts=5, lease_until=timezone.now() - timedelta(seconds=1))
    accept(channel, letter("fine"))
    while processing.process_waiting():
        pass
    assert states() == [("dead", "quarantined"), ("done", "opened")]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("maximum recursion depth exceeded")])
def test_a_mail_that_exhausts_its_reader_is_put_aside_alone(
    channel: Any, supervisor: Any, monkeypatch: Any, error: Exception
) -> None:
    """And it is read once, not five times; after the repair it becomes a ticket."""
    read, tried = pipeline.read, []
    letters = [letter(f"number {n}") for n in range(5)]
    rows = [accept(channel, each) for each in letters]

    def exhausted(raw: RawMessage) -> Any:
        if raw.pk == rows[2].pk:
            tried.append(raw)
            raise error
        return read(raw)

    monkeypatch.setattr(pipeline, "read", exhausted)
    while processing.process_waiting():
        pass
    assert states() == [("done", "opened")] * 2 + [("dead", "quarantined")] + [("done", "opened")] * 2
    poison = RawMessage.objects.get(pk=rows[2].pk)
    assert len(tried) == 1 and type(error).__name__ in poison.reason
    assert files.read_blob("raw", poison.blob) == letters[2]
    monkeypatch.undo()
    assert processing.replay(poison, by=supervisor)
    processing.process_waiting()
    assert states() == [("done", "opened")] * 5


def test_while_one_mail_is_read_for_a_minute_another_worker_does_the_others(channel: Any, monkeypatch: Any) -> None:
    """Its reader has the whole batch, whose lease ends meanwhile; afterwards nothing is there twice."""
    read, tried = pipeline.read, []
    rows = [accept(channel, letter(f"number {n}")) for n in range(5)]

    def slow(raw: RawMessage) -> Any:
        if raw.pk == rows[2].pk:
            tried.append(raw)
            if len(tried) == 1:
                RawMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
                while processing.process_waiting():  # what the other worker does in this minute
                    pass
                assert states() == [("done", "opened")] * 5
        return read(raw)

    monkeypatch.setattr(pipeline, "read", slow)
    processing.process_waiting()
    assert states() == [("done", "opened")] * 5
    assert (len(tried), Ticket.objects.count(), Message.objects.count()) == (2, 5, 5)


def test_a_row_that_was_left_behind_is_never_taken_with_others(channel: Any) -> None:
    left = accept(channel, letter("left"))
    RawMessage.objects.filter(pk=left.pk).update(attempts=1, lease_until=timezone.now() - timedelta(seconds=1))
    accept(channel, letter("a"))
    accept(channel, letter("b"))
    assert [processing.process_waiting(), processing.process_waiting(), processing.process_waiting()] == [2, 1, 0]


def test_a_worker_past_its_lease_writes_nothing(channel: Any) -> None:
    from core import ledger

    accept(channel, letter("one"))
    waiting = RawMessage.objects.filter(state="stored").select_related("channel")
    (mine,) = ledger.claim(waiting, limit=1, seconds=1)
    draft = pipeline.read(mine)
    RawMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (theirs,) = ledger.claim(waiting, limit=1, seconds=60)
    assert posting.post([draft]) == [] and not Ticket.objects.exists()
    assert len(posting.post([pipeline.read(theirs)])) == 1 and Message.objects.count() == 1


def test_a_held_message_waits_for_its_confirmation(channel: Any) -> None:
    raw = accept(channel, letter("one"), held=True)
    assert processing.process_waiting() == 0 and not Ticket.objects.exists()
    assert processing.release(raw) and not processing.release(raw)
    assert processing.process_waiting() == 1 and Ticket.objects.count() == 1


EFFECTS = {
    "customers.Contact",
    "customers.Tag",
    "inbox.Delivery",
    "inbox.Message",
    "organisation.Notification",
    "planning.Task",
    "routing.RuleRun",
    "service.Ticket",
    "service.TicketEvent",
}
"""What a mail and its rule leave behind."""


def rows() -> dict[str, int]:
    """How many rows of each kind there are; of the counters of limits it does not matter."""
    kinds = [model for model in apps.get_models() if model._meta.managed and model is not Hit]
    return {model._meta.label: model._base_manager.count() for model in kinds}


@pytest.mark.parametrize("point", ["post.decided", "post.tickets", "post.messages", "post.queues", "post.finished"])
def test_a_database_fault_at_any_point_leaves_nothing_half_done(
    channel: Any, agent: Any, point: str, monkeypatch: Any
) -> None:
    """R-03: neither of the ticket, nor of the answer, nor of anything that a rule does."""
    from core import fault
    from tests import factories

    answer = factories.TemplateFactory(purpose="automatic", texts={"en": ("We have it", "Thank you.")})
    deeds: list[dict[str, Any]] = [
        {"action": "add_tags", "tags": ["leak"]},
        {"action": "add_note", "text": "A rule saw it"},
        {"action": "notify", "whom": "queue", "text": "Look"},
        {"action": "make_task", "title": "Call", "kind": "todo", "whom": "queue"},
        {"action": "auto_answer", "template": str(answer.pk)},
        {"action": "assign_by", "strategy": "round-robin"},
    ]
    factories.RuleFactory(actions=deeds)
    raw = accept(channel, letter("one"))
    before, real = rows(), fault.point

    def break_there(name: str) -> None:
        if name == point:
            raise OperationalError("the server went away")
        real(name)

    with monkeypatch.context() as patch:
        patch.setattr(fault, "point", break_there)
        processing.process_waiting()
    raw.refresh_from_db()
    assert raw.state == "stored" and rows() == before
    RawMessage.objects.update(next_at=timezone.now())
    processing.process_waiting()
    assert states() == [("done", "opened")]
    assert {name for name, count in rows().items() if count > before[name]} >= EFFECTS
    assert (Ticket.objects.count(), Message.objects.filter(kind="inbound").count()) == (1, 1)


@pytest.fixture
def sooner(monkeypatch: Any) -> list[Any]:
    """A worker that claims every message before whoever accepted it can, and posts it while he waits."""
    process, claimed = processing.process, []

    def late(raw: RawMessage) -> RawMessage:
        if not claimed:
            claimed.extend(
                ledger.claim(RawMessage.objects.filter(pk=raw.pk).select_related("channel"), limit=1, seconds=30)
            )
        return process(raw)

    monkeypatch.setattr(processing, "process", late)
    monkeypatch.setattr(processing.time, "sleep", lambda _seconds: processing.work(claimed))
    return claimed


def test_a_mail_by_pipe_tells_its_end_though_a_worker_was_sooner(channel: Any, sooner: Any, tmp_path: Any) -> None:
    (tmp_path / "one.eml").write_bytes(letter("one"))
    out = io.StringIO()
    call_command("receive_mail", "--channel", channel.name, str(tmp_path), stdout=out)
    told = json.loads(out.getvalue())
    assert sooner and (told["outcome"], told["ticket"]) == ("opened", Ticket.objects.get().number)


def test_a_guest_gets_his_number_though_a_worker_was_sooner(channel: Any, sooner: Any) -> None:
    raw = accept(channel, letter("one"), held=True)
    confirmed = guests.confirm(sign("guest request", f"g-{raw.pk}"))
    assert sooner and confirmed is not None and confirmed.ticket == Ticket.objects.get()


def test_what_a_worker_keeps_is_not_waited_for_without_end(channel: Any, monkeypatch: Any) -> None:
    raw = accept(channel, letter("one"))
    assert ledger.claim(RawMessage.objects.filter(pk=raw.pk), limit=1, seconds=30)
    assert processing.see_through(raw, seconds=0.1).state == "stored"
