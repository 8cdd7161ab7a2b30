"""Screens of queues, hours, promises and keywords."""

from datetime import date, time

import pytest
from django.urls import reverse
from django.utils import timezone

from routing.hours import calendar
from routing.models import BusinessHours, KeywordSet, Queue, SLAPolicy

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login, supervisor):
    return login(supervisor)


def queue(**changes):
    return {
        "name": "Billing",
        "colour": "#aa0000",
        "active": "on",
        "position": "1",
        "strategy": "round-robin",
        **changes,
    }


def test_a_queue_and_its_people_are_one_form(desk, agent, marketer):
    assert desk.post(reverse("routing_queues:add"), queue(people=[agent.pk, marketer.pk])).status_code == 302
    made = Queue.objects.get(name="Billing")
    assert {m.user for m in made.members.all()} == {agent, marketer}
    turn = timezone.now()
    made.members.filter(user=agent).update(last_assigned_at=turn)
    edit = reverse("routing_queues:edit", args=[made.pk])
    assert desk.get(edit).context["form"]["people"].value() == [agent.pk, marketer.pk]
    assert desk.post(edit, queue(people=[agent.pk])).status_code == 302
    assert [(m.user, m.last_assigned_at) for m in made.members.all()] == [(agent, turn)]


def test_customers_cannot_work_a_queue(desk, customer_user):
    answer = desk.post(reverse("routing_queues:add"), queue(people=[customer_user.pk]))
    assert "people" in answer.context["form"].errors


@pytest.mark.parametrize(
    ("changes", "field"), [({"people": []}, "people"), ({"colour": "red;}"}, "colour"), ({"name": ""}, "name")]
)
def test_what_is_wrong_with_a_queue_is_said_at_its_field(desk, changes, field):
    assert field in desk.post(reverse("routing_queues:add"), queue(**changes)).context["form"].errors


def hours(**changes):
    return {
        "name": "Office",
        "time_zone": "Europe/Berlin",
        "d0-opens": ["09:00", "13:00", ""],
        "d0-closes": ["12:00", "17:30", ""],
        "d6-opens": ["22:00"],
        "d6-closes": ["00:00"],
        "holidays-TOTAL_FORMS": "2",
        "holidays-INITIAL_FORMS": "0",
        "holidays-MIN_NUM_FORMS": "0",
        "holidays-MAX_NUM_FORMS": "400",
        "holidays-0-day": "2026-12-25",
        "holidays-0-name": "Christmas",
        "holidays-1-day": "2026-12-26",
        "holidays-1-opens": "10:00",
        "holidays-1-closes": "14:00",
        **changes,
    }


def test_a_week_with_breaks_and_days_that_differ(desk):
    answer = desk.post(reverse("routing_hours:add"), hours())
    assert answer.status_code == 302
    made = BusinessHours.objects.get()
    assert [(s.weekday, s.opens, s.closes) for s in made.shifts.all()] == [
        (0, time(9), time(12)),
        (0, time(13), time(17, 30)),
        (6, time(22), time(0)),
    ]
    assert [(h.day, h.opens) for h in made.holidays.all()] == [
        (date(2026, 12, 25), None),
        (date(2026, 12, 26), time(10)),
    ]
    assert calendar(made).week[6] == ((1320, 1440),)
    assert dict(calendar(made).special)[date(2026, 12, 26)] == ((600, 840),)
    page = desk.get(reverse("routing_hours:edit", args=[made.pk]))
    assert page.context["form"].now["until"] != ""
    assert [s.opens for s in page.context["form"].week.days[0].stretches] == ["09:00", "13:00"]
    assert page.context["form"].week.days[6].bars == [(1320, 120)]


def test_a_day_that_differs_may_have_a_break(desk):
    rows = {"holidays-0-day": "2026-12-26", "holidays-0-opens": "15:00", "holidays-0-closes": "00:00"}
    assert desk.post(reverse("routing_hours:add"), hours(**rows)).status_code == 302
    made = BusinessHours.objects.get()
    assert dict(calendar(made).special) == {date(2026, 12, 26): ((600, 840), (900, 1440))}
    rows = desk.get(reverse("routing_hours:edit", args=[made.pk])).context["form"].row_sets["holidays"].forms
    assert [row.instance.opens for row in rows] == [time(10), time(15)]


