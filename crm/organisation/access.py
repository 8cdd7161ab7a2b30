"""Who somebody is, as far as access is concerned. The predicates of each model stand at its manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR, AGENT, SUPERVISOR

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def is_person(user: User | AnonymousUser | None) -> TypeGuard[User]:
    """True for somebody who is logged in and active."""
    return isinstance(user, User) and user.is_active


def is_staff(user: User | AnonymousUser | None) -> TypeGuard[User]:
    """True for an active colleague, of whatever role."""
    return is_person(user) and user.is_staff and bool(user.roles)


def sees_all_tickets(user: User) -> bool:
    """Administrators and supervisors see every queue."""
    return is_staff(user) and bool(user.roles & {ADMINISTRATOR, SUPERVISOR})


def works_tickets(user: User | AnonymousUser | None) -> bool:
    """True for whoever may open the inbox at all."""
    return is_staff(user) and bool(user.roles & {ADMINISTRATOR, SUPERVISOR, AGENT})


def is_administrator(user: User | AnonymousUser | None) -> bool:
    """True for administrators."""
    return is_staff(user) and ADMINISTRATOR in user.roles
