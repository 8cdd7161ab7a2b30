"""What can be done to a ticket: one transaction each, with history, rules and a push to whoever looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.customers.models import Contact
from crm.organisation.models import User
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Satisfaction, Ticket
from routing.models import Queue


class RatingImpossible(ValueError):
    """This ticket cannot be rated (now) or not with this score."""


@transaction.atomic
def change(ticket: Ticket, deed: Callable[[Change], None], *, by: User | None) -> Ticket:
    """Lock the ticket, do `deed`, run the rules for changed tickets, save. Raises Ticket.DoesNotExist, TicketMerged."""
    work = Change.lock(ticket.pk, actor=by)
    deed(work)
    rules.run_changed([work])
    work.save()
    return work.ticket


def set_status(ticket: Ticket, status: str, *, by: User | None, why: str = "") -> Ticket:
    """Put the ticket in this state. Raises ValueError for an unknown one, and for those that need more than a word."""
    if status == Ticket.Status.MERGED:
        raise ValueError(_("A ticket is merged by merging it into another one."))
    if status == Ticket.Status.SNOOZED:
        raise ValueError(_("A ticket is snoozed until a time, or it would never wake."))
    if status not in Ticket.Status.values:
        raise ValueError(_("There is no such status."))
    return change(ticket, lambda work: work.set_status(status, why), by=by)


def close(ticket: Ticket, *, by: User | None) -> Ticket:
    """Close it for good (it can still be reopened)."""
    return set_status(ticket, Ticket.Status.CLOSED, by=by)


def reopen(ticket: Ticket, *, by: User | None, why: str = "") -> Ticket:
    """Take it up again."""
    return set_status(ticket, Ticket.Status.OPEN, by=by, why=why)


def set_priority(ticket: Ticket, priority: int, *, by: User | None) -> Ticket:
    """Set how soon it has to be done. Raises ValueError for an unknown one."""
    if priority not in Ticket.Priority.values:
        raise ValueError(_("There is no such priority."))
    return change(ticket, lambda work: work.set_priority(priority), by=by)


def set_subject(ticket: Ticket, subject: str, *, by: User | None) -> Ticket:
    """Call it something else."""
    return change(ticket, lambda work: work.set_subject(subject), by=by)


def assign(ticket: Ticket, user: User | None, *, by: User | None, why: str = "") -> Ticket:
    """Give it to somebody, or to nobody."""
    return change(ticket, lambda work: work.assign(user, why), by=by)


def move(ticket: Ticket, queue: Queue, *, by: User | None, why: str = "") -> Ticket:
    """Put it in another queue."""
    return change(ticket, lambda work: work.move(queue, why), by=by)


def tag(ticket: Ticket, *, add: Iterable[str] = (), remove: Iterable[str] = (), by: User | None) -> Ticket:
    """Add and take away tags."""
    added, removed = list(add), list(remove)

    def deed(work: Change) -> None:
        work.add_tags(added)
        work.remove_tags(removed)

    return change(ticket, deed, by=by)


def snooze(ticket: Ticket, until: datetime, *, by: User | None) -> Ticket:
    """Put it away until this time, or until somebody writes."""
    return change(ticket, lambda work: work.snooze(until), by=by)


@transaction.atomic
def rate(ticket: Ticket, contact: Contact, score: int, comment: str = "") -> Satisfaction:
    """Keep what the customer says of our work, 1 (bad) to 5 (good).

    Raises RatingImpossible while there is none: nothing was answered, and it is not resolved.
    """
    if not 1 <= score <= 5 or not (ticket.is_finished or ticket.first_answered_at):
        raise RatingImpossible
    work = Change.lock(ticket.pk, actor=contact.user, name=str(contact))
    rating, _made = Satisfaction.objects.update_or_create(
        ticket=work.ticket, defaults={"contact": contact, "score": score, "comment": comment[:5000]}
    )
    work.record("rated", new=score, why=comment)
    rules.run_changed([work])
    work.save()
    return rating
