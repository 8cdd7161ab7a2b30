"""Business hours of the two offices, with the holidays of this year and the next."""

from __future__ import annotations

from datetime import date, time, timedelta

from routing.models import BusinessHours, Holiday, Shift

SPRING_FESTIVAL = {2026: date(2026, 2, 17), 2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13)}


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * el) // 433
    month = (h + el - 7 * m + 90) // 25
    return date(year, month, (h + el - 7 * m + 33 * month + 19) % 32)


def hamburg(this_year: int) -> BusinessHours:
    """Mornings and afternoons, Friday until two."""
    hours = BusinessHours.objects.create(name="Hamburg", time_zone="Europe/Berlin")
    shifts = [(day, part) for day in range(4) for part in (("08:00", "12:30"), ("13:15", "17:30"))]
    _shifts(hours, [*shifts, (4, ("08:00", "14:00"))])
    days: dict[date, str] = {}
    for year in (this_year, this_year + 1):
        sunday = easter(year)
        days |= {
            date(year, 1, 1): "Neujahr",
            sunday - timedelta(2): "Karfreitag",
            sunday + timedelta(1): "Ostermontag",
            date(year, 5, 1): "Tag der Arbeit",
            sunday + timedelta(39): "Christi Himmelfahrt",
            sunday + timedelta(50): "Pfingstmontag",
            date(year, 10, 3): "Tag der Deutschen Einheit",
            date(year, 10, 31): "Reformationstag",
            date(year, 12, 25): "1. Weihnachtstag",
            date(year, 12, 26): "2. Weihnachtstag",
        }
    Holiday.objects.bulk_create(Holiday(hours=hours, day=day, name=name) for day, name in days.items())
    christmas = [
        Holiday(hours=hours, day=date(year, 12, 24), name="Heiligabend", opens=time(8), closes=time(12))
        for year in (this_year, this_year + 1)
    ]
    Holiday.objects.bulk_create(christmas)
    return hours


def shanghai(this_year: int) -> BusinessHours:
    """Mornings and afternoons; a weekend is worked before the Spring Festival, as is the custom."""
    hours = BusinessHours.objects.create(name="Shanghai", time_zone="Asia/Shanghai")
    _shifts(hours, [(day, part) for day in range(5) for part in (("09:00", "12:00"), ("13:30", "18:00"))])
    rows: list[Holiday] = []
    for year in (this_year, this_year + 1):
        rows.append(Holiday(hours=hours, day=date(year, 1, 1), name="元旦"))
        rows += [Holiday(hours=hours, day=date(year, 5, day), name="劳动节") for day in (1, 2, 3)]
        rows += [Holiday(hours=hours, day=date(year, 10, day), name="国庆节") for day in range(1, 8)]
        if festival := SPRING_FESTIVAL.get(year):
            rows += [Holiday(hours=hours, day=festival + timedelta(n), name="春节") for n in range(-1, 6)]
            saturday = festival - timedelta(days=(festival.weekday() - 5) % 7 or 7)
            rows.append(
                Holiday(hours=hours, day=saturday - timedelta(7), name="春节调休", opens=time(9), closes=time(18))
            )
    Holiday.objects.bulk_create({row.day: row for row in rows}.values())
    return hours


def _shifts(hours: BusinessHours, parts: list[tuple[int, tuple[str, str]]]) -> None:
    Shift.objects.bulk_create(
        Shift(hours=hours, weekday=day, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))
        for day, (opens, closes) in parts
    )
