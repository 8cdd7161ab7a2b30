"""Calendars of the demo company, and tickets in bulk."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count

from crm.service.models import Ticket
from inbox.models import TicketWords
from portal.demo import bulk, calendars
from routing.models import Holiday


def test_calendars_have_split_days_and_a_working_weekend(db):
    hamburg, shanghai = calendars.hamburg(2026), calendars.shanghai(2026)
    assert hamburg.shifts.filter(weekday=0).count() == 2
    assert calendars.easter(2026).isoformat() == "2026-04-05"
    assert calendars.easter(2027).isoformat() == "2027-03-28"
    assert set(hamburg.holidays.filter(name="Karfreitag").values_list("day", flat=True)) == {
        calendars.easter(2026) - timedelta(2),
        calendars.easter(2027) - timedelta(2),
    }
    assert shanghai.holidays.filter(name="春节", day__year=2026).count() == 7
    working = Holiday.objects.get(hours=shanghai, name="春节调休", day__year=2026)
    assert working.day.weekday() == 5
    assert working.opens is not None


def test_many_tickets_at_once(db):
    assert list(bulk.make(300)) == [300]
    assert Ticket.objects.count() == 300
    assert TicketWords.objects.count() == 300
    working = Ticket.objects.filter(status__in=Ticket.WORKING).count()
    assert 6 <= working <= 33
    counts = Ticket.objects.annotate(said=Count("messages")).values_list("message_count", "said")
    assert all(told == said and 2 <= said <= 6 for told, said in counts)
    assert list(bulk.make(50, seed=8)) == [50]
    assert Ticket.objects.count() == 350
