"""What we promised a ticket, as dates on its row."""

from __future__ import annotations

from datetime import datetime

from crm.service.models import Ticket
from routing import hours, sla

DATES = ("sla_id", "first_answer_due", "next_answer_due", "solution_due", "due_at", "warn_at")
"""What `renew` sets."""


def renew(ticket: Ticket) -> None:
    """Compute the ticket's due dates from its queue's policy and what has happened so far. Writes no row."""
    ticket.sla = ticket.queue.sla
    found = clocks(ticket)
    targets = sla.dues(found)
    ticket.first_answer_due = targets.first
    ticket.next_answer_due = targets.next
    ticket.solution_due = targets.solution
    ticket.due_at = sla.nearest(targets)
    ticket.warn_at = min((clock.warn_at for clock in found), default=None)


def clocks(ticket: Ticket) -> tuple[sla.Clock, ...]:
    """The promises of its policy that are open."""
    if ticket.sla is None or ticket.is_finished:
        return ()
    return sla.clocks(
        ticket.sla,
        _calendar(ticket),
        opened_at=ticket.opened_at,
        waiting_since=ticket.waiting_since,
        first_answered_at=ticket.first_answered_at,
        resolved_at=ticket.resolved_at,
        stood_minutes=ticket.stood_minutes,
        stands_since=ticket.stands_since,
    )


def stand_or_run(ticket: Ticket, now: datetime) -> None:
    """Stop the clock of the solution, or let it go on, as the ticket's state wants it. Call it before `renew`."""
    stands = ticket.is_finished or ticket.status == Ticket.Status.PENDING
    if stands:
        ticket.stands_since = ticket.stands_since or now
        return
    if ticket.stands_since is None:
        return
    since, ticket.stands_since = ticket.stands_since, None
    # What was missed before it stood was missed: standing makes it no better.
    if not any(clock.name == "solution" and clock.due <= since for clock in clocks(ticket)):
        ticket.stood_minutes += hours.minutes_between(_calendar(ticket), since, now)


def _calendar(ticket: Ticket) -> hours.Calendar | None:
    policy = ticket.sla
    return hours.calendar(policy.hours if policy and policy.hours else ticket.queue.hours)
