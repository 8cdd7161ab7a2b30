"""What colleagues of the demo company have to do: tasks, appointments, a call script and a running call list."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.customers import consent, identity
from crm.customers.models import Contact, ContactPoint
from crm.marketing import services as calls
from crm.marketing.models import CallList, CallScript, Outcome, ScriptStep, ScriptText
from crm.marketing.services import building
from crm.organisation.models import User
from crm.planning import services
from crm.planning.models import Appointment, Task
from crm.planning.services import NewAppointment, NewTask
from portal.demo.clock import Clock
from portal.demo.office import Office
from portal.demo.people import People
from routing import hours
from routing.models import BusinessHours

NUMBERS = {
    "moritz": "+494055501142",
    "karin": "+494055501143",
    "uwe": "+4943155501120",
    "leni": "+4315550130",
    "reto": "+41445550117",
    "claire": "+41445550118",
    "olivia": "+442079460112",
    "raj": "+442079460113",
    "nora": "+442079460114",
    "george": "+441632960115",
    "fiona": "+441414960116",
    "emma": "+441614960117",
    "wangli": "+862155550142",
}
"""Telephone numbers of people who are called or call back."""
ON_LIST = ("anna", "greta", "moritz", "uwe", "leni", "reto", "claire", "olivia", "raj", "george", "fiona", "emma")
SCRIPT = {
    "en": (
        "Good day, {{ contact.name }}, this is {{ agent.name }} of Halden. Your machine is due for its yearly "
        "service. Have you got two minutes?",
        (
            ("How many cups do you make on a busy day?", "Above 300: offer the half-yearly service."),
            ("Is there anything about the machine that bothers you?", "Note it word for word."),
            ("Which week would suit you for the technician?", "Not Mondays; he needs the machine for 90 minutes."),
        ),
        "Thank you. You will have the confirmation by mail today.",
    ),
    "zh-hans": (
        "{{ contact.name }}，您好，我是 Halden 的{{ agent.name }}。您的咖啡机该做年度保养了，现在方便说两分钟吗？",
        (
            ("忙的时候一天大约做多少杯？", "超过 300 杯：推荐半年保养。"),
            ("机器用着有什么不顺手的地方吗？", "按原话记录。"),
            ("哪一周方便安排工程师上门？", "周一除外，需要停机 90 分钟。"),
        ),
        "谢谢您，确认邮件今天会发给您。",
    ),
    "zh-hant": (
        "{{ contact.name }}，您好，我是 Halden 的{{ agent.name }}。您的咖啡機該做年度保養了，現在方便說兩分鐘嗎？",
        (
            ("忙的時候一天大約做多少杯？", "超過 300 杯：推薦半年保養。"),
            ("機器用起來有什麼不順手的地方嗎？", "照原話記錄。"),
            ("哪一週方便安排工程師到府？", "週一除外，需要停機 90 分鐘。"),
        ),
        "謝謝您，確認郵件今天會寄給您。",
    ),
}
CALLED = (
    (Outcome.AGREED, "Second week of next month, mornings. Steam wand drips a little."),
    (Outcome.NO_ANSWER, ""),
    (Outcome.TALKED, "Has a contract with the dealer until the end of the year; wants the price list."),
    (Outcome.REFUSED, "Asked not to be called again, mail is fine."),
)


def make(people: People, office: Office, clock: Clock, now: datetime) -> None:
    """All of it, at times before `now`."""
    for key, number in NUMBERS.items():
        ContactPoint.objects.get_or_create(
            kind=ContactPoint.Kind.PHONE,
            value=identity.normalise(ContactPoint.Kind.PHONE, number),
            defaults={"contact": people.customers[key].contact},
        )
    script = _script(people.staff["jonas"])
    _call_list(people, office, script, clock, now)
    clock.set(now - timedelta(days=1, hours=2))
    _tasks(people, office, now)
    _appointments(people, office, now)


def _tasks(people: People, office: Office, now: datetime) -> None:
    staff, europe = people.staff, office.queues["Service Europe"]
    lena, mei, sabine = staff["lena"], staff["mei"], staff["sabine"]
    rows = (
        (lena, "Call back: which grinder fits the new counter?", "call-back", "anna", _at(now, lena, -1, 15), 3, lena),
        (lena, "Send the descaling guide in German", "todo", "greta", _at(now, lena, 0, 17), 2, sabine),
        (lena, "Ask whether the new gasket holds", "follow-up", "moritz", _at(now, lena, 0, 18), 2, lena),
        (lena, "Renew the service contract", "follow-up", "greta", _at(now, lena, 9, 10), 2, sabine),
        (lena, "Read the manual of the new H5", "todo", None, None, 1, lena),
        (None, "Call back: missed call at lunch time", "call-back", "raj", _at(now, lena, 0, 16), 3, None),
        (mei, "回电：确认安装时间", "call-back", "wangli", _at(now, mei, 0, 17), 3, mei),
        (mei, "把新版价目表发给客户", "todo", "linyj", _at(now, mei, 1, 11), 2, sabine),
        (sabine, "Read the complaints of this week", "todo", None, _at(now, sabine, 0, 17), 2, sabine),
    )
    for assignee, title, kind, key, due_at, priority, by in rows:
        contact = people.customers[key].contact if key else None
        services.open_task(
            NewTask(
                title=title,
                kind=kind,
                assignee=assignee,
                queue=None if assignee else europe,
                contact=contact,
                phone=_phone(contact) if kind == Task.Kind.CALL_BACK else "",
                reference=_last_ticket(contact),
                due_at=due_at,
                priority=priority,
            ),
            by=by,
        )


def _appointments(people: People, office: Office, now: datetime) -> None:
    staff, customers = people.staff, people.customers
    anna, greta = customers["anna"].contact, customers["greta"].contact
    services.arrange(
        NewAppointment(
            "Talk about the second machine",
            _at(now, staff["lena"], 1, 10),
            queue=office.queues["Service Europe"],
            people=[staff["lena"]],
            contact=anna,
            phone=_phone(anna),
            source=Appointment.Source.PORTAL,
        ),
        by=None,
    )
    services.arrange(
        NewAppointment(
            "Yearly service of three machines",
            _at(now, staff["tom"], 3, 9),
            _at(now, staff["tom"], 3, 12),
            kind=Appointment.Kind.VISIT,
            people=[staff["tom"]],
            contact=greta,
            place="Seestraße 3, 83684 Tegernsee",
        ),
        by=staff["sabine"],
    )


def _script(by: User) -> CallScript:
    script = CallScript.objects.create(name="Yearly service", created_by=by)
    for language, (opening, steps, closing) in SCRIPT.items():
        ScriptText.objects.create(script=script, language=language, opening=opening, closing=closing)
        ScriptStep.objects.bulk_create(
            ScriptStep(script=script, language=language, position=place, question=question, hint=hint)
            for place, (question, hint) in enumerate(steps)
        )
    return script


def _call_list(people: People, office: Office, script: CallScript, clock: Clock, now: datetime) -> None:
    staff = people.staff
    calendar = office.queues["Service Europe"].hours
    if calendar is None:
        raise ValueError("the queue has no hours")
    clock.set(now - timedelta(days=12))
    row = CallList(
        name="Yearly service: café machines",
        purpose="Whoever bought a machine a year ago gets an offer for its service.",
        script=script,
        hours=calendar,
        max_tries=3,
        days_between=2,
    )
    calls.save_list(row, by=staff["jonas"], people=[staff["lena"], staff["priya"], staff["tom"]])
    building.add(row, [(c, _phone(c)) for c in (people.customers[key].contact for key in ON_LIST)])
    calls.set_state(row, CallList.State.RUNNING, by=staff["jonas"])
    moment = _open_hour(calendar, now)
    for number, (outcome, note) in enumerate(CALLED):
        clock.set(moment + timedelta(minutes=7 * number))
        by = staff[("lena", "priya")[number % 2]]
        if entry := calls.next_entry(row, by):
            calls.record(entry, outcome, by=by, note=note)
    consent.refuse_calls(_phone(people.customers["emma"].contact), by=staff["lena"], reason="prefers mail")


def _open_hour(calendar: BusinessHours, now: datetime) -> datetime:
    """The last morning, before today, on which people may be called in Hamburg and in London."""
    moment = (now - timedelta(days=1)).astimezone(ZoneInfo("Europe/Berlin")).replace(hour=11, minute=5)
    while not hours.is_open(hours.calendar(calendar), moment):
        moment -= timedelta(days=1)
    return moment


def _at(now: datetime, user: User, days: int, hour: int) -> datetime:
    """That hour by the colleague's clock, so many days from today."""
    local = now.astimezone(ZoneInfo(user.time_zone)) + timedelta(days=days)
    return local.replace(hour=hour, minute=0, second=0)


def _phone(contact: Contact | None) -> str:
    point = contact.points.filter(kind=ContactPoint.Kind.PHONE).first() if contact else None
    return point.value if point else ""


def _last_ticket(contact: Contact | None) -> str:
    ticket = contact.tickets.order_by("-pk").first() if contact else None
    return f"ticket:{ticket.pk}" if ticket else ""
