"""What can be done to colleagues: taken in, changed, let go. Nobody grants what he lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.sessions import end_sessions
from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR, ROLES
from crm.organisation.services import set_roles
from routing.models import Queue, QueueMember


def grantable(by: User) -> frozenset[str]:
    """Roles that `by` may give and take: administrators all, others only their own, nobody else any."""
    if ADMINISTRATOR in by.roles:
        return frozenset(ROLES)
    return by.roles & frozenset(ROLES) if by.has_perm("organisation.change_user") else frozenset()


def check_change(user: User, roles: Collection[str], active: bool, *, by: User) -> None:
    """May `by` leave `user` with these roles? Raises PermissionDenied.

    ValidationError is raised for what would lock people out.
    """
    before = user.roles if user.pk else frozenset()
    if not set(roles) ^ before <= grantable(by) or (ADMINISTRATOR in before and ADMINISTRATOR not in by.roles):
        raise PermissionDenied(_("You cannot give or take a role that you do not have."))
    leaves = user.pk is not None and ADMINISTRATOR in before and (ADMINISTRATOR not in roles or not active)
    if user.pk == by.pk and (not active or leaves):
        raise ValidationError(_("You cannot lock yourself out. Ask another administrator."))
    if leaves and not _other_administrators(user).exists():
        raise ValidationError(_("This is the last administrator."))


def _other_administrators(user: User) -> QuerySet[User]:
    found = User.objects.filter(is_active=True, is_staff=True, groups__name=ADMINISTRATOR) | User.objects.filter(
        is_active=True, is_superuser=True
    )
    return found.exclude(pk=user.pk)


@transaction.atomic
def save_colleague(user: User, roles: Collection[str], queues: Iterable[Queue], *, by: User) -> User:
    """Save a new or changed colleague with exactly these roles and queues. His address counts as verified."""
    stored = User.objects.get(pk=user.pk) if user.pk else user
    check_change(stored, roles, user.is_active, by=by)
    before, was_active = (stored.roles, stored.is_active) if user.pk else (frozenset(), True)
    if not user.pk:
        user.set_unusable_password()
    user.email = user.email.strip().lower()
    user.is_staff = True
    user.save()
    set_roles(user, roles)
    _confirm_address(user)
    wanted = {queue.pk for queue in queues}
    QueueMember.objects.filter(user=user).exclude(queue_id__in=wanted).delete()
    known = set(QueueMember.objects.filter(user=user).values_list("queue_id", flat=True))
    QueueMember.objects.bulk_create(QueueMember(queue_id=pk, user=user) for pk in wanted - known)
    if (before, was_active) != (frozenset(roles), user.is_active):
        state = "" if user.is_active else " (deactivated)"
        said = f"{', '.join(sorted(before)) or 'none'} → {', '.join(sorted(roles))}{state}"
        audit.record("roles", by=by, about=user.email, detail=said)
    return user


@transaction.atomic
def forget_second_factor(user: User, *, by: User | None) -> bool:
    """Take away what `user` proves himself with besides his password, and log him out everywhere; False without one.

    For a lost phone. `by` is None for whoever has the machine itself. Raises PermissionDenied.
    """
    if by is not None and ADMINISTRATOR not in by.roles:
        raise PermissionDenied(_("Only an administrator can take away a second factor."))
    if not Authenticator.objects.filter(user=user).delete()[0]:
        return False
    end_sessions(user.pk)
    audit.record("second-factor", by=by, about=user.email, detail="taken away")
    return True


def _confirm_address(user: User) -> None:
    """An administrator vouches for the address, so that the first login is not stopped to verify it."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
