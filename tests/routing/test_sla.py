"""Promises as moments."""

from datetime import UTC, datetime

import pytest

from routing.hours import Calendar
from routing.models import SLAPolicy
from routing.sla import Targets, clocks, nearest, targets

OFFICE = Calendar("UTC", (((540, 1020),),) * 5 + ((),) * 2)
NEVER = Calendar("UTC", ((),) * 7)
POLICY = SLAPolicy(name="Gold", first_answer=60, next_answer=120, solution=960, warn_percent=75)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def when(policy=POLICY, cal=OFFICE, opened="2026-03-02 16:30", waiting=None, answered=None, resolved=None):
    moments = {"waiting_since": waiting, "first_answered_at": answered, "resolved_at": resolved}
    return targets(policy, cal, opened_at=at(opened), **{k: v and at(v) for k, v in moments.items()})


def test_until_the_first_answer_its_clock_and_that_of_the_solution_run():
    assert when(waiting="2026-03-02 16:30") == Targets(at("2026-03-03 09:30"), None, at("2026-03-04 16:30"))


def test_after_it_the_clock_of_the_next_answer_runs_while_the_customer_waits():
    answered = "2026-03-02 16:45"
    assert when(answered=answered) == Targets(None, None, at("2026-03-04 16:30"))
    assert when(answered=answered, waiting="2026-03-03 10:00") == Targets(
        None, at("2026-03-03 12:00"), at("2026-03-04 16:30")
    )


def test_no_clock_runs_once_it_is_solved_or_nothing_is_promised():
    assert when(resolved="2026-03-03 10:00") == Targets()
    assert when(policy=None) == Targets()
    assert when(policy=SLAPolicy(name="None")) == Targets()


def test_a_calendar_without_time_promises_nothing():
    assert when(cal=NEVER) == Targets()


def test_without_calendar_time_runs_always():
    assert when(cal=None).first == at("2026-03-02 17:30")


def test_the_nearest_promise():
    assert nearest(when()) == at("2026-03-03 09:30")
    assert nearest(Targets()) is None


def test_people_are_warned_when_three_quarters_of_the_business_time_are_gone():
    first, _solution = clocks(
        POLICY, OFFICE, opened_at=at("2026-03-02 16:30"), waiting_since=None, first_answered_at=None, resolved_at=None
    )
    assert (first.name, first.warn_at, first.due) == ("first", at("2026-03-03 09:15"), at("2026-03-03 09:30"))


@pytest.mark.parametrize(
    ("now", "level"),
    [
        ("2026-03-03 09:14", ""),
        ("2026-03-03 09:15", "warning"),
        ("2026-03-03 09:29", "warning"),
        ("2026-03-03 09:30", "breach"),
    ],
)
def test_levels(now, level):
    clock = clocks(
        POLICY, OFFICE, opened_at=at("2026-03-02 16:30"), waiting_since=None, first_answered_at=None, resolved_at=None
    )[0]
    assert clock.level(at(now)) == level
