"""Wagtail's users app without its own screens: people and roles are changed by the screens of `crm.organisation`.

Its group screens would let whoever may edit groups grant permissions that he lacks himself.
"""

from __future__ import annotations

from wagtail.users.apps import WagtailUsersAppConfig


class UsersConfig(WagtailUsersAppConfig):
    """Listed in INSTALLED_APPS instead of `wagtail.users`."""

    user_viewset = "core.staff.closed.Closed"
    group_viewset = "core.staff.closed.Closed"
