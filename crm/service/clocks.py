"""What time alone does to tickets. Each is safe to run twice, and catches up after any pause with one run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Escalation, Ticket
from routing import engine, hours, sla
from routing.models import Rule, RuleRun

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

    The constraint on Escalation makes it once per ticket, clock, level and due date, whatever is killed or runs twice.
    """
    told = 0
    soon = timezone.now() + timedelta(days=3)
    last = 0
    while keys := list(
        Ticket.objects.filter(due_at__lte=soon, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        last = keys[-1]
        with transaction.atomic():
            changes = Change.lock_all(keys)
            told_before = set(
                Escalation.objects.filter(ticket_id__in=keys).values_list("ticket_id", "clock", "level", "due_at")
            )
            fresh: list[Escalation] = []
            for work in changes:
                for clock, level, due_at in _missed(work.ticket, timezone.now()):
                    if (work.ticket.pk, clock, level, due_at) not in told_before:
                        fresh.append(Escalation(ticket=work.ticket, clock=clock, level=level, due_at=due_at))
                        work.record("escalated", new=level, why=clock)
                        rules.run_event(work, Rule.Event.TICKET_ESCALATED, {"sla_clock": clock, "sla_level": level})
            Escalation.objects.bulk_create(fresh)
            rules.run_changed(changes)
            Change.save_all(changes)
        told += len(fresh)
    return told


def _missed(ticket: Ticket, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    if ticket.sla is None:
        return
    calendar = hours.calendar(ticket.sla.hours or ticket.queue.hours)
    for clock in sla.clocks(
        ticket.sla,
        calendar,
        opened_at=ticket.opened_at,
        waiting_since=ticket.waiting_since,
        first_answered_at=ticket.first_answered_at,
        resolved_at=ticket.resolved_at,
    ):
        if level := clock.level(now):
            yield clock.name, level, clock.due


def run_idle_rules() -> int:
    """Run the rules for tickets in which nothing has happened for the time each rule names; how many matched.

    A rule does its work once a stretch of idleness: its run is kept, and activity after it starts a new stretch.
    """
    book = engine.load()
    waits = [rule.idle_minutes or 0 for rule in book.of(Rule.Event.TICKET_IDLE)]
    if not waits:
        return 0
    matched, last = 0, 0
    limit = timezone.now() - timedelta(minutes=min(waits))
    while keys := list(
        Ticket.objects.filter(status__in=Ticket.UNFINISHED, activity_at__lte=limit, pk__gt=last)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH]
    ):
        last = keys[-1]
        with transaction.atomic():
            changes = [w for w in Change.lock_all(keys) if w.ticket.activity_at <= limit]
            done = _done_since_activity(changes)
            for work in changes:
                idle = int((timezone.now() - work.ticket.activity_at).total_seconds() // 60)
                run = book.run(
                    Rule.Event.TICKET_IDLE,
                    "",
                    rules.Facts(work, {"idle_minutes": idle}),
                    work,
                    without=done.get(work.ticket.pk, ()),
                )
                if run.matched:
                    work.runs.append(run)
                    matched += 1
            rules.run_changed(changes)
            Change.save_all(changes)
    return matched


def _done_since_activity(changes: list[Change]) -> dict[int, set[int]]:
    """For each ticket the idle rules that matched it since its last activity."""
    activity = {f"ticket:{w.ticket.pk}": w.ticket for w in changes}
    runs = RuleRun.objects.filter(subject__in=activity, event=Rule.Event.TICKET_IDLE)
    done: dict[int, set[int]] = {}
    for subject, at, matched in runs.values_list("subject", "at", "matched"):
        ticket = activity[subject]
        if at >= ticket.activity_at:
            done.setdefault(ticket.pk, set()).update(m["rule"] for m in matched)
    return done
