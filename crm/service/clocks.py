"""What time alone does to tickets. Each is safe to run twice, and catches up after any pause with one run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from crm.service import narrowing, promises, rules
from crm.service.changes import Change
from crm.service.models import Escalation, Ticket, TimedRule
from routing import engine
from routing.models import Rule
from routing.sla import Clock

BATCH = 100


def wake_snoozed() -> int:
    """Open the tickets whose time has come; how many."""
    done = 0
    due = Ticket.objects.filter(status=Ticket.Status.SNOOZED, snoozed_until__lte=timezone.now())
    while keys := list(due.order_by("snoozed_until").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            changes = Change.lock_all(keys)
            for work in changes:
                if work.ticket.status == Ticket.Status.SNOOZED:
                    work.set_status(Ticket.Status.OPEN, why="snooze-over")
            rules.run_changed(changes)
            Change.save_all(changes)
        done += len(keys)
    return done


def escalate() -> int:
    """Tell the rules, once each, of promises that are near or missed; how many were told.

    The constraint on Escalation makes it once per ticket, level and run of a clock, whatever is killed or runs twice.
    Most tickets that are late were told of before: they are read, and not locked.
    """
    told, last = 0, 0
    while rows := list(_near(timezone.now()).filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = rows[-1].pk
        known = _told(rows)
        keys = [row.pk for row in rows if _outdated(row) or any(_missed(row, known))]
        if keys:
            told += _escalate(keys)
    return told


def _near(now: datetime) -> QuerySet[Ticket]:
    near = Ticket.objects.filter(Q(warn_at__lte=now) | Q(due_at__lte=now, sla__isnull=False))
    # Many tickets wait in few queues: each queue is read once, and not with every ticket.
    return near.select_related("sla__hours").prefetch_related("queue__sla__hours", "queue__hours")


def _told(tickets: Iterable[Ticket]) -> set[tuple[int, str, str, datetime]]:
    keys = [ticket.pk for ticket in tickets]
    return set(Escalation.objects.filter(ticket__in=keys).values_list("ticket_id", "clock", "level", "since"))


def _outdated(ticket: Ticket) -> bool:
    """Whether its dates are no longer those that its queue's policy gives. Renews those of the object."""
    if ticket.warn_at is None:
        return False
    before = [getattr(ticket, name) for name in promises.DATES]
    promises.renew(ticket)
    return before != [getattr(ticket, name) for name in promises.DATES]


@transaction.atomic
def _escalate(keys: list[int]) -> int:
    changes = Change.lock_all(keys)
    known = _told([work.ticket for work in changes])
    fresh: list[Escalation] = []
    for work in changes:
        promises.renew(work.ticket)
        for clock, level in list(_missed(work.ticket, known)):
            fresh.append(
                Escalation(ticket=work.ticket, clock=clock.name, level=level, since=clock.start, due_at=clock.due)
            )
            work.record("escalated", new=level, why=clock.name)
            rules.run_event(work, Rule.Event.TICKET_ESCALATED, {"sla_clock": clock.name, "sla_level": level})
    Escalation.objects.bulk_create(fresh)
    rules.run_changed(changes)
    Change.save_all(changes)
    return len(fresh)


def _missed(ticket: Ticket, told: set[tuple[int, str, str, datetime]]) -> Iterator[tuple[Clock, str]]:
    """The promises that are near or missed and of which nobody was told."""
    now = timezone.now()
    for clock in promises.clocks(ticket):
        level = clock.level(now)
        if level and (ticket.pk, clock.name, level, clock.start) not in told:
            yield clock, level


def run_idle_rules() -> int:
    """Run the rules for tickets in which nothing has happened for the time each rule names; how many matched.

    A rule does its work once a stretch of idleness: that it did is kept, and activity after it starts a new stretch.
    """
    return _run_after(Rule.Event.TICKET_IDLE, "activity_at", Ticket.UNFINISHED)


