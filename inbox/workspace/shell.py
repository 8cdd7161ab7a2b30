"""The workspace's place in the menu of the staff shell. Its addresses stand in the portal's list."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem

from crm.organisation import access


class InboxMenuItem(MenuItem):
    """Shown to whoever works tickets, first: it is what most colleagues come for."""

    def is_shown(self, request: HttpRequest) -> bool:
        """True for administrators, supervisors and agents."""
        return access.works_tickets(request.user)


def menu_item() -> InboxMenuItem:
    """The item at the top of the menu."""
    return InboxMenuItem(_("Inbox"), reverse_lazy("inbox:list"), name="inbox", icon_name="g-inbox", order=1)


def calls_item() -> InboxMenuItem:
    """The item below it."""
    return InboxMenuItem(_("Calls"), reverse_lazy("calls:list"), name="calls", icon_name="g-phone", order=2)
