"""Drafts become tickets and messages: ONE transaction for a batch, few statements, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import fault
from core.rows import insert, update
from core.telephone import spaced
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket, TicketQueue
from inbox.intake import pipeline
from inbox.intake.batch import Batch, digest, named_ids
from inbox.intake.draft import Draft
from inbox.models import Attachment, Conversation, Delivery, Message, RawMessage, ThreadKey
from inbox.models.message import preview
from inbox.rules import MessageFacts
from inbox.services import automatic_answers, files
from routing import engine
from routing.models import Queue, Rule

Outcome = RawMessage.Outcome
Listener = Callable[[Sequence[Draft]], None]
_listeners: list[Listener] = []
POSTED = (Outcome.OPENED, Outcome.APPENDED, Outcome.REOPENED)


def on_posted(listener: Listener) -> None:
    """Call `listener` with the posted drafts, inside their transaction. Said once, at start."""
    if listener in _listeners:
        raise ValueError("this listener is registered already")
    _listeners.append(listener)


@transaction.atomic
def post(drafts: Sequence[Draft], talks: Mapping[int, Conversation] | None = None) -> list[Draft]:
    """Write what the steps decide about these drafts. Drafts whose lease was lost meanwhile are left out.

    `talks`: the newest talk of each visitor who speaks, from a caller who has them already.
    Raises whatever the database raises; then nothing of the batch was written.
    """
    drafts = _still_ours(drafts)
    if not drafts:
        return []
    batch = Batch(drafts, talks)
    pipeline.decide(batch)
    fault.point("post.decided")
    book = engine.load()
    for draft in drafts:
        if draft.outcome in POSTED:
            _add_message(draft, batch)
            _route(draft, batch, book)
        elif draft.outcome == Outcome.REPORT:
            _tell_of_report(draft, batch)
        elif draft.change is not None and not draft.answer:
            draft.change.occasion = draft
            automatic_answers.acknowledge(draft, draft.change, batch)
    changes = list({id(d.change): d.change for d in drafts if d.change is not None}.values())
    rules.run_changed([c for c in changes if not c.ticket._state.adding], book)
    Change.save_all(changes)
    fault.point("post.tickets")
    _write_messages(drafts, batch)
    fault.point("post.messages")
    _show_in_further_queues(drafts)
    fault.point("post.queues")
    _finish(drafts)
    for listener in _listeners:
        listener([d for d in drafts if d.outcome in POSTED])
    fault.point("post.finished")
    for change in changes:
        change.occasion = None  # else whole mails would stay in memory, in a circle, until the next search for garbage
    return list(drafts)


def _still_ours(drafts: Sequence[Draft]) -> list[Draft]:
    """Fencing: whoever was paused past his lease finds his token gone and writes nothing.

    What is not in the journal yet (see `accept.sketch`) is nobody else's.
    """
    tokens = {d.raw.pk: d.raw.lease_token for d in drafts if d.raw.pk}
    if not tokens:
        return list(drafts)
    rows = (
        RawMessage.objects.select_for_update(no_key=True)
        .filter(pk__in=tokens, state=RawMessage.State.STORED)
        .order_by("pk")
    )
    ours = {pk for pk, token in rows.values_list("pk", "lease_token") if token == tokens[pk]}
    mine = sorted((d for d in drafts if d.raw.pk in ours), key=lambda d: d.raw.pk)
    return [*mine, *(d for d in drafts if not d.raw.pk)]


def _add_message(draft: Draft, batch: Batch) -> None:
    change, inbound = draft.change, draft.inbound
    if change is None or draft.contact is None:
        raise ValueError("a posted draft has a ticket and a contact")
    ticket = change.ticket
    with change.acting(draft.contact.name or spaced(draft.sender) or str(draft.contact)):
        if draft.outcome == Outcome.OPENED:
            change.record("opened", new=ticket.queue, why=draft.channel.name)
        elif draft.outcome == Outcome.REOPENED:
            change.set_status(Ticket.Status.OPEN, why="message")
            change.record("reopened")
        foreign = (
            draft.outcome != Outcome.OPENED
            and not batch.takes_part(draft, change)
            and not draft.raw.facts.get("ticket")
        )
        message = Message(
            seq=change.next_seq(),
            kind=Message.Kind(inbound.kind),
            channel=draft.channel,
            contact=draft.contact,
            from_address=draft.sender,
            from_name=inbound.sender.name[:200] if inbound.sender else "",
            to=[[a.address, a.name] for a in inbound.to][:200],
            cc=[[a.address, a.name] for a in inbound.cc][:200],
            subject=inbound.subject[:1000],
            text=inbound.text,
            html=inbound.html,
            reply_text=inbound.reply_text,
            language=inbound.language,
            mail_id=inbound.message_id[:998],
            automatic=inbound.automatic[:30],
            unverified=draft.unverified or foreign,
            authentication=_authentication(inbound),
            facts=_readings(draft),
            sent_at=inbound.sent_at,
            at=batch.now,
        )
        draft.message = message
        if not inbound.answered:
            change.heard(batch.now, automatic=bool(inbound.automatic))
    if inbound.answered:
        change.answered(batch.now)  # not by him who called
    change.also_queues |= draft.also_queues - {ticket.queue_id}
    ticket.message_count += 1
    ticket.preview = preview(inbound.reply_text or inbound.text, [file.name for file in inbound.files])
    if not ticket.language:
        ticket.language = inbound.language
    change.note("ticket.opened" if draft.outcome == Outcome.OPENED else "message.in", inbound.subject or ticket.subject)
    change.occasion = draft


def _authentication(inbound: Any) -> dict[str, str]:
    found = inbound.authentication
    pairs = {name: getattr(found, name) for name in ("spf", "dkim", "dkim_domain", "dmarc", "source")}
    return {name: value for name, value in pairs.items() if value}


def _readings(draft: Draft) -> dict[str, Any]:
    readings: dict[str, Any] = dict(draft.inbound.facts)
    if draft.inbound.errors:
        readings["errors"] = list(draft.inbound.errors)[:20]
    return readings


def _route(draft: Draft, batch: Batch, book: engine.RuleBook) -> None:
    change = draft.change
    if change is None:
        return
    opened = draft.outcome == Outcome.OPENED
    facts = MessageFacts(draft, batch)
    rules.run_event(change, Rule.Event.MESSAGE_RECEIVED, facts, book=book)
    if opened:
        rules.run_event(change, Rule.Event.TICKET_OPENED, facts, book=book)
        strategy = change.ticket.queue.strategy
        # Whoever had him on the telephone gets it (see `call_aftermath`); nobody else is told that it is his.
        if strategy != Queue.Strategy.MANUAL and not draft.raw.facts.get("agent"):
            rules.assign_by_strategy(change, strategy, why="queue")
        automatic_answers.acknowledge(draft, change, batch)


def _tell_of_report(draft: Draft, batch: Batch) -> None:
    """Only a permanent failure of an agent's answer brings its ticket back (S-47); a complaint is noted on it."""
    delivery, report = draft.delivery, draft.inbound.report
    if delivery is None or report is None or delivery.message is None:
        return
    failed = report.permanent and delivery.purpose == Delivery.Purpose.REPLY
    if not failed and not report.unwanted:
        return
    ticket_id = delivery.message.ticket_id
    change = batch.changes.get(ticket_id) or Change.lock(ticket_id, merged=True)
    batch.changes[ticket_id] = draft.change = change
    if not failed:
        change.record("complained", new=delivery.recipient, why=report.diagnostic)
        return
    change.record("undelivered", new=delivery.recipient, why=f"{report.status} {report.diagnostic}".strip())
    change.ticket.activity_at = batch.now
    if change.ticket.status not in Ticket.WORKING and change.ticket.status != Ticket.Status.MERGED:
        change.set_status(Ticket.Status.OPEN, why="undelivered")


