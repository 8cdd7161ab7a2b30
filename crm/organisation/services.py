"""What can be done to users."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from django.contrib.auth.models import Group
from django.db import transaction

from crm.organisation.models import Notification, Portrait, User
from crm.organisation.roles import ROLES


@transaction.atomic
def set_roles(user: User, roles: Collection[str]) -> None:
    """Give `user` exactly these roles; with none he is a customer. Raises ValueError for an unknown role."""
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise ValueError(f"unknown roles: {', '.join(sorted(unknown))}")
    user.groups.set(Group.objects.filter(name__in=roles))
    user.is_staff = bool(roles)
    user.save(update_fields=["is_staff"])
    user.__dict__.pop("roles", None)


@transaction.atomic
def set_portrait(user: User, drawn: tuple[str, bytes] | None) -> None:
    """Give `user` this picture, as `core.pictures.redraw` drew it, or none."""
    Portrait.objects.filter(user=user).delete()
    user.portrait_mark = secrets.token_urlsafe(18) if drawn else ""
    user.save(update_fields=["portrait_mark"])
    if drawn:
        Portrait.objects.create(user=user, kind=drawn[0], content=drawn[1])


def notify(users: Collection[User], text: str, url: str = "") -> None:
    """Leave each of `users` a notification. Call inside the transaction of what it is about."""
    Notification.objects.bulk_create(Notification(user=user, text=text[:300], url=url) for user in users)
