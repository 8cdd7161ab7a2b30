"""How the demo company works: queues, promises, channels, rules, macros and views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from crm.organisation.models import User
from inbox.models import Channel, SavedView, Template
from inbox.services import call_tokens, channel_setup
from portal.demo import calendars
from portal.demo.people import DOMAIN
from routing.models import Macro, Queue, QueueMember, Rule, SLAPolicy

CTI_TOKEN = "halden-telephone"  # noqa: S105 - printed at every start; the try-out listens on this machine only


@dataclass(frozen=True, slots=True)
class Office:
    """What the stories need to know of it."""

    mailbox: Channel
    form: Channel
    phone: Channel
    queues: dict[str, Queue]


def set_up(staff: dict[str, User], templates: dict[str, Template]) -> Office:
    """Make all of it."""
    queues = _queues(staff)
    office = _channels(queues, templates)
    _rules(staff, queues, templates)
    _macros(queues, staff)
    _views(queues)
    return office


def _queues(staff: dict[str, User]) -> dict[str, Queue]:
    year = timezone.now().year
    hamburg, shanghai = calendars.hamburg(year), calendars.shanghai(year)
    standard = SLAPolicy.objects.create(
        name="Standard", hours=hamburg, first_answer=360, next_answer=480, solution=2400
    )
    priority = SLAPolicy.objects.create(
        name="Service contract", hours=hamburg, first_answer=60, next_answer=120, solution=960, warn_percent=60
    )
    asia = SLAPolicy.objects.create(name="Shanghai", hours=shanghai, first_answer=360, next_answer=480, solution=1920)
    strategy = Queue.Strategy
    rows: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
        (
            "Service Europe",
            {"strategy": strategy.LEAST_BUSY, "hours": hamburg, "sla": standard, "colour": "#0f766e"},
            ("lena", "tom"),
        ),
        (
            "Service Asia 亚洲客服",
            {"strategy": strategy.ROUND_ROBIN, "hours": shanghai, "sla": asia, "colour": "#b45309"},
            ("mei", "chen"),
        ),
        (
            "Orders & Shipping",
            {"strategy": strategy.ROUND_ROBIN, "hours": hamburg, "sla": standard, "colour": "#4f46e5"},
            ("priya", "lena"),
        ),
        (
            "Workshop & Contracts",
            {"strategy": strategy.MANUAL, "hours": hamburg, "sla": priority, "colour": "#be123c"},
            ("tom", "lena", "mei", "chen"),
        ),
        # Open whenever somebody sits at the desk, so that whoever tries it out need not wait for the morning.
        (
            "Chat",
            {"strategy": strategy.LEAST_BUSY, "colour": "#be185d"},
            ("lena", "tom", "priya", "mei", "chen", "sabine"),
        ),
    )
    queues = {}
    for position, (name, fields, members) in enumerate(rows):
        queues[name] = Queue.objects.create(name=name, position=position, **fields)
        QueueMember.objects.bulk_create(QueueMember(queue=queues[name], user=staff[key]) for key in members)
    return queues


def _channels(queues: dict[str, Queue], templates: dict[str, Template]) -> Office:
    mailbox = Channel.objects.create(
        name="Support mailbox",
        kind="email",
        address=f"support@{DOMAIN}",
        aliases=[f"hello@{DOMAIN}", "support@example.com"],
        display_name="Halden Support",
        queue=queues["Service Europe"],
        acknowledge=templates["Acknowledgement"],
    )
    Channel.objects.create(
        name="Orders mailbox",
        kind="email",
        address=f"orders@{DOMAIN}",
        display_name="Halden Orders",
        queue=queues["Orders & Shipping"],
        acknowledge=templates["Acknowledgement"],
    )
    form = Channel.objects.create(
        name="Form on the portal",
        kind="webform",
        queue=queues["Service Europe"],
        acknowledge=templates["Acknowledgement"],
        settings={"guests": True, "topics": "Coffee machines\nOvens\nOrders and invoices\nSomething else"},
    )
    chat = Channel(name="Chat in the shop", kind="chat", queue=queues["Chat"])
    channel_setup.save_channel(chat, _chat(), {}, by=None)
    phone = Channel.objects.create(
        name="Telephone",
        kind="phone",
        address="+4940555100",
        queue=queues["Service Europe"],
        settings={
            "region": "DE",
            "queues": "+862155501000 = Service Asia 亚洲客服\norders = Orders & Shipping",
            "callback_minutes": 60,
            "callback_slot": 15,
            "callback_parallel": 2,
            "recording_hosts": "recordings.halden.example",
        },
    )
    call_tokens.renew(phone, CTI_TOKEN)
    return Office(mailbox, form, phone, queues)


def _chat() -> dict[str, Any]:
    """Its settings: it may stand on this site alone, under each of the names that one types for it."""
    own = settings.BASE_URL
    origins = dict.fromkeys((own, own.replace("127.0.0.1", "localhost"), own.replace("localhost", "127.0.0.1")))
    return {
        "key": "HaldenShop",
        "origins": "\n".join(origins),
        "colour": "#8f2f1f",
        "position": "right",
        "theme": "auto",
        "files": True,
        "rating": True,
        "transcript": True,
        "title_en": "Halden",
        "title_zh_hans": "Halden 客服",
        "title_zh_hant": "Halden 客服",
        "welcome_en": "Good day! What can we do for you?",
        "welcome_zh_hans": "您好！请问有什么可以帮您？",
        "welcome_zh_hant": "您好！請問有什麼可以為您服務的嗎？",
    }


def _when(fact: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"fact": fact, "operator": operator, "value": value}


def _all(*items: dict[str, Any]) -> dict[str, Any]:
    return {"match": "all", "items": list(items)}


def _any(*items: dict[str, Any]) -> dict[str, Any]:
    return {"match": "any", "items": list(items)}


def _rules(staff: dict[str, User], queues: dict[str, Queue], templates: dict[str, Template]) -> None:
    queue = {name: str(row.pk) for name, row in queues.items()}
    asia = _when("language", "one_of", ["zh-hans", "zh-hant", "ja"])
    first = _when("is_first_message", "yes")
    chinese = ["China", "Taiwan", "Hong Kong", "Japan", "Singapore"]
    received, opened = Rule.Event.MESSAGE_RECEIVED, Rule.Event.TICKET_OPENED
    rows: tuple[tuple[str, str, dict[str, Any], list[dict[str, Any]]], ...] = (
        (
            "Chinese and Japanese go to Shanghai",
            received,
            _all(first, _any(asia, _when("customer_region", "one_of", chinese))),
            [{"action": "set_queue", "queue": queue["Service Asia 亚洲客服"]}],
        ),
        (
            "Service contracts and VIPs first",
            received,
            _all(
                first,
                _any(_when("contact_tags", "one_of", ["service contract"]), _when("customer_level", "is", "vip")),
            ),
            [
                {"action": "set_priority", "priority": "3"},
                {"action": "add_tags", "tags": ["vip"]},
            ],
        ),
        (
            "Orders and invoices in Europe",
            received,
            _all(
                first,
                _when("intents", "one_of", ["order", "invoice"]),
                _when("queue", "is", "Service Europe"),
            ),
            [{"action": "set_queue", "queue": queue["Orders & Shipping"]}],
        ),
        (
            "An order number is in the text",
            received,
            _all(_when("order_numbers", "set")),
            [{"action": "add_tags", "tags": ["order"]}],
        ),
        (
            "Complaints are urgent and the supervisor knows",
            received,
            _all(_when("intents", "one_of", ["complaint"])),
            [
                {"action": "add_tags", "tags": ["complaint"]},
                {"action": "set_priority", "priority": "4"},
                {"action": "notify", "whom": "supervisor", "text": "A complaint came in"},
            ],
        ),
        (
            "Somebody says that it is urgent",
            received,
            _all(first, _when("intents", "one_of", ["urgent"]), _when("priority", "less", "3")),
            [{"action": "set_priority", "priority": "3"}],
        ),
        (
            "Error codes for the workshop",
            received,
            _all(first, _any(_when("subject", "matches", r"\b[EF]\d{1,2}\b"), _when("body", "matches", r"\bE\d{2}\b"))),
            [
                {"action": "set_queue", "queue": queue["Workshop & Contracts"]},
                {"action": "add_tags", "tags": ["error code"]},
            ],
        ),
        (
            "Suppliers need no acknowledgement",
            received,
            _all(_when("sender_domain", "one_of", ["delta-dichtungen.example", "elbe-logistik.example"])),
            [
                {"action": "set_queue", "queue": queue["Orders & Shipping"]},
                {"action": "set_priority", "priority": "1"},
                {"action": "add_tags", "tags": ["supplier"]},
            ],
        ),
        (
            "Newsletters and machines",
            received,
            _all(first, _when("automatic", "yes")),
            [{"action": "set_priority", "priority": "1"}, {"action": "add_tags", "tags": ["automatic"]}],
        ),
        (
            "Outside business hours",
            opened,
            _all(_when("in_business_hours", "no"), _when("channel", "is", "Support mailbox")),
            [{"action": "auto_answer", "template": str(templates["Outside business hours"].pk)}],
        ),
        (
            "Sender check failed",
            opened,
            _all(_when("auth_dmarc", "is", "fail")),
            [
                {"action": "add_tags", "tags": ["check sender"]},
                {"action": "add_note", "text": "The sender's domain says that this mail is not from there."},
            ],
        ),
        (
            "A bad rating comes back to the supervisor",
            Rule.Event.TICKET_CHANGED,
            _all(_when("changed_fields", "one_of", ["rated"]), _when("tags", "none_of", ["second look"])),
            [{"action": "notify", "whom": "supervisor", "text": "A customer rated us"}],
        ),
        (
            "Resolved and quiet for three days: close",
            Rule.Event.TICKET_IDLE,
            _all(_when("status", "is", "resolved")),
            [{"action": "set_status", "status": "closed"}],
        ),
        (
            "A visitor of the chat waits for three minutes",
            Rule.Event.TICKET_WAITING,
            _all(_when("origin", "is", "chat")),
            [
                {"action": "set_priority", "priority": "3"},
                {"action": "notify", "whom": "queue", "text": "A visitor of the chat waits"},
            ],
        ),
        (
            "A promise is missed",
            Rule.Event.TICKET_ESCALATED,
            _all(_when("sla_level", "is", "breach")),
            [
                {"action": "add_tags", "tags": ["late"]},
                {"action": "notify", "whom": "queue", "text": "A promised time was missed"},
            ],
        ),
    )
    for position, (name, event, conditions, actions) in enumerate(rows):
        idle = {Rule.Event.TICKET_IDLE: 3 * 24 * 60, Rule.Event.TICKET_WAITING: 3}.get(Rule.Event(event))
        rule = Rule(
            name=name, event=event, position=position * 10, conditions=conditions, actions=actions, idle_minutes=idle
        )
        rule.full_clean()
        rule.save()


def _macros(queues: dict[str, Queue], staff: dict[str, User]) -> None:
    rows: tuple[tuple[str, list[dict[str, Any]]], ...] = (
        (
            "To the workshop, today",
            [
                {"action": "set_queue", "queue": str(queues["Workshop & Contracts"].pk)},
                {"action": "set_priority", "priority": "4"},
                {"action": "add_tags", "tags": ["today"]},
            ],
        ),
        ("Waiting for the serial number", [{"action": "set_status", "status": "pending"}]),
        ("Done, thank you", [{"action": "set_status", "status": "resolved"}]),
        (
            "Warranty case",
            [{"action": "add_tags", "tags": ["warranty"]}, {"action": "assign", "user": str(staff["tom"].pk)}],
        ),
    )
    for position, (name, actions) in enumerate(rows):
        Macro.objects.create(name=name, position=position, actions=actions)


def _views(queues: dict[str, Queue]) -> None:
    rows = (
        ("Complaints", {"tag": ["complaint"], "status": ["new", "open", "pending"]}),
        ("Urgent, unassigned", {"priority": ["4"], "assignee": ["none"], "status": ["new", "open"]}),
        ("Due today", {"due": ["day"]}),
        ("Asia waiting", {"queue": [str(queues["Service Asia 亚洲客服"].pk)], "status": ["new", "open"]}),
    )
    SavedView.objects.bulk_create(
        SavedView(name=name, filters=filters, position=position) for position, (name, filters) in enumerate(rows)
    )
