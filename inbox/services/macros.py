"""Several actions at one click."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction

from crm.organisation.models import User
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket
from routing import engine
from routing.models import Macro


@transaction.atomic
def run_macro(macro: Macro, ticket: Ticket, *, by: User) -> None:
    """Do what the macro says. Raises routing.engine.RuleInvalid, PermissionDenied."""
    if not macro.active:
        raise PermissionDenied
    change = Change.lock(ticket.pk, actor=by)
    change.macro = macro.name
    engine.perform(macro.actions, change, macro.name)
    change.macro = ""
    rules.run_changed([change])
    change.save()
