"""The workspace as a part of the staff shell: its addresses and its place in the menu."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from crm.organisation import access
from inbox.workspace.urls import urlpatterns


class InboxMenuItem(MenuItem):
    """Shown to whoever works tickets."""

    def is_shown(self, request: HttpRequest) -> bool:
        """True for administrators, supervisors and agents."""
        return access.works_tickets(request.user)


class WorkspaceViewSet(ViewSet):
    """First in the menu: it is what most colleagues come for."""

    name = "inbox"
    url_prefix = "inbox"
    icon = "g-inbox"
    menu_label = _("Inbox")
    menu_name = "inbox"
    menu_order = 1
    add_to_admin_menu = True
    menu_item_class = InboxMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        """All addresses of the workspace."""
        return urlpatterns


workspace = WorkspaceViewSet()