@pytest.mark.parametrize(("opens", "closes"), [("13:00", "15:00"), ("", ""), ("10:00", "14:00")])
def test_rows_of_one_day_that_differs_do_not_overlap(desk, opens, closes):
    rows = {"holidays-0-day": "2026-12-26", "holidays-0-opens": opens, "holidays-0-closes": closes}
    answer = desk.post(reverse("routing_hours:add"), hours(**rows))
    assert "This day stands here twice, and the times overlap." in answer.text
    assert BusinessHours.objects.count() == 0


def test_days_long_past_are_kept_and_not_shown(desk):
    desk.post(reverse("routing_hours:add"), hours())
    made = BusinessHours.objects.get()
    made.holidays.create(day=date(2001, 1, 1), name="Old")
    edit = reverse("routing_hours:edit", args=[made.pk])
    assert "2001-01-01" not in desk.get(edit).text
    assert desk.post(edit, hours(**{"holidays-TOTAL_FORMS": "0"})).status_code == 302
    assert made.holidays.filter(name="Old").exists()


def test_a_day_that_differs_is_removed(desk):
    desk.post(reverse("routing_hours:add"), hours())
    made = BusinessHours.objects.get()
    first, second = made.holidays.all()
    change = hours(
        **{
            "holidays-INITIAL_FORMS": "2",
            "holidays-0-id": first.pk,
            "holidays-0-DELETE": "on",
            "holidays-1-id": second.pk,
        }
    )
    assert desk.post(reverse("routing_hours:edit", args=[made.pk]), change).status_code == 302
    assert list(made.holidays.all()) == [second]
    made.refresh_from_db()
    assert [day for day, _spans in calendar(made).special] == [date(2026, 12, 26)]


def test_records_in_use_are_not_deleted_and_others_are(desk):
    used = BusinessHours.objects.create(name="Used", time_zone="UTC")
    free = BusinessHours.objects.create(name="Free", time_zone="UTC")
    Queue.objects.create(name="Q", hours=used)
    for record in (used, free):
        assert desk.post(reverse("routing_hours:delete", args=[record.pk])).status_code == 302
    assert [h.name for h in BusinessHours.objects.all()] == ["Used"]


def test_a_changed_week_is_used_at_once(desk):
    desk.post(reverse("routing_hours:add"), hours())
    made = BusinessHours.objects.get()
    assert calendar(made).week[0] == ((540, 720), (780, 1050))
    change = hours(**{"d0-opens": "10:00", "d0-closes": "11:00", "holidays-TOTAL_FORMS": "0"})
    assert desk.post(reverse("routing_hours:edit", args=[made.pk]), change).status_code == 302
    made.refresh_from_db()
    assert calendar(made).week[0] == ((600, 660),)


@pytest.mark.parametrize(
    ("changes", "day", "words"),
    [
        ({"d0-opens": "17:00", "d0-closes": "09:00"}, 0, "ends after it begins"),
        ({"d1-opens": "17:00", "d1-closes": ""}, 1, "Write both times"),
        ({"d1-opens": "25:00", "d1-closes": "26:00"}, 1, "Write both times"),
        ({"d0-opens": ["09:00", "11:00"], "d0-closes": ["12:00", "13:00"]}, 0, "overlap"),
    ],
)
def test_what_is_wrong_with_the_week_is_said_at_its_day(desk, changes, day, words):
    form = desk.post(reverse("routing_hours:add"), hours(**changes)).context["form"]
    assert [(d.number, words in d.error) for d in form.week.days if d.error] == [(day, True)]
    assert BusinessHours.objects.count() == 0


def test_a_week_needs_open_time_and_a_zone_that_exists(desk):
    closed = hours(**{"d0-opens": "", "d0-closes": "", "d6-opens": "", "d6-closes": ""})
    assert "The week has no open time" in desk.post(reverse("routing_hours:add"), closed).text
    mars = desk.post(reverse("routing_hours:add"), hours(time_zone="Mars/Olympus"))
    assert "time_zone" in mars.context["form"].errors


