"""Our words for a ticket's state, and the customer's."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.service.models import Ticket

_STATES: dict[str, tuple[str, str | Promise]] = {
    Ticket.Status.NEW: ("new", _("Received")),
    Ticket.Status.OPEN: ("open", _("In progress")),
    Ticket.Status.PENDING: ("pending", _("Waiting for you")),
    Ticket.Status.SNOOZED: ("open", _("In progress")),
    Ticket.Status.RESOLVED: ("resolved", _("Resolved")),
    Ticket.Status.CLOSED: ("closed", _("Closed")),
}

SCORES = [(1, _("Very poor")), (2, _("Poor")), (3, _("Fair")), (4, _("Good")), (5, _("Very good"))]
"""Ratings with their words."""


def state_of(status: str) -> tuple[str, str | Promise]:
    """The look and the words of a status. That we have put it off is our affair: the customer reads "in progress"."""
    return _STATES.get(status, ("closed", _("Closed")))
