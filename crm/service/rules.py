"""What tickets add to rules: facts to ask about, actions to take, and the running of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer, Region, Tag
from crm.organisation import access
from crm.organisation.models import User
from crm.organisation.roles import LABELS
from crm.organisation.services import notify
from crm.service.changes import Change, Effect
from crm.service.models import Ticket
from routing import assignment, engine, hours
from routing.models import Queue, QueueMember, Rule, RuleRun
from routing.registry import ActionKind, Fact, Parameter, register_action, register_fact

TICKET_FACTS: dict[str, Callable[[Change], Any]] = {
    "queue": lambda c: c.ticket.queue.name,
    "status": lambda c: c.ticket.status,
    "priority": lambda c: c.ticket.priority,
    "tags": lambda c: sorted(c.tags),
    "assigned": lambda c: c.ticket.assignee_id is not None,
    "assignee": lambda c: c.ticket.assignee.email if c.ticket.assignee else "",
    "subject": lambda c: c.ticket.subject,
    "language": lambda c: c.ticket.language,
    "customer_level": lambda c: c.ticket.contact.customer.level if c.ticket.contact.customer else "",
    "customer_status": lambda c: c.ticket.contact.customer.status if c.ticket.contact.customer else "",
    "customer_region": lambda c: _region(c),
    "contact_tags": lambda c: [tag.name for tag in c.ticket.contact.tags.all()] if c.ticket.contact_id else [],
    "in_business_hours": lambda c: hours.is_open(hours.calendar(c.ticket.queue.hours), timezone.now()),
    "changed_fields": lambda c: sorted(c.changed_fields),
    "origin": lambda c: c.ticket.origin,
    "waiting_minutes": lambda c: _minutes_since(c.ticket.waiting_since),
}

CUSTOMER_FACTS = frozenset({"customer_level", "customer_status", "customer_region", "contact_tags"})


def _minutes_since(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, int((timezone.now() - moment).total_seconds() // 60))


def _region(change: Change) -> str:
    customer = change.ticket.contact.customer
    return customer.region.name if customer and customer.region else ""


class Facts(Mapping[str, Any]):
    """What rules may ask about one change. Ticket facts are read anew: an earlier rule may have changed them."""

    def __init__(self, change: Change, more: Mapping[str, Any]) -> None:
        self._change, self._more = change, more

    def __getitem__(self, name: str) -> Any:
        if name in self._more:
            return self._more[name]
        return TICKET_FACTS[name](self._change)

    def __iter__(self) -> Iterator[str]:
        return iter({**TICKET_FACTS, **self._more})

    def __len__(self) -> int:
        return len({**TICKET_FACTS, **self._more})


def run_event(
    change: Change,
    event: str,
    more: Mapping[str, Any] | None = None,
    *,
    book: engine.RuleBook | None = None,
    depth: int = 0,
    without: Collection[int] = (),
    again: Collection[int] = (),
    told: Collection[int] = (),
) -> RuleRun:
    """Put one event to the rules; what they did is in `change`, and the run is kept with it."""
    book = book or engine.load()
    run = book.run(event, "", Facts(change, more or {}), change, depth, without=without, again=again, told=told)
    change.runs.append(run)
    return run


def run_changed(changes: Sequence[Change], book: engine.RuleBook | None = None) -> None:
    """Put what changed to the rules for changed tickets, and what these change again.

    The engine pauses rules that still find something to change at its greatest depth, and did before: they go round in
    circles. One that is reached there for the first time is innocent, and does its work.
    """
    book = book or engine.load()
    if not book.of(Rule.Event.TICKET_CHANGED):
        return
    for change in changes:
        depth, did, told = 0, Counter[int](), set[int]()
        while change.changed_fields and depth <= engine.MAX_DEPTH:
            fields = sorted(change.changed_fields)
            change.changed_fields.clear()
            again = [rule for rule, times in did.items() if times > 1]
            more, known = {"changed_fields": fields}, len(change.events)
            run = run_event(change, Rule.Event.TICKET_CHANGED, more, book=book, depth=depth, again=again, told=told)
            # The history names each rule that changed something: to say the same once more is no change.
            actors = {event.actor_name for event in change.events[known:]}
            did.update(match["rule"] for match in run.matched if f"rule: {match['name']}"[:200] in actors)
            told.update(match["rule"] for match in run.matched)
            depth += 1


class Board:
    """Who has how much to do, read once under lock and kept up in memory for the rest of the transaction."""

    def __init__(self) -> None:
        self._people: dict[int, User] = {}
        self._load: dict[int, int] = {}
        self._last: dict[int, dict[int, datetime | None]] = {}

    def choose(self, strategy: str, queue: Queue, without: int | None = None) -> User | None:
        """Who gets the next ticket of this queue; None when nobody has room. The person `without` gets nothing."""
        if queue.pk not in self._last:
            self._read(queue)
        last = self._last[queue.pk]
        chosen = assignment.choose(
            strategy,
            [
                assignment.Candidate(
                    user_id=key,
                    load=self._load[key],
                    capacity=self._capacity(self._people[key]),
                    last_assigned_at=last[key],
                    available=self._people[key].is_available,
                )
                for key in last
                if key != without
            ],
        )
        if chosen is None:
            return None
        last[chosen] = timezone.now()
        self._load[chosen] += 1
        QueueMember.objects.filter(queue=queue, user_id=chosen).update(last_assigned_at=last[chosen])
        return self._people[chosen]

    def _read(self, queue: Queue) -> None:
        self._last[queue.pk] = dict(self._members(queue).values_list("user_id", "last_assigned_at"))
        # The people are locked, not the queue: somebody may work two queues, and his capacity is one.
        people = User.objects.select_for_update(no_key=True).filter(pk__in=self._last[queue.pk]).order_by("pk")
        fresh = {user.pk: user for user in people if user.pk not in self._people}
        self._people.update(fresh)
        self._load.update(dict.fromkeys(fresh, 0))
        self._load.update(self.loads(fresh))

    def _members(self, queue: Queue) -> models.QuerySet[QueueMember]:
        return QueueMember.objects.filter(queue=queue, user__is_active=True)

    def loads(self, people: Iterable[int]) -> dict[int, int]:
        """How much each of these people has to do; whoever has nothing is missing."""
        busy = Ticket.objects.filter(assignee_id__in=list(people), status__in=Ticket.WORKING)
        return dict(busy.order_by().values_list("assignee_id").annotate(models.Count("pk")))

    def _capacity(self, user: User) -> int:
        return user.capacity


def queues_with_room() -> set[int]:
    """Queues that give tickets out by themselves and in which somebody can take one now."""
    members = QueueMember.objects.filter(queue__active=True, user__is_active=True, user__is_available=True)
    rows = list(
        members.exclude(queue__strategy=Queue.Strategy.MANUAL).values_list("queue_id", "user_id", "user__capacity")
    )
    busy = Board().loads({user for _queue, user, _capacity in rows})
    return {queue for queue, user, capacity in rows if busy.get(user, 0) < capacity}


def assign_by_strategy(change: Change, strategy: str, why: str = "", without: int | None = None) -> User | None:
    """Give the ticket to whom the strategy chooses, but not to `without`; None, and no change, when nobody has room."""
    if change.ticket.assignee_id is not None:
        return change.ticket.assignee
    change.board = change.board or Board()
    user = change.board.choose(strategy, change.ticket.queue, without)
    if user is not None:
        change.assign(user, why)
    return user


def _set_queue(change: Change, values: Mapping[str, Any], rule: str) -> str:
    queue = Queue.objects.select_related("sla__hours", "hours").get(pk=values["queue"])
    with change.acting_by(rule):
        change.move(queue)
    return str(queue)


def _assign(change: Change, values: Mapping[str, Any], rule: str) -> str:
    user = User.objects.get(pk=values["user"], is_active=True)
    with change.acting_by(rule):
        change.assign(user)
    return str(user)


NOBODY = gettext_noop("nobody has room")


def _assign_by(change: Change, values: Mapping[str, Any], rule: str) -> str:
    with change.acting_by(rule):
        user = assign_by_strategy(change, values["strategy"])
    return str(user) if user else NOBODY


def _set_priority(change: Change, values: Mapping[str, Any], rule: str) -> str:
    with change.acting_by(rule):
        change.set_priority(int(values["priority"]))
    return str(change.ticket.priority)


def _add_tags(change: Change, values: Mapping[str, Any], rule: str) -> str:
    names = list(values["tags"])
    with change.acting_by(rule):
        change.add_tags(names)
    return ", ".join(names)


def _remove_tags(change: Change, values: Mapping[str, Any], rule: str) -> str:
    names = list(values["tags"])
    with change.acting_by(rule):
        change.remove_tags(names)
    return ", ".join(names)


def _set_status(change: Change, values: Mapping[str, Any], rule: str) -> str:
    with change.acting_by(rule):
        change.set_status(values["status"])
    return change.ticket.status


_RECIPIENTS = (("assignee", _("the assignee")), ("queue", _("everybody in the queue")), *LABELS.items())


def _notify(change: Change, values: Mapping[str, Any], rule: str) -> str:
    whom = str(values["whom"])
    change.after(Notice(text=str(values.get("text") or rule), whom=whom))
    return whom


class Notice(Effect):
    """Tell colleagues of a ticket, once it is saved: its assignee, its queue's people, or a role."""

    def __init__(self, text: str, whom: str) -> None:
        self.text, self.whom = text, whom

    @classmethod
    def write(cls, items: list[tuple[Change, Notice]]) -> None:
        """Leave the notifications; whoever may not see the ticket gets none (S-37)."""
        for change, notice in items:
            ticket = change.ticket
            people = [u for u in cls._people(ticket, notice.whom) if Ticket.objects.visible_to(u).filter(pk=ticket.pk)]
            notify(people, f"#{ticket.number} {notice.text}", url=f"/desk/inbox/{ticket.number}/")

    @staticmethod
    def _people(ticket: Ticket, whom: str) -> Iterable[User]:
        if whom == "assignee":
            return [ticket.assignee] if ticket.assignee else []
        if whom == "queue":
            return User.objects.filter(queue_memberships__queue=ticket.queue, is_active=True)
        return User.objects.filter(groups__name=whom, is_active=True)