def test_a_day_that_differs_has_both_times_or_none(desk):
    answer = desk.post(reverse("routing_hours:add"), hours(**{"holidays-0-opens": "10:00"}))
    assert "Write both times, or none for a closed day." in answer.text
    assert BusinessHours.objects.count() == 0


def test_the_list_shows_the_week_in_words_and_whether_it_is_open(desk):
    always = BusinessHours.objects.create(name="Always", time_zone="UTC")
    for weekday in range(7):
        always.shifts.create(weekday=weekday, opens=time(0), closes=time(0))
    page = desk.get(reverse("routing_hours:index"))
    assert "Monday–Sunday 00:00–00:00" in page.text
    assert "Open" in page.text


def test_promises_are_entered_as_minutes_or_hours(desk):
    data = {
        "name": "Gold",
        "first_answer_0": "2",
        "first_answer_1": "60",
        "solution_0": "90",
        "solution_1": "1",
        "warn_percent": "80",
    }
    assert desk.post(reverse("routing_sla:add"), data).status_code == 302
    made = SLAPolicy.objects.get()
    assert (made.first_answer, made.next_answer, made.solution) == (120, None, 90)
    page = desk.get(reverse("routing_sla:edit", args=[made.pk])).text
    assert 'name="first_answer_0" value="2"' in page
    assert "2 hours" in desk.get(reverse("routing_sla:index")).text


@pytest.mark.parametrize(
    "changes", [{"first_answer_0": ""}, {"first_answer_0": "999999"}, {"first_answer_0": "-1"}, {"warn_percent": "100"}]
)
def test_promises_that_cannot_be_kept_are_refused(desk, changes):
    data = {"name": "Gold", "first_answer_0": "2", "first_answer_1": "60", "warn_percent": "80", **changes}
    assert desk.post(reverse("routing_sla:add"), data).status_code == 200
    assert SLAPolicy.objects.count() == 0


def test_keywords_are_cleaned(desk):
    data = {"name": "complaint", "kind": "intent", "words": " refund \r\n\r\nrefund\r\n投诉", "active": "on"}
    assert desk.post(reverse("routing_keywords:add"), data).status_code == 302
    assert KeywordSet.objects.get().words == "refund\n投诉"
    wrong = desk.post(reverse("routing_keywords:add"), {**data, "name": "x", "words": "ok\n!!!"})
    assert wrong.context["form"].errors["words"] == ["“!!!” has no letter in it."]


@pytest.mark.parametrize(
    ("kind", "words", "sample", "found"),
    [
        ("intent", "refund\nbroken\n投诉", "It broke. Refunds please! 我要投诉", ["refund", "投诉"]),
        ("order", "Vorgang", "Vorgang 4711-22", ["4711-22"]),
        ("ticket", "Akte", "Akte 99887", ["99887"]),
        ("intent", "refund", "hello", []),
    ],
)
def test_words_are_tried_on_a_text(desk, kind, words, sample, found):
    data = {"name": "", "kind": kind, "words": words, "sample": sample, "do": "try"}
    answer = desk.post(reverse("routing_keywords:add"), data)
    assert (answer.context["found"], answer.context["form"].errors) == (found, {})
    assert KeywordSet.objects.count() == 0
    kept = KeywordSet.objects.create(name="kept", words="old")
    assert desk.post(reverse("routing_keywords:edit", args=[kept.pk]), data).context["found"] == found
    kept.refresh_from_db()
    assert kept.words == "old"


@pytest.mark.parametrize("screen", ["queues", "hours", "sla", "macros", "keywords"])
def test_agents_and_customers_do_not_get_in(login, agent, customer_user, screen):
    for person in (agent, customer_user):
        client = login(person)
        for view in ("index", "add"):
            assert client.get(reverse(f"routing_{screen}:{view}")).status_code in (302, 403, 404)


@pytest.mark.parametrize("screen", ["rules", "queues", "hours", "sla", "macros", "keywords"])
def test_the_screens_open(desk, screen):
    assert desk.get(reverse(f"routing_{screen}:index")).status_code == 200
    assert desk.get(reverse(f"routing_{screen}:add")).status_code == 200
