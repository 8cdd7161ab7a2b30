"""Whose turn it is (S-87: never beyond capacity, evenly spread)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.assignment import Candidate, choose

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def person(number, load=0, capacity=5, minutes_ago=None, available=True):
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return Candidate(number, load, capacity, last, available)


@pytest.mark.parametrize(
    ("strategy", "people", "chosen"),
    [
        ("manual", [person(1)], None),
        ("round-robin", [], None),
        ("round-robin", [person(2), person(1)], 1),
        ("round-robin", [person(1, minutes_ago=5), person(2, minutes_ago=9)], 2),
        ("round-robin", [person(1, minutes_ago=5), person(2)], 2),
        ("round-robin", [person(1, load=5), person(2, minutes_ago=1)], 2),
        ("round-robin", [person(1, available=False), person(2, minutes_ago=1)], 2),
        ("round-robin", [person(1, load=5), person(2, available=False)], None),
        ("round-robin", [person(1, load=7)], None),
        ("least-busy", [person(1, load=2), person(2, load=1)], 2),
        ("least-busy", [person(1, load=1, minutes_ago=1), person(2, load=1, minutes_ago=2)], 2),
        ("least-busy", [person(1, load=1, capacity=1), person(2, load=3)], 2),
    ],
)
def test_choice(strategy, people, chosen):
    assert choose(strategy, people) == chosen


def test_an_unknown_strategy_is_a_fault():
    with pytest.raises(ValueError, match="no strategy"):
        choose("by-horoscope", [person(1)])


@given(
    strategy=st.sampled_from(["round-robin", "least-busy"]),
    capacities=st.lists(st.integers(0, 6), min_size=1, max_size=8),
    tickets=st.integers(0, 40),
)
def test_spread_is_even_and_capacity_is_never_exceeded(strategy, capacities, tickets):
    people = {n: person(n, capacity=c) for n, c in enumerate(capacities)}
    given_out = 0
    for number in range(tickets):
        chosen = choose(strategy, people.values())
        if chosen is None:
            break
        old = people[chosen]
        people[chosen] = Candidate(chosen, old.load + 1, old.capacity, NOW + timedelta(seconds=number))
        given_out += 1
    assert given_out == min(tickets, sum(capacities))
    assert all(p.load <= p.capacity for p in people.values())
    with_room = [p.load for p in people.values() if p.load < p.capacity]
    if with_room:
        assert max(p.load for p in people.values()) - min(with_room) <= 1