def _choices(model: Any, value: str = "pk") -> Callable[[], list[tuple[str, str]]]:
    return lambda: [(str(getattr(row, value)), str(row)) for row in model.objects.order_by("name")]


def _priorities() -> list[tuple[str, Any]]:
    return [(str(value), label) for value, label in Ticket.Priority.choices]


def _people() -> list[tuple[str, str]]:
    return [(str(u.pk), str(u)) for u in User.objects.filter(is_staff=True, is_active=True) if access.works_tickets(u)]


def register() -> None:
    """Say to the engine what tickets have. Called once at start."""
    level = Customer.Level.choices
    escalated = frozenset({Rule.Event.TICKET_ESCALATED.value})
    for fact in (
        Fact("queue", _("queue"), "choice", lambda: [(q.name, q.name) for q in Queue.objects.all()]),
        Fact("status", _("status"), "choice", lambda: Ticket.Status.choices),
        Fact("priority", _("priority"), "number", _priorities),
        Fact("tags", _("tags"), "set", _choices(Tag, "name")),
        Fact("assigned", _("is assigned"), "flag"),
        Fact(
            "assignee", _("assignee"), "choice", lambda: [(u.email, str(u)) for u in User.objects.filter(is_staff=True)]
        ),
        Fact("customer_level", _("customer’s level"), "choice", lambda: level),
        Fact("customer_status", _("customer’s status"), "choice", lambda: Customer.Status.choices),
        Fact("customer_region", _("customer’s region"), "choice", _choices(Region, "name")),
        Fact("contact_tags", _("contact’s tags"), "set", _choices(Tag, "name")),
        Fact("in_business_hours", _("within business hours"), "flag"),
        Fact(
            "changed_fields",
            _("what was changed"),
            "set",
            lambda: [
                ("status", _("status")),
                ("assignee", _("assignee")),
                ("queue", _("queue")),
                ("priority", _("priority")),
                ("tags", _("tags")),
                ("subject", _("subject")),
                ("rated", _("rating")),
                ("reopened", _("reopened")),
            ],
        ),
        Fact("idle_minutes", _("minutes without activity"), "number", events=frozenset({Rule.Event.TICKET_IDLE.value})),
        Fact("waiting_minutes", _("minutes the customer has waited for an answer"), "number"),
        Fact(
            "sla_clock",
            _("promise"),
            "choice",
            lambda: [
                ("first", _("first answer")),
                ("next", _("next answer")),
                ("solution", _("solution")),
            ],
            events=escalated,
        ),
        Fact(
            "sla_level",
            _("promise is"),
            "choice",
            lambda: [("warning", _("nearly due")), ("breach", _("missed"))],
            events=escalated,
        ),
    ):
        register_fact(replace(fact, group=_("Customer") if fact.name in CUSTOMER_FACTS else _("Ticket")))
    statuses = [c for c in Ticket.Status.choices if c[0] not in (Ticket.Status.MERGED, Ticket.Status.SNOOZED)]
    strategies = [c for c in Queue.Strategy.choices if c[0] != Queue.Strategy.MANUAL]
    for action in (
        ActionKind(
            "set_queue", _("put in queue"), (Parameter("queue", _("queue"), "choice", _choices(Queue)),), _set_queue
        ),
        ActionKind("assign", _("assign to"), (Parameter("user", _("person"), "choice", _people),), _assign),
        ActionKind(
            "assign_by",
            _("assign by"),
            (Parameter("strategy", _("way"), "choice", lambda: strategies),),
            _assign_by,
            told=lambda who: gettext(who) if who == NOBODY else who,
        ),
        ActionKind(
            "set_priority",
            _("set priority"),
            (Parameter("priority", _("priority"), "choice", _priorities),),
            _set_priority,
            told=lambda value: dict(_priorities()).get(value, value),
        ),
        ActionKind("add_tags", _("add tags"), (Parameter("tags", _("tags"), "tags"),), _add_tags),
        ActionKind("remove_tags", _("remove tags"), (Parameter("tags", _("tags"), "tags"),), _remove_tags),
        ActionKind(
            "set_status",
            _("set status"),
            (Parameter("status", _("status"), "choice", lambda: statuses),),
            _set_status,
            told=lambda value: dict(Ticket.Status.choices).get(value, value),
        ),
        ActionKind(
            "notify",
            _("notify"),
            (
                Parameter("whom", _("whom"), "choice", lambda: _RECIPIENTS),
                Parameter("text", _("text"), "text", required=False),
            ),
            _notify,
            changes=False,
            told=lambda whom: gettext("notified: %(whom)s") % {"whom": dict(_RECIPIENTS).get(whom, whom)},
        ),
    ):
        register_action(action)
