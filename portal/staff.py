"""The menu of the staff shell: which screens stand in which group, and who sees which group."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSetGroup

from crm.customers.staff import CustomerViewSet, RegionViewSet, TagViewSet, customer_picker
from crm.customers.staff_contacts import ContactViewSet, contact_picker
from crm.organisation.staff import ColleagueViewSet, DepartmentViewSet, NotificationsViewSet, ProfileViewSet
from crm.service.staff import TicketViewSet
from inbox.staff.channels import ChannelViewSet
from inbox.staff.deliveries import DeliveryViewSet
from inbox.staff.journal import JournalViewSet
from inbox.staff.templates import TemplateViewSet
from routing.staff import RoutingGroup


class Customers(ViewSetGroup):
    """Whom we deal with."""

    menu_label = _("Customers")
    menu_name = "group-customers"
    menu_icon = "g-company"
    menu_order = 300
    items = (CustomerViewSet, ContactViewSet, RegionViewSet, TagViewSet)


class Channels(ViewSetGroup):
    """How messages come and go."""

    menu_label = _("Channels")
    menu_name = "group-channels"
    menu_icon = "g-at"
    menu_order = 500
    items = (ChannelViewSet, TemplateViewSet, JournalViewSet, DeliveryViewSet)


class People(ViewSetGroup):
    """Who works here."""

    menu_label = _("People")
    menu_name = "group-people"
    menu_icon = "g-users"
    menu_order = 600
    items = (ColleagueViewSet, DepartmentViewSet)


GROUPS: tuple[type[ViewSetGroup], ...] = (Customers, RoutingGroup, Channels, People)
SINGLE: tuple[Any, ...] = (TicketViewSet, ProfileViewSet, NotificationsViewSet, customer_picker, contact_picker)
MENU_NAMES = frozenset({"inbox", "tickets", "notifications", *(group.menu_name for group in GROUPS)})
"""Items of the main menu; everything else that Wagtail or its apps offer is taken out."""
