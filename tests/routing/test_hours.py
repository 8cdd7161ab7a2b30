"""Business time against a slow reference, and the days on which clocks change (R-32)."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.hours import Calendar, NeverOpen, add_minutes, calendar, is_open, minutes_between, spans, until
from routing.models import BusinessHours

NINE_TO_FIVE = spans([(9 * 60, 17 * 60)])
SPLIT = spans([(9 * 60, 12 * 60), (13 * 60, 18 * 60)])
CLOSED = ()


def week(days, weekend=CLOSED, zone="UTC", special=()):
    return Calendar(zone, (days,) * 5 + (weekend,) * 2, tuple(special))


def at(text, zone="UTC"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# 2026-03-02 is a Monday.
@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-03-02 09:00", 60, "2026-03-02 10:00"),
        ("2026-03-02 08:00", 60, "2026-03-02 10:00"),
        ("2026-03-02 11:30", 60, "2026-03-02 13:30"),
        ("2026-03-02 11:00", 60, "2026-03-02 12:00"),
        ("2026-03-02 12:30", 30, "2026-03-02 13:30"),
        ("2026-03-06 17:30", 60, "2026-03-09 09:30"),
        ("2026-03-07 12:00", 0, "2026-03-09 09:00"),
        ("2026-03-02 09:00", 8 * 60, "2026-03-02 18:00"),
        ("2026-03-02 09:00", 8 * 60 * 5 + 1, "2026-03-09 09:01"),
    ],
)
def test_adding_goes_through_breaks_and_weekends(start, minutes, end):
    assert add_minutes(week(SPLIT), at(start), minutes) == at(end)


def test_holidays_are_closed_or_have_their_own_hours():
    cal = week(NINE_TO_FIVE, special=[(date(2026, 3, 3), CLOSED), (date(2026, 3, 7), spans([(600, 720)]))])
    assert add_minutes(cal, at("2026-03-02 16:00"), 120) == at("2026-03-04 10:00")
    assert is_open(cal, at("2026-03-03 10:00")) is False
    assert is_open(cal, at("2026-03-07 11:00")) is True
    assert is_open(cal, at("2026-03-07 12:00")) is False
    assert minutes_between(cal, at("2026-03-06 16:00"), at("2026-03-09 10:00")) == 60 + 120 + 60


def test_a_shift_may_end_at_midnight():
    cal = week(spans([(22 * 60, 0)]), weekend=spans([(0, 0)]))
    assert is_open(cal, at("2026-03-02 23:59")) is True
    assert is_open(cal, at("2026-03-03 00:00")) is False
    assert is_open(cal, at("2026-03-07 00:00")) is True
    assert is_open(cal, at("2026-03-08 23:59")) is True
    assert minutes_between(cal, at("2026-03-06 23:00"), at("2026-03-09 23:00")) == 60 + 2 * 1440 + 60


def test_no_calendar_is_always_open():
    assert is_open(None, at("2026-03-08 03:00")) is True
    assert add_minutes(None, at("2026-03-08 03:00"), 90) == at("2026-03-08 04:30")
    assert minutes_between(None, at("2026-03-08 03:00"), at("2026-03-08 04:30")) == 90


def test_a_calendar_that_never_opens_says_so():
    never = week(CLOSED)
    with pytest.raises(NeverOpen):
        add_minutes(never, at("2026-03-02 09:00"), 1)
    assert is_open(never, at("2026-03-02 09:00")) is False
    assert minutes_between(never, at("2026-03-02 09:00"), at("2030-03-02 09:00")) == 0
    once = week(CLOSED, special=[(date(2026, 3, 3), NINE_TO_FIVE)])
    assert add_minutes(once, at("2026-03-02 09:00"), 480) == at("2026-03-03 17:00")
    with pytest.raises(NeverOpen):
        add_minutes(once, at("2026-03-02 09:00"), 481)


def test_a_clock_that_jumped_back_gives_no_negative_time():
    assert minutes_between(week(NINE_TO_FIVE), at("2026-03-02 12:00"), at("2026-03-02 10:00")) == 0
    assert minutes_between(None, at("2026-03-02 12:00"), at("2026-03-02 10:00")) == 0


@pytest.mark.parametrize(
    ("now", "is_open_now", "end"),
    [
        ("2026-03-02 10:00", True, "2026-03-02 12:00"),
        ("2026-03-02 12:00", False, "2026-03-02 13:00"),
        ("2026-03-06 18:00", False, "2026-03-09 09:00"),
    ],
)
def test_until_says_when_it_opens_or_closes(now, is_open_now, end):
    assert until(week(SPLIT), at(now)) == (is_open_now, at(end))


def test_until_at_the_edges():
    assert until(week(CLOSED), at("2026-03-02 10:00")) == (False, None)
    night = week(spans([(0, 6 * 60), (22 * 60, 0)]), weekend=CLOSED)
    assert until(night, at("2026-03-02 23:00")) == (True, at("2026-03-03 06:00"))
    is_open_now, end = until(week(spans([(0, 0)]), weekend=spans([(0, 0)])), at("2026-03-02 10:00"))
    assert is_open_now is True
    assert end >= at("2026-03-16 00:00")


def test_the_zone_of_the_calendar_counts_not_that_of_the_moment():
    cal = week(NINE_TO_FIVE, zone="Asia/Shanghai")
    assert is_open(cal, at("2026-03-02 01:00")) is True
    assert is_open(cal, at("2026-03-02 09:00")) is False
    assert is_open(cal, at("2026-03-02 00:30", "America/New_York")) is True


def test_the_skipped_hour_is_not_counted():
    """Berlin, 29 March 2026: 02:00 becomes 03:00."""
    cal = week(CLOSED, weekend=spans([(60, 300)]), zone="Europe/Berlin")
    assert minutes_between(cal, at("2026-03-29 00:00", "Europe/Berlin"), at("2026-03-29 12:00", "Europe/Berlin")) == 180
    assert add_minutes(cal, at("2026-03-29 00:00", "Europe/Berlin"), 61) == at("2026-03-29 03:01", "Europe/Berlin")


def test_a_shift_that_begins_in_the_skipped_hour_begins_after_it():
    cal = week(CLOSED, weekend=spans([(150, 300)]), zone="Europe/Berlin")
    assert add_minutes(cal, at("2026-03-29 00:00", "Europe/Berlin"), 0) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    inside = week(CLOSED, weekend=spans([(130, 160)]), zone="Europe/Berlin")
    assert minutes_between(inside, at("2026-03-29 00:00"), at("2026-03-30 00:00")) == 0


def test_the_repeated_hour_is_counted_twice():
    """Berlin, 25 October 2026: 03:00 becomes 02:00."""
    cal = week(CLOSED, weekend=spans([(120, 180)]), zone="Europe/Berlin")
    assert minutes_between(cal, at("2026-10-25 00:00"), at("2026-10-25 12:00")) == 120
    assert is_open(cal, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) is True
    assert is_open(cal, datetime(2026, 10, 25, 1, 59, tzinfo=UTC)) is True
    assert is_open(cal, datetime(2026, 10, 25, 2, 0, tzinfo=UTC)) is False


def test_years_are_no_trouble():
    cal = week(SPLIT, zone="Europe/Berlin", special=[(date(2030, 1, 1), CLOSED)])
    end = add_minutes(cal, at("2026-03-02 09:00", "Europe/Berlin"), 8 * 60 * 2000)
    assert minutes_between(cal, at("2026-03-02 09:00", "Europe/Berlin"), end) == 8 * 60 * 2000
    assert end.year == 2033


ZONES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/Havana": ["2026-03-08", "2026-11-01"],  # the repeated hour is the first of the day
    "America/Sao_Paulo": ["2018-02-17", "2018-11-04"],  # repeats the last hour; skips the first
    "Asia/Beirut": ["2026-03-29", "2026-10-25"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],  # by half an hour
    "Pacific/Apia": ["2011-12-30"],  # a day that did not exist
    "Pacific/Chatham": ["2026-04-05", "2026-09-27"],
    "Asia/Kathmandu": ["2026-03-08"],
}


@lru_cache(maxsize=64)
def minutes_of_days(zone, middle):
    """Every minute of seven days around `middle` as (moment, date, minute of the day)."""
    zone = ZoneInfo(zone)
    start = datetime.combine(date.fromisoformat(middle), time(), UTC) - timedelta(days=3)
    moments = [start + timedelta(minutes=n) for n in range(7 * 1440)]
    wall = [m.astimezone(zone) for m in moments]
    return [(m, w.date(), w.hour * 60 + w.minute) for m, w in zip(moments, wall, strict=True)]


def slowly(cal, middle):
    """Which minutes are open, read off the definition: between the first that is late enough and the last that is early enough."""
    days = {}
    for index, (_moment, day, minute) in enumerate(minutes_of_days(cal.zone, middle)):
        days.setdefault(day, []).append((index, minute))
    open_minutes = [False] * (7 * 1440)
    for day, found in days.items():
        for opens, closes in dict(cal.special).get(day, cal.week[day.weekday()]):
            late = [i for i, minute in found if minute >= opens]
            early = [i for i, minute in found if minute < closes]
            if late and early:
                for i in range(late[0], early[-1] + 1):
                    open_minutes[i] = True
    return open_minutes


shifts = st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), max_size=3).map(spans)
places = st.sampled_from([(zone, day) for zone, days in ZONES.items() for day in days])


@settings(max_examples=60, deadline=None)
@given(
    place=places,
    days=st.lists(shifts, min_size=7, max_size=7),
    special=shifts,
    start=st.integers(1440, 4 * 1440),
    minutes=st.integers(0, 3 * 1440),
)
@example(
    place=("America/Havana", "2026-11-01"), days=[((0, 1440),)] * 7, special=((30, 1440),), start=1440, minutes=2000
)
@example(
    place=("America/Sao_Paulo", "2018-02-17"),
    days=[((0, 1410),)] * 7,
    special=((1380, 1440),),
    start=1440,
    minutes=2000,
)
@example(place=("Pacific/Apia", "2011-12-30"), days=[((540, 1020),)] * 7, special=((0, 1440),), start=1440, minutes=700)
def test_against_the_slow_reference(place, days, special, start, minutes):
    zone, middle = place
    cal = Calendar(zone, tuple(days), ((date.fromisoformat(middle), special),))
    moments = [m for m, _day, _minute in minutes_of_days(zone, middle)]
    truth = slowly(cal, middle)
    inner = range(1440, 6 * 1440)  # the first and the last day may be cut
    assert [is_open(cal, moments[i]) for i in inner[:: 7 + start % 11]] == [truth[i] for i in inner[:: 7 + start % 11]]
    stop = min(start + minutes, 6 * 1440)
    assert minutes_between(cal, moments[start], moments[stop]) == sum(truth[start:stop])
    wanted = sum(truth[start:stop])
    if wanted:
        last = max(i for i in range(start, stop) if truth[i])
        assert add_minutes(cal, moments[start], wanted) == moments[last] + timedelta(minutes=1)


@settings(max_examples=40, deadline=None)
@given(
    days=st.lists(shifts, min_size=7, max_size=7),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    minutes=st.integers(1, 200_000),
)
def test_adding_and_measuring_agree(days, start, minutes):
    cal = Calendar("Europe/Berlin", tuple(days))
    start = start.replace(tzinfo=UTC)
    try:
        end = add_minutes(cal, start, minutes)
    except NeverOpen:
        assert sum(c - o for d in days for o, c in d) * 1044 < minutes
        return
    assert minutes_between(cal, start, end) == minutes
    assert end > start


@pytest.mark.django_db
def test_a_calendar_is_built_from_its_record_and_again_after_a_change(django_assert_num_queries):
    hours = BusinessHours.objects.create(name="Office", time_zone="Europe/Berlin")
    for weekday in range(5):
        hours.shifts.create(weekday=weekday, opens=time(9), closes=time(12))
    hours.shifts.create(weekday=0, opens=time(13), closes=time(0))
    hours.holidays.create(day=date(2026, 12, 25))
    hours.holidays.create(day=date(2026, 12, 26), opens=time(10), closes=time(14))
    cal = calendar(hours)
    assert cal == Calendar(
        "Europe/Berlin",
        (((540, 720), (780, 1440)), *[((540, 720),)] * 4, (), ()),
        ((date(2026, 12, 25), ()), (date(2026, 12, 26), ((600, 840),))),
    )
    hours.refresh_from_db()
    with django_assert_num_queries(0):
        assert calendar(hours) is cal
    hours.shifts.filter(weekday=0).first().delete()
    hours.refresh_from_db()
    assert calendar(hours).week[0] == ((780, 1440),)
    assert calendar(None) is None


def test_shifts_that_touch_are_joined():
    assert spans([(780, 1080), (540, 720), (700, 780)]) == ((540, 1080),)
    assert spans([(600, 600), (700, 650)]) == ()
    assert spans([(1320, 0)]) == ((1320, 1440),)
