"""The telephone of the demo company: four weeks of calls, a visit, a letter, and two who wait to be called back."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from crm.customers.models import ContactPoint
from crm.service import services
from crm.service.models import Ticket
from inbox.channels.phone.events import Event
from inbox.models import Call
from inbox.services import call_log, calls, processing
from portal.demo.clock import Clock
from portal.demo.files import file
from portal.demo.history import Step
from portal.demo.office import Office
from portal.demo.people import People

HAMBURG, SHANGHAI = "+4940555100", "+862155501000"


@dataclass(frozen=True, slots=True)
class Told:
    """One call: whose, days and wall-clock time ago, who answered (empty: nobody), what came of it."""

    person: str
    days: int
    at: str
    agent: str
    seconds: int
    note: str = ""
    outcome: str = ""
    out: bool = False


CALLS = (
    Told("anna", 6, "10:12", "lena", 272, "Descaling light stays on after the programme. Sent the guide.", "solved"),
    Told("greta", 5, "15:40", "tom", 388, "Agreed on Tuesday for the steam valve of machine 2.", "informed", out=True),
    Told("wangli", 4, "09:26", "mei", 316, "询问备件交期，已说明下周到货。", "informed"),
    Told("olivia", 3, "11:05", "priya", 194, "Wants the invoice split by café. Told her it goes out today.", "order"),
    Told("bernd", 3, "14:31", "", 41),
    Told(
        "bernd",
        3,
        "15:02",
        "lena",
        143,
        "Called back: it was the wrong filter. A new one is sent.",
        "solved",
        out=True,
    ),
    Told("linyj", 2, "10:48", "chen", 205, "想更改送貨地址，已更新訂單。", "solved"),
    Told(
        "anna",
        1,
        "16:20",
        "lena",
        96,
        "Does the new grinder fit under the counter? Sends measures.",
        "informed",
    ),
    Told("greta", 0, "08:52", "", 38),
)
USUAL = 34
"""Further calls, so that the statistics have something to show."""


def steps(rooms: Office, people: People, watch: Clock, now: datetime) -> list[Step]:
    """All of them, each with its time."""
    chance = random.Random(4)
    found = [*((told, _moment(told, now)) for told in CALLS), *_usual(people, chance, now)]
    told_at = sorted((row for row in found if row[1] < now), key=lambda row: row[1])
    made: list[Step] = [
        (at, partial(_call, rooms, people, watch, told, at, f"pbx-{number + 1:05}", chance))
        for number, (told, at) in enumerate(told_at)
    ]
    return [*made, *_by_hand(rooms, people, now)]


def _moment(told: Told, now: datetime) -> datetime:
    """At that wall-clock time in Hamburg, on a working day."""
    zone = ZoneInfo("Europe/Berlin")
    day = now.astimezone(zone).date() - timedelta(days=told.days)
    while told.days and day.weekday() > 4:
        day -= timedelta(days=1)
    at = datetime.combine(day, time.fromisoformat(told.at), zone)
    # The one of today is always an hour old, whenever the demo is made.
    return at if told.days else now - timedelta(minutes=55)


def _usual(people: People, chance: random.Random, now: datetime) -> list[tuple[Told, datetime]]:
    reached = [key for key, person in people.customers.items() if person.contact.points.filter(kind="phone").exists()]
    team = ["lena", "lena", "tom", "priya", "mei"]
    rows = []
    for _number in range(USUAL):
        agent = "" if chance.random() < 0.2 else chance.choice(team)
        hour = min(17, max(8, round(chance.gauss(11.5, 2.4))))
        told = Told(
            chance.choice(reached),
            chance.randint(7, 27),
            f"{hour:02}:{chance.randint(0, 59):02}",
            agent,
            chance.randint(40, 620) if agent else chance.randint(12, 70),
            out=bool(agent) and chance.random() < 0.25,
        )
        rows.append((told, _moment(told, now)))
    return rows


def _call(
    rooms: Office, people: People, watch: Clock, told: Told, at: datetime, key: str, chance: random.Random
) -> None:
    contact = people.customers[told.person].contact
    number = contact.points.filter(kind=ContactPoint.Kind.PHONE).values_list("value", flat=True).first()
    if not number:
        return
    asia = number.startswith(("+86", "+886"))
    ours = SHANGHAI if asia else HAMBURG
    agent = people.staff.get(told.agent)
    usual = Event(event="newCall", call_id=key, from_=number, to=ours, direction="in")
    if told.out and agent:
        usual = replace(usual, from_=agent.extension, to=number, direction="out")

    def tell(event: str, answering: str = "", cause: str = "") -> Call:
        return calls.report(rooms.phone, replace(usual, event=event, answering=answering, cause=cause))

    watch.set(at)
    tell("newCall")
    if agent:
        watch.set(at + timedelta(seconds=chance.randint(4, 22)))
        tell("answer", answering=agent.extension)
        watch.set(at + timedelta(seconds=30 + told.seconds))
    else:
        watch.set(at + timedelta(seconds=told.seconds))
    if told.note and agent:
        call_log.annotate(Call.objects.get(call_id=key), note=told.note, outcome=told.outcome, by=agent)
    call = tell("hangup", cause="normalClearing" if agent else "cancel")
    processing.process_waiting()
    call.refresh_from_db()
    if call.ticket and (agent or told.days > 3) and not call.ticket.is_finished:
        services.set_status(call.ticket, Ticket.Status.RESOLVED, by=agent)


def _by_hand(rooms: Office, people: People, now: datetime) -> list[Step]:
    """What nobody telephoned: a visit at the counter, and a letter with its scan."""
    visit = call_log.Entry(
        kind=Call.Kind.VISIT,
        direction=Call.Direction.IN,
        contact=people.customers["olivia"].contact,
        outcome="order",
        note="Came to the showroom with two of her people. Wants a quote for three twin-boiler machines.",
    )
    letter = call_log.Entry(
        kind=Call.Kind.LETTER,
        direction=Call.Direction.IN,
        contact=people.customers["karin"].contact,
        note="A reminder about the credit note of last month, by registered post. The scan is attached.",
        files=(file("letter.pdf"),),
    )
    rows = (
        (timedelta(days=2, hours=3), visit, "demo-visit", "priya"),
        (timedelta(days=1, hours=4), letter, "demo-letter", "lena"),
    )
    return [
        (now - ago, partial(call_log.log, rooms.phone, entry, key=key, by=people.staff[who]))
        for ago, entry, key, who in rows
    ]
