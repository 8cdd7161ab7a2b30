"""Who makes call lists, and who works them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.marketing.models import LEADS, CallList
from crm.organisation import access

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User


def leads(user: User | AnonymousUser | None) -> bool:
    """Marketers, supervisors and administrators."""
    return access.is_staff(user) and bool(user.roles & LEADS)


def may_work(user: User | AnonymousUser | None, call_list: CallList) -> bool:
    """True for whoever is named on the list or works its queue, and for supervisors."""
    if not access.is_staff(user):
        return False
    if access.sees_all_tickets(user) or call_list.people.filter(pk=user.pk).exists():
        return True
    return call_list.queue_id is not None and user.queue_memberships.filter(queue_id=call_list.queue_id).exists()