def run_waiting_rules() -> int:
    """As `run_idle_rules`, for customers who have waited for an answer so long; an answer ends the stretch."""
    return _run_after(Rule.Event.TICKET_WAITING, "waiting_since", Ticket.WORKING)


def _run_after(event: Rule.Event, since: str, states: tuple[str, ...]) -> int:
    """The tickets that a rule has something to do for are locked; of the others few are read, see `_waiting_for`."""
    book = engine.load()
    matched, seen = 0, set[int]()
    for rule in book.of(event):
        last = 0
        found = _waiting_for(rule, since, states).order_by("pk")
        while keys := list(found.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
            last = keys[-1]
            wanted = _wanted(Change.look_at(set(keys) - seen), book, event, since, states)
            if wanted:
                seen.update(wanted)  # a rule that ends the others ends them for this turn
                matched += _run(list(wanted), book, event, since, states)
    return matched


@transaction.atomic
def _run(keys: list[int], book: engine.RuleBook, event: Rule.Event, since: str, states: tuple[str, ...]) -> int:
    changes = Change.lock_all(keys)
    left = _wanted(changes, book, event, since, states)
    done: list[TimedRule] = []
    for work in changes:
        if work.ticket.pk in left:
            run = book.run(event, "", _facts_after(work), work, without=left[work.ticket.pk])
            work.runs.append(run)
            done += [TimedRule(rule_id=m["rule"], ticket=work.ticket, at=run.at) for m in run.matched]
    TimedRule.objects.bulk_create(done, update_conflicts=True, unique_fields=["rule", "ticket"], update_fields=["at"])
    rules.run_changed(changes)
    Change.save_all(changes)
    return len({mark.ticket_id for mark in done})


def _states(rule: engine.CompiledRule, states: tuple[str, ...], event: str) -> tuple[str, ...]:
    """Resolved tickets are many: they are looked at for rules that name them."""
    named = f'"{Ticket.Status.RESOLVED.value}"' in json.dumps(rule.written)
    return (*states, Ticket.Status.RESOLVED) if named and event == Rule.Event.TICKET_IDLE else states


def _waiting_for(rule: engine.CompiledRule, since: str, states: tuple[str, ...]) -> QuerySet[Ticket]:
    """Tickets whose time has come for this rule, without those that cannot match or that it has done its work on."""
    limit = timezone.now() - timedelta(minutes=rule.idle_minutes or 0)
    found = Ticket.objects.filter(**{"status__in": _states(rule, states, rule.event), f"{since}__lte": limit})
    done = TimedRule.objects.filter(rule=rule.id, ticket=OuterRef("pk"), at__gte=OuterRef(since))
    return found.filter(narrowing.possible(rule.written)).exclude(Exists(done))


def _facts_after(work: Change) -> rules.Facts:
    idle = int((timezone.now() - work.ticket.activity_at).total_seconds() // 60)
    return rules.Facts(work, {"idle_minutes": idle})


def _wanted(
    changes: list[Change], book: engine.RuleBook, event: Rule.Event, since: str, states: tuple[str, ...]
) -> dict[int, set[int]]:
    """The tickets for which a rule has something to do, with the rules that have nothing to do there."""
    begins = {work.ticket.pk: getattr(work.ticket, since) for work in changes}
    apart: dict[int, set[int]] = {
        work.ticket.pk: {r.id for r in book.of(event) if r.id and work.ticket.status not in _states(r, states, event)}
        for work in changes
    }
    marks = TimedRule.objects.filter(ticket__in=begins, rule__event=event)
    for rule, ticket, at in marks.values_list("rule_id", "ticket_id", "at"):
        if begins[ticket] is not None and at >= begins[ticket]:
            apart[ticket].add(rule)
    return {
        work.ticket.pk: apart[work.ticket.pk]
        for work in changes
        if book.matching(event, _facts_after(work)) - apart[work.ticket.pk]
    }
