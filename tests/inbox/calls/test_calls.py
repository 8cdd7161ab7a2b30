"""From the events of a telephone system to the ticket (R-28, S-89)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine

from crm.customers.models import Contact, ContactPoint, TimelineEntry
from crm.planning.models import Task
from crm.service.models import Ticket
from inbox.models import Call, Message, RawMessage
from inbox.services import calls, waiting_tickets
from tests import factories
from tests.inbox.calls.conftest import NUMBER, only_call

pytestmark = pytest.mark.django_db(transaction=False)
MONDAY = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
"""Half past four in Berlin: half an hour before the queue closes."""


def test_an_answered_call_is_one_row_one_message_and_the_agents_ticket(
    report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", queue="hotline", **{"user[]": ["21", "Nobody"]})
        clock.shift(timedelta(seconds=12))
        report("answer", answeringNumber="21")
        clock.shift(timedelta(seconds=185))
        report("hangup", cause="normalClearing")
        post()
    call = only_call()
    assert (call.state, call.direction, call.wait_seconds, call.talk_seconds) == ("ended", "in", 12, 185)
    assert (call.number, call.line, call.from_sent) == (NUMBER, "+4940555100", "493055571600")
    assert (call.contact, call.agent, call.queue_sent, call.cause) == (caller, lena, "hotline", "normalClearing")
    assert list(call.rang.all()) == [lena]
    message = Message.objects.get()
    assert call.message == message and call.ticket == message.ticket
    assert message.kind == Message.Kind.CALL
    assert message.contact == caller
    assert message.facts == {
        "called_number": "+4940555100",
        "direction": "in",
        "missed": False,
        "wait_seconds": 12,
        "talk_seconds": 185,
        "call_queue": "hotline",
        "cause": "normalClearing",
        "talk_kind": "call",
    }
    ticket = message.ticket
    assert (ticket.subject, ticket.status, ticket.assignee, ticket.origin) == (
        "Call from Anna Schmidt",
        Ticket.Status.OPEN,
        lena,
        "phone",
    )
    assert ticket.events.get(what="status").actor_name == "", "it was not the caller who answered"
    assert ticket.waiting_since is None and ticket.first_answered_at is not None
    assert not Task.objects.exists()


def test_a_report_shows_that_the_channel_works(report: Any, phone: Any) -> None:
    report("newCall", status=422, direction="")
    phone.refresh_from_db()
    assert phone.receiving_health == "unknown"
    report("newCall")
    phone.refresh_from_db()
    assert phone.receiving_health == "good" and phone.receiving_at is not None


def test_a_missed_call_asks_once_for_a_call_back_in_business_hours(
    report: Any, post: Callable[[], None], caller: Any, lena: Any, queue: Any
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        for attempt in range(5):
            report("newCall", f"call-{attempt}")
            clock.shift(timedelta(seconds=20))
            report("hangup", f"call-{attempt}", cause="cancel")
        post()
    assert set(Call.objects.values_list("state", flat=True)) == {"missed"}
    assert Message.objects.filter(kind="call").count() == 5
    ticket = Ticket.objects.get()
    assert ticket.waiting_since is not None and ticket.status == Ticket.Status.NEW
    task = Task.objects.get()
    assert (task.kind, task.queue, task.contact, task.phone) == ("call-back", queue, caller, NUMBER)
    # The rest of Monday's hour is counted on Tuesday morning.
    assert task.due_at == datetime(2026, 3, 3, 8, 30, 20, tzinfo=UTC)
    with time_machine.travel(MONDAY + timedelta(hours=18), tick=False):
        back = {"from": "21", "to": NUMBER, "direction": "out", "user": "Lena Berg"}
        report("newCall", "back", **back)
        report("hangup", "back", cause="busy", **back)
        post()
        assert Task.objects.get().state == "open"
        report("newCall", "again", **back)
        report("answer", "again", **back)
        report("hangup", "again", cause="normalClearing", **back)
        post()
    task.refresh_from_db()
    assert task.state == "done" and task.events.get(what="state").actor == lena
    assert Call.objects.get(call_id="back").state == "unreached"
    assert Ticket.objects.get() == ticket
    assert TimelineEntry.objects.filter(contact=caller).exists()


def test_five_calls_in_one_batch_and_from_two_contacts_are_two_tickets(
    report: Any, post: Callable[[], None], caller: Any
) -> None:
    for attempt in range(4):
        number = NUMBER if attempt % 2 else "+4930222333"
        report("newCall", f"c{attempt}", **{"from": number})
        report("hangup", f"c{attempt}", cause="cancel", **{"from": number})
    post()
    assert sorted(Ticket.objects.values_list("contact__name", "message_count")) == [("", 2), ("Anna Schmidt", 2)]


def test_a_call_after_a_day_or_after_the_end_of_the_ticket_opens_another(
    report: Any, post: Callable[[], None], caller: Any
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", "1")
        report("hangup", "1", cause="cancel")
        post()
        clock.shift(timedelta(hours=25))
        report("newCall", "2")
        report("hangup", "2", cause="cancel")
        post()
        Ticket.objects.filter(pk=Call.objects.get(call_id="2").ticket_id).update(status=Ticket.Status.RESOLVED)
        report("newCall", "3")
        report("hangup", "3", cause="cancel")
        post()
    assert Ticket.objects.count() == 3


@pytest.mark.parametrize("order", list(permutations(["newCall", "answer", "hangup"])))
def test_whatever_the_order_and_however_often_the_end_is_the_same(
    report: Any, post: Callable[[], None], caller: Any, lena: Any, order: tuple[str, ...]
) -> None:
    more = {"answer": {"answeringNumber": "lena@guichet.test"}, "hangup": {"cause": "normalClearing"}}
    for event in order:
        for _time in range(3):
            report(event, **more.get(event, {}))
        post()
    for event in reversed(order):
        report(event, **more.get(event, {}))
    post()
    call = only_call()
    assert (call.state, call.agent, call.contact) == ("ended", lena, caller)
    assert RawMessage.objects.count() == Message.objects.count() == Ticket.objects.count() == 1
    assert Message.objects.get().facts["missed"] is False
    assert not Task.objects.filter(state="open").exists()
    assert Ticket.objects.get().waiting_since is None


def test_a_call_that_is_put_through_is_whose_it_became(
    report: Any, post: Callable[[], None], caller: Any, lena: Any, queue: Any, django_capture_on_commit_callbacks: Any
) -> None:
    tom = factories.StaffFactory(name="Tom Fischer", email="tom@guichet.test", role="agent", extension="22")
    factories.QueueMemberFactory(queue=queue, user=tom)
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", **{"user[]": ["21"]})
        clock.shift(timedelta(seconds=5))
        report("answer", answeringNumber="21")
        report("answer", user=["Lena Berg", "Tom Fischer"])
        assert only_call().agent == lena, "of several names none is proved"
        clock.shift(timedelta(seconds=60))
        report("answer", answeringNumber="22")
        assert (only_call().state, only_call().agent, only_call().wait_seconds) == ("talking", tom, 5)
        assert set(only_call().rang.all()) == {lena, tom}, "both screens are told"
        clock.shift(timedelta(seconds=60))
        report("hangup", cause="normalClearing", answeringNumber="22")
        report("answer", answeringNumber="21")
        post()
    assert (only_call().agent, only_call().talk_seconds, only_call().ticket.assignee) == (tom, 120, tom)
    assert Message.objects.count() == 1


def test_a_queue_that_gives_its_work_out_leaves_a_talk_to_whoever_had_it(
    report: Any, post: Callable[[], None], phone: Any, lena: Any, queue: Any
) -> None:
    queue.strategy = "least-busy"
    queue.save()
    tom = factories.StaffFactory(name="Tom Fischer", role="agent")
    queue.members.all().delete()
    for user in (lena, tom):
        factories.QueueMemberFactory(queue=queue, user=user)
    factories.StaffFactory(name="Otto Other", role="agent", extension="99")
    factories.TicketFactory.create_batch(3, queue=queue, assignee=lena)  # who has more to do than Tom
    for call, who in (("talked", "21"), ("missed", ""), ("elsewhere", "99")):
        caller = {"from": f"+493022233{ord(call[0])}"}
        report("newCall", call, **caller)
        if who:
            report("answer", call, answeringNumber=who, **caller)
        report("hangup", call, **caller)
        post()
    waiting_tickets.assign()  # who answered without working the queue cannot have it
    had = {call.call_id: call.ticket.assignee for call in Call.objects.select_related("ticket__assignee")}
    assert had == {"talked": lena, "missed": tom, "elsewhere": tom}
    (event,) = Call.objects.get(call_id="talked").ticket.events.filter(what="assignee")
    assert (event.new, event.why) == (str(lena), "call")


def test_an_answer_that_comes_again_does_not_give_the_call_back(
    report: Any, caller: Any, lena: Any, queue: Any
) -> None:
    """R-28: where a call stands never goes backwards, unless the telephone system says when it went back."""
    tom = factories.StaffFactory(name="Tom Fischer", email="tom@guichet.test", role="agent", extension="22")
    factories.QueueMemberFactory(queue=queue, user=tom)
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall")
        report("answer", answeringNumber="21")
        clock.shift(timedelta(seconds=60))
        report("answer", answeringNumber="22")
        clock.shift(timedelta(seconds=5))
        report("answer", answeringNumber="21")
        report("answer", user="Lena Berg")
        assert only_call().agent == tom
        report("answer", answeringNumber="21", at="2026-03-02T15:30:30+00:00")
        assert only_call().agent == tom, "that was before he was put through"
        report("answer", answeringNumber="21", at="2026-03-02T15:31:04+00:00")
        assert only_call().agent == lena, "put back"
        report("answer", answeringNumber="22")
        assert only_call().agent == lena


def test_a_forwarded_call_is_told_by_the_call_it_became(
    report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    """As sipgate reports it: the forwarded call ends at once, and another begins with the same caller."""
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", "doc", user="Nobody")
        clock.shift(timedelta(seconds=8))
        report("hangup", "doc", cause="forwarded")
        report("newCall", "marty", **{"user[]": ["21"]})
        post()
        assert Call.objects.get(call_id="doc").state == "forwarded"
        assert not Message.objects.exists() and not Task.objects.exists()
        clock.shift(timedelta(seconds=5))
        report("answer", "marty", answeringNumber="21")
        clock.shift(timedelta(minutes=5))
        assert calls.end_forgotten() == 1
        report("hangup", "marty", cause="normalClearing")
        assert calls.end_forgotten() == 0
        post()
    message = Message.objects.get()
    assert (message.call.call_id, message.ticket.assignee) == ("marty", lena)
    assert not Task.objects.exists()


def test_a_forwarded_call_that_goes_on_elsewhere_is_logged_and_not_missed(
    report: Any, post: Callable[[], None], caller: Any
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall")
        report("hangup", cause="forwarded")
        post()
        clock.shift(timedelta(minutes=3))
        assert calls.end_forgotten() == 1
        post()
    message = Message.objects.get()
    assert (message.call.state, message.facts["missed"], message.text) == ("forwarded", False, "Forwarded.")
    assert message.ticket.subject == "Forwarded call from Anna Schmidt"
    assert not Task.objects.exists()


@pytest.mark.parametrize("minutes", [0, 5])
def test_a_forwarded_call_that_nobody_answers_under_the_same_number_was_missed(
    report: Any, post: Callable[[], None], caller: Any, minutes: int
) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall")
        report("hangup", cause="forwarded")
        clock.shift(timedelta(minutes=minutes))
        calls.end_forgotten()
        post()
        report("hangup", cause="forwarded")
        report("hangup", cause="noAnswer")
        report("hangup", cause="forwarded")
        post()
    message = Message.objects.get()
    assert (only_call().state, message.facts["missed"]) == ("missed", True)
    assert Task.objects.get().state == "open"
    # The page that shows the message learns of it: what it has not seen has a number of its own.
    told = list(message.ticket.events.filter(what="call-missed").values_list("seq", flat=True))
    assert told == ([message.ticket.sequence] if minutes else [])


def test_a_number_of_a_call_that_is_used_again_is_another_call(
    report: Any, post: Callable[[], None], caller: Any, lena: Any
) -> None:
    """Small telephone systems begin to count again when they are switched on."""
    report("newCall", "1")
    report("hangup", "1", cause="cancel")
    post()
    other = {"from": "+4930222333"}
    report("newCall", "1", **other)
    assert Call.objects.count() == 2
    report("newCall", "1", **other)
    report("answer", "1", answeringNumber="21", **other)
    report("hangup", "1", cause="normalClearing", **other)
    post()
    found = Call.objects.order_by("pk").values_list("number", "state", "message__facts__missed")
    assert list(found) == [(NUMBER, "missed", True), ("+4930222333", "ended", False)]
    assert RawMessage.objects.count() == Message.objects.count() == Ticket.objects.count() == 2
    report("newCall", "1", **{"from": "0049 30 222333"})
    assert Call.objects.count() == 2, "the same number, written otherwise"


def test_news_of_three_days_later_change_nothing(report: Any, post: Callable[[], None], caller: Any) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall")
        report("answer")
        clock.shift(timedelta(seconds=60))
        report("hangup", cause="normalClearing")
        post()
        before = Call.objects.values().get()
        clock.shift(timedelta(days=3))
        for event in ("newCall", "answer", "hangup"):
            report(event, cause="cancel")
        post()
    assert Call.objects.values().get() == before
    assert Message.objects.count() == 1


def test_an_end_of_three_days_later_says_nothing_of_its_length(report: Any, caller: Any) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall")
        report("answer")
        clock.shift(timedelta(days=3))
        report("hangup", cause="normalClearing")
    assert (only_call().state, only_call().talk_seconds) == ("ended", None)


def test_a_system_that_reports_late_can_say_when(report: Any, caller: Any) -> None:
    with time_machine.travel(MONDAY, tick=False):
        report("newCall", at="2026-03-02T12:00:00+01:00")
        report("answer", at="2026-03-02T12:00:10+01:00")
        report("hangup", at="2026-03-02T12:01:10+01:00")
    assert (only_call().started_at, only_call().talk_seconds) == (datetime(2026, 3, 2, 11, tzinfo=UTC), 60)


def test_numbers_of_a_bridge_that_names_them_only_once(report: Any, post: Callable[[], None], caller: Any) -> None:
    """As asterisk-zammad-cti-bridge sends: an answer and an end without numbers."""
    report("newCall", to="support")
    report("answer", user="21", **{"from": None, "to": None})
    report("hangup", cause="normalClearing", **{"from": None, "to": None})
    post()
    assert (only_call().number, only_call().line, only_call().ticket.contact) == (NUMBER, "support", caller)


def test_an_end_without_numbers_waits_for_its_beginning(report: Any, post: Callable[[], None], caller: Any) -> None:
    report("hangup", cause="cancel", **{"from": None, "to": None})
    post()
    assert only_call().logged_at is None and not Message.objects.exists()
    report("newCall")
    post()
    assert only_call().ticket.contact == caller and only_call().state == "missed"


def test_what_never_ends_is_ended(report: Any, post: Callable[[], None], caller: Any) -> None:
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", "ringing")
        report("newCall", "talking", **{"from": "+4930222333"})
        report("answer", "talking", **{"from": "+4930222333"})
        report("hangup", "blind", cause="cancel", **{"from": None, "to": None})
        assert calls.end_forgotten() == 0
        clock.shift(timedelta(minutes=3))
        assert calls.end_forgotten() == 1
        clock.shift(timedelta(hours=13))
        assert calls.end_forgotten() == 2
        assert calls.end_forgotten() == 0
        post()
    found = Call.objects.order_by("call_id").values_list("call_id", "state", "cause", "talk_seconds", "wait_seconds")
    assert list(found) == [
        ("blind", "missed", "cancel", None, 0),
        ("ringing", "missed", "lost", None, None),
        ("talking", "ended", "lost", None, None),
    ]
    assert Message.objects.count() == 3


@pytest.mark.parametrize("withheld", ["anonymous", "", "Restricted", "0"])
def test_who_withholds_his_number_is_an_unknown_person_and_cannot_be_called_back(
    report: Any, post: Callable[[], None], withheld: str
) -> None:
    report("newCall", **{"from": withheld})
    report("hangup", cause="cancel", **{"from": withheld})
    post()
    if withheld == "0":  # an extension of the house
        assert not Ticket.objects.exists() and only_call().state == "missed"
        return
    assert Ticket.objects.get().contact.name == "Unknown caller"
    assert not ContactPoint.objects.filter(kind="phone").exists()
    assert not Task.objects.exists()


def test_calls_within_the_house_open_no_ticket(report: Any, post: Callable[[], None], lena: Any) -> None:
    report("newCall", **{"from": "22", "to": "21"})
    report("answer", **{"from": "22", "to": "21"})
    report("hangup", cause="normalClearing", **{"from": "22", "to": "21"})
    post()
    assert not Message.objects.exists() and not Contact.objects.exists()
    assert only_call().state == "ended"


def test_an_unknown_number_makes_a_contact_with_it(report: Any, post: Callable[[], None]) -> None:
    report("newCall", **{"from": "0049 (0)30 222 333"})
    report("hangup", cause="cancel", **{"from": "0049 (0)30 222 333"})
    post()
    point = ContactPoint.objects.get()
    assert (point.kind, point.value) == ("phone", "+4930222333")
    assert Ticket.objects.get().contact == point.contact


@pytest.mark.parametrize(
    ("to", "named", "expected"),
    [
        ("4940555100", "", "Support"),
        ("4940555200", "", "Sales"),
        ("040 555200", "hotline", "Sales"),
        ("4940555100", "HOTLINE", "Billing"),
        ("4940555100", "billing", "Billing"),
        ("4940555100", "unknown", "Support"),
    ],
)
def test_the_called_number_decides_the_queue(
    report: Any, post: Callable[[], None], phone: Any, caller: Any, to: str, named: str, expected: str
) -> None:
    for name in ("Sales", "Billing"):
        factories.QueueFactory(name=name)
    phone.settings = {**phone.settings, "queues": "+49 40 555 200 = Sales\nhotline = Billing"}
    phone.save()
    report("newCall", to=to, queue=named)
    report("hangup", to=to, queue=named, cause="cancel")
    post()
    assert only_call().queue.name == only_call().ticket.queue.name == expected
    assert Task.objects.get().queue.name == expected


def test_voicemail_is_to_be_called_back(report: Any, post: Callable[[], None], caller: Any) -> None:
    report("newCall")
    report("answer", user="voicemail")
    report("hangup", cause="normalClearing", recordingUrl="https://recordings.example.com/1.mp3")
    post()
    assert (only_call().state, only_call().recording_url) == ("voicemail", "https://recordings.example.com/1.mp3")
    assert Task.objects.get().state == "open"
    assert Ticket.objects.get().waiting_since is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://recordings.example.com/1.mp3",
        "https://evil.example/1.mp3",
        "https://recordings.example.com@evil.example/",
        "javascript:alert(1)",
        "https://[",
    ],
)
def test_recordings_of_other_hosts_are_dropped(report: Any, caller: Any, url: str) -> None:
    report("hangup", recordingUrl=url)
    assert only_call().recording_url == ""


def test_a_merge_takes_the_calls_along_and_brings_them_back(
    report: Any, post: Callable[[], None], caller: Any, ticket: Any, lena: Any
) -> None:
    from inbox.services import merging

    report("newCall")
    report("hangup", cause="cancel")
    post()
    source = only_call().ticket
    record = merging.merge(source, ticket, by=lena)
    assert only_call().ticket == ticket
    merging.undo_merge(record, by=lena)
    assert only_call().ticket == source


@pytest.mark.parametrize(
    ("fact", "operator", "value"),
    [
        ("called_number", "is", "+4940555100"),
        ("missed", "yes", None),
        ("direction", "is", "in"),
        ("wait_seconds", "greater", 19),
        ("cause", "is", "cancel"),
        ("call_queue", "is", "Hotline"),
        ("talk_kind", "is", "call"),
    ],
)
def test_rules_see_the_call(
    report: Any, post: Callable[[], None], caller: Any, fact: str, operator: str, value: Any
) -> None:
    item = {"fact": fact, "operator": operator, "value": value}
    factories.RuleFactory(
        conditions={"match": "all", "items": [item]}, actions=[{"action": "add_tags", "tags": ["seen"]}]
    )
    with time_machine.travel(MONDAY, tick=False) as clock:
        report("newCall", queue="hotline")
        clock.shift(timedelta(seconds=20))
        report("hangup", cause="cancel")
        post()
    assert [tag.name for tag in Ticket.objects.get().tags.all()] == ["seen"]
