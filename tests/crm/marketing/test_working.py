"""Working through a call list: nobody twice, nobody who must not be, nobody at night."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from crm.customers import consent, identity
from crm.customers.models import RefusedNumber
from crm.marketing import services
from crm.marketing.models import CallList, CallListEntry, CallTry
from tests import factories

NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)  # a Tuesday, 12:00 in Berlin


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def calls(agent: Any, clock: Any) -> CallList:
    """A running list with three people in Germany."""
    made = factories.CallListFactory(people=[agent], max_tries=2, days_between=3)
    for _ in range(3):
        factories.CallListEntryFactory(call_list=made)
    return made


def test_one_after_the_other(calls: CallList, agent: Any) -> None:
    first, second, third = calls.entries.all()
    assert services.next_entry(calls, agent) == first
    assert services.next_entry(calls, agent) == first, "the one he has comes first"
    services.record(first, "agreed", by=agent, note="Comes in May")
    assert services.next_entry(calls, agent) == second
    services.record(second, "talked", by=agent)
    assert services.next_entry(calls, agent) == third
    services.record(third, "declined", by=agent)
    assert services.next_entry(calls, agent) is None
    first.refresh_from_db()
    assert (first.state, first.outcome, first.tries, first.note, first.claimed_by, first.called_at) == (
        "done",
        "agreed",
        1,
        "Comes in May",
        agent,
        NOON,
    )
    assert list(CallTry.objects.values_list("entry", "by", "outcome", "note")) == [
        (first.pk, agent.pk, "agreed", "Comes in May"),
        (second.pk, agent.pk, "talked", ""),
        (third.pk, agent.pk, "declined", ""),
    ]
    assert list(first.contact.timeline.values_list("kind", "title", "reference")) == [
        ("call_list.agreed", calls.name, f"call_list:{calls.pk}")
    ]


def test_tries_end(calls: CallList, agent: Any, clock: Any) -> None:
    CallListEntry.objects.exclude(pk=calls.entries.first().pk).delete()
    entry = services.next_entry(calls, agent)
    services.record(entry, "no-answer", by=agent)
    entry.refresh_from_db()
    assert (entry.state, entry.tries, entry.next_at) == ("open", 1, NOON + timedelta(days=3))
    assert services.next_entry(calls, agent) is None
    clock.move_to(NOON + timedelta(days=3))
    assert services.next_entry(calls, agent) == entry
    with pytest.raises(services.NotPossible, match="Say when"):
        services.record(entry, "later", by=agent)
    services.record(entry, "later", by=agent, next_at=timezone.now() + timedelta(hours=2))
    clock.shift(timedelta(hours=2))
    assert services.next_entry(calls, agent) == entry, "who asked for it is called again, however often it was tried"
    services.record(entry, "busy", by=agent)
    entry.refresh_from_db()
    assert (entry.state, entry.tries) == ("failed", 3)


def test_who_wants_no_more_calls_is_barred_everywhere(calls: CallList, agent: Any) -> None:
    other = factories.CallListFactory(people=[agent])
    entry = services.next_entry(calls, agent)
    CallListEntry.objects.create(
        call_list=other, contact=entry.contact, number=entry.number, zone="Europe/Berlin", next_at=NOON
    )
    other.zones = ["Europe/Berlin"]
    other.save()
    services.record(entry, "refused", by=agent, note="was angry")
    entry.refresh_from_db()
    assert entry.state == "blocked"
    assert consent.may_call(entry.number) == "Wants no calls: was angry"
    assert services.next_entry(other, agent) is None
    assert other.entries.get().state == "blocked"
    consent.allow_calls(entry.number, by=agent)
    assert services.check_again(other, by=agent) == 1
    assert services.next_entry(other, agent) == other.entries.get()


def test_a_mark_set_between_claim_and_dialling_holds(calls: CallList, agent: Any) -> None:
    entry = services.next_entry(calls, agent)
    consent.refuse_calls(entry.number, by=None)
    assert consent.may_call(entry.number) == "Wants no calls."
    assert services.next_entry(calls, agent) != entry, "not offered again, though it was his"
    entry.refresh_from_db()
    assert (entry.state, entry.claimed_by) == ("blocked", None)


def test_given_back_and_taken_from_who_is_silent(calls: CallList, agent: Any, clock: Any) -> None:
    other = factories.StaffFactory()
    calls.people.add(other)
    first, second, _third = calls.entries.all()
    assert services.next_entry(calls, agent) == first
    assert services.next_entry(calls, other) == second
    services.release(second, by=other, until=NOON + timedelta(hours=1))
    with pytest.raises(services.NotYours):
        services.release(second, by=other)
    clock.shift(services.LEASE - timedelta(seconds=1))
    services.stay(first, by=agent)
    clock.shift(timedelta(minutes=2))
    assert services.next_entry(calls, other) != first
    clock.shift(services.LEASE)
    second.refresh_from_db()
    taken = [services.next_entry(calls, factories.StaffFactory()) for _ in range(3)]
    assert first in taken, "his lease is over"
    for deed in (
        lambda: services.record(first, "agreed", by=agent),
        lambda: services.release(first, by=agent),
        lambda: services.stay(first, by=agent),
    ):
        with pytest.raises(services.NotYours):
            deed()
    assert CallTry.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "paused"}, "Paused"),
        ({"state": "draft"}, "Draft"),
        ({"starts_on": date(2026, 3, 11)}, "not worked today"),
        ({"ends_on": date(2026, 3, 9)}, "not worked today"),
    ],
)
def test_a_list_that_is_not_worked(calls: CallList, agent: Any, changes: dict[str, Any], said: str) -> None:
    CallList.objects.filter(pk=calls.pk).update(**changes)
    with pytest.raises(services.NotNow, match=said):
        services.next_entry(calls, agent)
    assert set(calls.entries.values_list("state", flat=True)) == {"open"}


def test_hours_are_read_by_the_clock_of_the_called(agent: Any, clock: Any) -> None:
    """9 to 17 on weekdays, where they are: Berlin 12:00, Shanghai 19:00, New York 7:00 (EDT), Sydney 22:00."""
    calls = factories.CallListFactory(people=[agent], hours=factories.BusinessHoursFactory())
    people = {
        "Berlin": ("+494011111111", ""),
        "Shanghai": ("+862111111111", ""),
        "New York": ("+12125551234", ""),
        "a German in Sydney": ("+494022222222", "Australia/Sydney"),
        "somewhere in Russia": ("+79161234567", ""),
    }
    for name, (number, zone) in people.items():
        contact = identity.contact_for("phone", number, name)
        contact.time_zone = zone
        contact.save()
        services.building.add(calls, [(contact, number)])

    def callable_at(at: datetime) -> set[str]:
        clock.move_to(at)
        found = set()
        calls.entries.update(next_at=at - timedelta(minutes=1))
        while entry := services.next_entry(calls, agent):
            found.add(entry.contact.name)
            services.release(entry, by=agent, until=at + timedelta(minutes=1))
        return found

    assert callable_at(NOON) == {"Berlin"}
    assert callable_at(datetime(2026, 3, 10, 15, 0, tzinfo=UTC)) == {"Berlin", "New York"}
    assert callable_at(datetime(2026, 3, 10, 2, 0, tzinfo=UTC)) == {"Shanghai", "a German in Sydney"}
    assert callable_at(datetime(2026, 3, 10, 22, 30, tzinfo=UTC)) == {"a German in Sydney"}
    assert callable_at(datetime(2026, 3, 14, 11, 0, tzinfo=UTC)) == set(), "Saturday everywhere"
    # 9 to 17 in the west of Russia and in Kamchatka is never at once: nobody knows where he is, so nobody wakes him.
    assert calls.entries.get(contact__name="somewhere in Russia").zone == "Europe/Bucharest Asia/Kamchatka"


def test_who_moves_to_another_zone_is_called_by_his_new_clock(agent: Any, clock: Any) -> None:
    calls = factories.CallListFactory(people=[agent], hours=factories.BusinessHoursFactory())
    entry = factories.CallListEntryFactory(call_list=calls)
    entry.contact.time_zone = "Asia/Tokyo"
    entry.contact.save()
    assert services.next_entry(calls, agent) is None
    entry.refresh_from_db()
    assert (entry.zone, entry.state) == ("Asia/Tokyo", "open")
    clock.move_to(datetime(2026, 3, 11, 1, 0, tzinfo=UTC))
    assert services.next_entry(calls, agent) == entry


def test_a_claim_takes_few_queries(calls: CallList, agent: Any, django_assert_max_num_queries: Any) -> None:
    services.next_entry(calls, agent)
    calls.entries.update(state="open", claimed_by=None)
    with django_assert_max_num_queries(12):
        services.next_entry(calls, agent)


# Races


def together(*works: Callable[[], None]) -> None:
    """Run these at the same time; a fault of one is raised here."""
    start, faults = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        try:
            start.wait()
            work()
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.django_db(transaction=True)
def test_two_agents_never_get_the_same() -> None:
    people = [factories.StaffFactory() for _ in range(4)]
    calls = factories.CallListFactory(people=people)
    wanted = {factories.CallListEntryFactory(call_list=calls).pk for _ in range(24)}
    got: list[int] = []

    def work(user: Any) -> None:
        while entry := services.next_entry(calls, user):
            got.append(entry.pk)
            services.record(entry, "talked", by=user)

    together(*(lambda user=user: work(user) for user in people))
    assert sorted(got) == sorted(wanted)
    assert CallTry.objects.count() == 24


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_dialled_after_he_said_no(seed: int) -> None:
    """Refusals come in while three agents dial. What was refused before the question was asked is never dialled."""
    chance = random.Random(seed)
    people = [factories.StaffFactory() for _ in range(3)]
    calls = factories.CallListFactory(people=people)
    numbers = [factories.CallListEntryFactory(call_list=calls).number for _ in range(20)]
    victims = chance.sample(numbers, 8)
    refused: set[str] = set()
    wrong: list[str] = []
    dialled: list[str] = []

    def refuse() -> None:
        for number in victims:
            consent.refuse_calls(number, by=None)
            refused.add(number)  # the mark is committed: from here on nobody may dial

    def dial(user: Any) -> None:
        while entry := services.next_entry(calls, user):
            before = entry.number in refused
            if consent.may_call(entry.number) == "":
                dialled.append(entry.number)
                if before:
                    wrong.append(entry.number)
                services.record(entry, "talked", by=user)
            # else: it comes back from next_entry as blocked

    together(refuse, *(lambda user=user: dial(user) for user in people))
    assert wrong == []
    assert len(dialled) == len(set(dialled))
    blocked = set(calls.entries.filter(state="blocked").values_list("number", flat=True))
    assert blocked | set(dialled) == set(numbers)
    assert blocked & set(dialled) == set()
    assert blocked <= set(RefusedNumber.objects.values_list("number", flat=True))
