"""What we promised a ticket, as dates on its row."""

from __future__ import annotations

from crm.service.models import Ticket
from routing import hours, sla


def renew(ticket: Ticket) -> None:
    """Compute the ticket's due dates from its queue's policy and what has happened so far. Writes no row."""
    policy = ticket.queue.sla
    ticket.sla = policy
    if policy is None or ticket.is_finished:
        ticket.first_answer_due = ticket.next_answer_due = ticket.solution_due = ticket.due_at = None
        return
    calendar = hours.calendar(policy.hours or ticket.queue.hours)
    targets = sla.targets(
        policy,
        calendar,
        opened_at=ticket.opened_at,
        waiting_since=ticket.waiting_since,
        first_answered_at=ticket.first_answered_at,
        resolved_at=ticket.resolved_at,
    )
    ticket.first_answer_due = targets.first
    ticket.next_answer_due = targets.next
    ticket.solution_due = targets.solution
    ticket.due_at = min((d for d in (targets.first, targets.next, targets.solution) if d), default=None)