def _write_messages(drafts: Iterable[Draft], batch: Batch) -> None:
    posted = [d for d in drafts if d.message is not None and d.change is not None]
    keys: dict[tuple[str, int], bool] = {}
    for draft in posted:
        ticket = draft.change.ticket  # type: ignore[union-attr]
        draft.message.ticket = ticket  # type: ignore[union-attr]
        if draft.inbound.message_id:
            keys[digest(draft.inbound.message_id), ticket.pk] = False
        for mail_id in named_ids(draft):
            keys.setdefault((digest(mail_id), ticket.pk), True)
    insert([d.message for d in posted if d.message is not None])
    if keys:
        ThreadKey.objects.bulk_create(
            [ThreadKey(digest=mark, ticket_id=ticket, ancestor=ancestor) for (mark, ticket), ancestor in keys.items()],
            ignore_conflicts=True,
        )
        come = [d for d in posted if d.inbound.message_id and digest(d.inbound.message_id) in batch.expected]
        for draft in come:
            ThreadKey.objects.filter(ticket=draft.message.ticket, digest=digest(draft.inbound.message_id)).update(  # type: ignore[union-attr]
                ancestor=False
            )
    found = [(d.message, file) for d in posted for file in d.inbound.files]
    if found:
        names = files.store_many("attachments", [file.content for _message, file in found])
        Attachment.objects.bulk_create(
            Attachment(
                message=message,
                name=file.name[:255],
                content_type=file.content_type[:100],
                size=file.size,
                blob=name,
                content_id=file.content_id[:250],
                inline=file.inline,
            )
            for (message, file), name in zip(found, names, strict=True)
        )


def _show_in_further_queues(drafts: Iterable[Draft]) -> None:
    rows = [
        TicketQueue(ticket_id=d.raw.ticket_id, queue_id=q) for d in drafts if d.raw.ticket_id for q in d.also_queues
    ]
    if rows:
        TicketQueue.objects.bulk_create(rows, ignore_conflicts=True)


_FINISHED = ("state", "outcome", "reason", "answer", "fingerprint", "ticket_id", "message_id", "done_at")


def _finish(drafts: Iterable[Draft]) -> None:
    """The journal says what became of them. Leases stay in memory: should all be taken back, they are needed again."""
    now = timezone.now()
    for draft in drafts:
        raw = draft.raw
        raw.state, raw.outcome, raw.reason = RawMessage.State.DONE, draft.outcome, draft.reason[:300]
        raw.answer, raw.fingerprint, raw.done_at = draft.answer[:120], draft.fingerprint, now
        if draft.change is not None:
            raw.ticket_id = draft.change.ticket.pk
        if draft.message is not None:
            raw.message_id = draft.message.pk
    known = [draft.raw for draft in drafts if draft.raw.pk]
    insert([draft.raw for draft in drafts if not draft.raw.pk])
    update(known, _FINISHED, {"lease_token": "", "lease_until": None, "error": ""})
