"""Merge and split, and back again (S-27, S-53)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from crm.service import services
from crm.service.changes import Change, TicketMerged
from crm.service.models import Ticket
from inbox.models import Call, Message
from inbox.services import macros, merging, replies
from routing.models import Macro, Rule, RuleRun
from tests import factories


@pytest.fixture
def pair(queue: Any) -> tuple[Ticket, Ticket]:
    one, two = factories.TicketFactory(queue=queue), factories.TicketFactory(queue=queue)
    for ticket in (one, two):
        for text in ("first", "second"):
            factories.MessageFactory(ticket=ticket, text=f"{text} of {ticket.pk}")
    return one, two


def state(*tickets: Ticket) -> list[Any]:
    rows = [Ticket.objects.get(pk=t.pk) for t in tickets]
    return [
        (t.status, t.merged_into_id, t.message_count, list(t.messages.values_list("text", flat=True))) for t in rows
    ]


def test_merging_moves_everything_in_order_and_undo_moves_it_back(pair: Any, agent: Any) -> None:
    source, target = pair
    before = state(source, target)
    numbers = Ticket.objects.get(pk=target.pk).sequence
    record = merging.merge(source, target, by=agent)
    texts = [f"first of {target.pk}", f"second of {target.pk}", f"first of {source.pk}", f"second of {source.pk}"]
    assert state(source, target) == [("merged", target.pk, 0, []), (before[1][0], None, 4, texts)]
    moved = target.messages.filter(text__endswith=f"of {source.pk}").values_list("seq", flat=True)
    assert min(moved) > numbers
    merging.undo_merge(record, by=agent)
    assert state(source, target) == before
    merging.undo_merge(record, by=agent)
    assert state(source, target) == before


def test_what_a_strange_machine_wrote_stays_hidden_from_the_customer(pair: Any, agent: Any) -> None:
    """S-44: the code of a service claimed the ticket; a colleague merges it there, and no further one joins by itself."""
    source, target = pair
    code = factories.MessageFactory(ticket=source, unverified=True, automatic="machine-sender", text="Code 991177")
    person = factories.MessageFactory(ticket=source, unverified=True, text="I am Ben.")
    for message in (code, person):
        message.contact = factories.ContactFactory()
        message.save()
        factories.crm.TicketParticipant.objects.create(ticket=source, contact=message.contact)
    record = merging.merge(source, target, by=agent)
    assert list(target.messages.filter(hidden=True)) == [code]
    taking_part = set(target.participants.values_list("contact_id", flat=True))
    assert person.contact_id in taking_part and code.contact_id not in taking_part
    merging.undo_merge(record, by=agent)
    assert not Message.objects.filter(hidden=True).exists()
    assert source.participants.filter(contact=code.contact).exists()


def test_the_people_of_both_take_part_and_leave_again(pair: Any, agent: Any) -> None:
    source, target = pair
    for ticket in pair:
        factories.crm.TicketParticipant.objects.get_or_create(ticket=ticket, contact=ticket.contact)
    record = merging.merge(source, target, by=agent)
    assert {p.contact_id for p in target.participants.all()} == {source.contact_id, target.contact_id}
    merging.undo_merge(record, by=agent)
    assert [p.contact_id for p in target.participants.all()] == [target.contact_id]


def test_a_merged_ticket_refuses_changes_and_answers_until_the_merge_is_undone(
    pair: Any, agent: Any, channel: Any, queue: Any
) -> None:
    source, target = pair
    record = merging.merge(source, target, by=agent)
    message = target.messages.order_by("seq").first()
    macro = Macro.objects.create(name="Urgent", actions=[{"do": "set_priority", "priority": 4}])
    deeds = [
        lambda: services.set_status(source, "open", by=agent),
        lambda: services.reopen(source, by=None),
        lambda: services.set_priority(source, 4, by=agent),
        lambda: services.tag(source, add=["x"], by=agent),
        lambda: services.snooze(source, timezone.now() + timedelta(days=1), by=agent),
        lambda: services.rate(Ticket.objects.get(pk=source.pk), source.contact, 5),
        lambda: macros.run_macro(macro, source, by=agent),
        lambda: replies.reply(source, author=agent, text="Hello", channel=channel, to="anna@customer.test"),
        lambda: replies.add_note(source, author=agent, text="Hello"),
        lambda: merging.split(source, [message], by=agent),
        lambda: Change.lock_all([source.pk])[0].set_status("open"),
        lambda: Change.lock_all([source.pk])[0].heard(timezone.now()),
    ]
    before = state(source, target)
    for deed in deeds:
        with pytest.raises(TicketMerged, match=f"merged into #{target.number}"), transaction.atomic():
            deed()
    assert state(source, target) == before
    merging.undo_merge(record, by=agent)
    assert services.set_status(source, "pending", by=agent).status == "pending"


def test_impossible_merges_change_nothing(pair: Any, agent: Any) -> None:
    source, target = pair
    with pytest.raises(merging.MergeImpossible):
        merging.merge(source, source, by=agent)
    merging.merge(source, target, by=agent)
    before = state(source, target)
    with pytest.raises(merging.MergeImpossible):
        merging.merge(source, target, by=agent)
    with pytest.raises(merging.MergeImpossible):
        merging.merge(target, source, by=agent)
    assert state(source, target) == before


def test_what_came_after_a_merge_stays(pair: Any, agent: Any) -> None:
    source, target = pair
    record = merging.merge(source, target, by=agent)
    target.refresh_from_db()
    factories.MessageFactory(ticket=target, text="later")
    merging.undo_merge(record, by=agent)
    assert state(target)[0][3][-1] == "later" and len(state(source)[0][3]) == 2


@pytest.mark.parametrize("status", ["pending", "snoozed", "resolved"])
def test_what_waits_for_an_answer_waits_in_the_other_ticket_too(pair: Any, agent: Any, status: str) -> None:
    source, target = pair
    asked = timezone.now() - timedelta(hours=3)
    Ticket.objects.filter(pk=source.pk).update(waiting_since=asked)
    Ticket.objects.filter(pk=target.pk).update(status=status)
    record = merging.merge(source, target, by=agent)
    target.refresh_from_db()
    assert (target.status, target.waiting_since) == ("open", asked)
    merging.undo_merge(record, by=agent)
    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.waiting_since, target.waiting_since) == (asked, None)


def test_an_older_question_of_the_other_ticket_counts(pair: Any, agent: Any) -> None:
    source, target = pair
    now = timezone.now()
    Ticket.objects.filter(pk=source.pk).update(waiting_since=now)
    Ticket.objects.filter(pk=target.pk).update(waiting_since=now - timedelta(hours=1))
    record = merging.merge(source, target, by=agent)
    for moment in ("merged", "undone"):
        target.refresh_from_db()
        assert target.waiting_since == now - timedelta(hours=1), moment
        merging.undo_merge(record, by=agent)


@pytest.mark.parametrize(("minutes", "shown"), [(5, "of the source"), (60, "of the target")])
def test_the_list_shows_what_was_said_last(pair: Any, agent: Any, minutes: int, shown: str) -> None:
    source, target = pair
    now = timezone.now()
    for ticket, ago, preview in ((source, minutes, "of the source"), (target, 30, "of the target")):
        Ticket.objects.filter(pk=ticket.pk).update(activity_at=now - timedelta(minutes=ago), preview=preview)
    record = merging.merge(source, target, by=agent)
    assert Ticket.objects.get(pk=target.pk).preview == shown
    merging.undo_merge(record, by=agent)
    for ticket in pair:
        assert Ticket.objects.get(pk=ticket.pk).preview == f"second of {ticket.pk}"


def test_a_snoozed_ticket_is_snoozed_again_until_its_time(pair: Any, agent: Any) -> None:
    source, target = pair
    until = timezone.now() + timedelta(days=1)
    services.snooze(source, until, by=agent)
    record = merging.merge(source, target, by=agent)
    merging.undo_merge(record, by=agent)
    source.refresh_from_db()
    assert (source.status, source.snoozed_until) == ("snoozed", until)


@pytest.mark.parametrize("status", ["pending", "snoozed", "resolved", "closed"])
def test_the_other_ticket_stands_again_where_it_stood(pair: Any, agent: Any, status: str) -> None:
    source, target = pair
    then = timezone.now() - timedelta(days=1)
    until = timezone.now() + timedelta(days=1) if status == "snoozed" else None
    resolved = then if status in ("resolved", "closed") else None
    closed = then if status == "closed" else None
    Ticket.objects.filter(pk=target.pk).update(
        status=status, snoozed_until=until, resolved_at=resolved, closed_at=closed
    )
    record = merging.merge(source, target, by=agent)
    target.refresh_from_db()
    assert target.status == "open"
    merging.undo_merge(record, by=agent)
    target.refresh_from_db()
    found = (target.status, target.snoozed_until, target.resolved_at, target.closed_at, target.waiting_since)
    assert found == (status, until, resolved, closed, None)


def _customer_writes(ticket: Ticket, agent: Any) -> None:
    change = Change.lock(ticket.pk)
    factories.MessageFactory(ticket=change.ticket, text="And?", seq=change.next_seq())
    change.heard(timezone.now())
    change.save()


def _moved_by_hand(ticket: Ticket, agent: Any) -> None:
    services.set_status(ticket, "pending", by=agent)
    services.set_status(ticket, "open", by=agent)


@pytest.mark.parametrize("deed", [_customer_writes, _moved_by_hand])
def test_a_ticket_that_was_worked_on_after_the_merge_stays_open(pair: Any, agent: Any, deed: Any) -> None:
    source, target = pair
    Ticket.objects.filter(pk=source.pk).update(waiting_since=timezone.now() - timedelta(hours=3))
    Ticket.objects.filter(pk=target.pk).update(status="resolved")
    record = merging.merge(source, target, by=agent)
    with transaction.atomic():
        deed(target, agent)
    merging.undo_merge(record, by=agent)
    target.refresh_from_db()
    written = target.messages.filter(text="And?").values_list("at", flat=True).first()
    assert (target.status, target.waiting_since) == ("open", written)


def test_rules_see_a_ticket_that_a_merge_opened(pair: Any, agent: Any) -> None:
    source, target = pair
    Ticket.objects.filter(pk=target.pk).update(status="pending")
    Rule.objects.create(
        name="Back again",
        event="ticket.changed",
        conditions={"match": "all", "items": [{"fact": "status", "operator": "is", "value": "open"}]},
        actions=[{"action": "set_priority", "priority": "4"}],
    )
    merging.merge(source, target, by=agent)
    assert Ticket.objects.get(pk=target.pk).priority == 4


def test_splitting_some_messages_off(pair: Any, agent: Any) -> None:
    ticket, _other = pair
    second = ticket.messages.get(text__startswith="second")
    new = merging.split(ticket, [second], by=agent)
    assert state(new)[0][3] == [second.text] and state(ticket)[0][3] == [f"first of {ticket.pk}"]
    assert (new.queue, new.links.get().kind, new.contact) == (ticket.queue, "split", second.contact)
    assert [Ticket.objects.get(pk=t.pk).preview for t in (new, ticket)] == [second.text, f"first of {ticket.pk}"]


def test_rules_for_opened_tickets_see_what_was_split_off(pair: Any, agent: Any, other_queue: Any) -> None:
    ticket, _other = pair
    second = ticket.messages.get(text__startswith="second")
    Rule.objects.create(
        name="By words",
        event="ticket.opened",
        conditions={"match": "all", "items": [{"fact": "body", "operator": "contains", "value": "second of"}]},
        actions=[{"action": "set_queue", "queue": str(other_queue.pk)}, {"action": "add_tags", "tags": ["apart"]}],
    )
    new = merging.split(ticket, [second], by=agent)
    assert (new.queue, [tag.name for tag in new.tags.all()]) == (other_queue, ["apart"])
    run = RuleRun.objects.get(subject=f"ticket:{new.pk}", event="ticket.opened")
    assert [match["name"] for match in run.matched] == ["By words"]


@pytest.mark.parametrize(("apart", "old", "new"), [(3, None, 3), (0, 3, 0), (1, 3, None)])
def test_each_part_waits_for_what_nobody_answered_in_it(
    queue: Any, agent: Any, apart: int, old: int | None, new: int | None
) -> None:
    """Asked, answered twice, asked again: one of these is split off; then who waits since which of them."""
    ticket = factories.TicketFactory(queue=queue)
    moments = [timezone.now() - timedelta(hours=hours) for hours in (9, 8, 7, 6)]
    kinds = ("inbound", "outbound", "outbound", "inbound")
    rows = [
        factories.MessageFactory(ticket=ticket, kind=kind, at=at, contact=ticket.contact)
        for kind, at in zip(kinds, moments, strict=True)
    ]
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=moments[3])
    made = merging.split(ticket, [rows[apart]], by=agent)
    ticket.refresh_from_db()
    expected = tuple(None if number is None else moments[number] for number in (old, new))
    assert (ticket.waiting_since, made.waiting_since) == expected


@pytest.mark.parametrize(
    ("call", "waits"),
    [
        ({"state": "missed"}, True),
        ({"state": "voicemail"}, True),
        ({"kind": "letter"}, True),
        ({"state": "ended"}, False),
        ({"kind": "letter", "direction": "out"}, False),
    ],
)
def test_a_part_with_a_call_waits_unless_somebody_talked(
    queue: Any, agent: Any, call: dict[str, str], waits: bool
) -> None:
    ticket = factories.TicketFactory(queue=queue)
    factories.MessageFactory(ticket=ticket, contact=ticket.contact)
    message = factories.MessageFactory(ticket=ticket, kind=Message.Kind.CALL, contact=ticket.contact)
    phone = factories.ChannelFactory(kind="phone", queue=queue)
    Call.objects.create(**{"state": "ended", **call}, channel=phone, call_id="1", queue=queue, message=message)
    made = merging.split(ticket, [message], by=agent)
    assert made.waiting_since == (message.at if waits else None)


def test_a_foreign_message_cannot_be_split_off(pair: Any, agent: Any) -> None:
    ticket, other = pair
    before = state(*pair)
    with pytest.raises(merging.MergeImpossible):
        merging.split(ticket, list(other.messages.all()), by=agent)
    with pytest.raises(merging.MergeImpossible):
        merging.split(ticket, list(ticket.messages.all()), by=agent)
    assert state(*pair) == before


def test_a_logged_call_is_counted_where_it_goes(ticket: Ticket, queue: Any, agent: Any) -> None:
    other = factories.TicketFactory(queue=queue)
    factories.MessageFactory(ticket=other, kind=Message.Kind.CALL, contact=other.contact)
    before = ticket.message_count
    merging.merge(other, ticket, by=agent)
    ticket.refresh_from_db()
    assert ticket.message_count == before + 1
