"""The menu of the staff shell: which screens stand in which group, and who sees which group."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSetGroup

from core.staff.audit import AuditViewSet
from crm.customers.staff import CustomerViewSet, RegionViewSet, TagViewSet, customer_picker
from crm.customers.staff_consent import RefusedNumberViewSet
from crm.customers.staff_contacts import ContactViewSet, contact_picker
from crm.marketing.staff import CallListViewSet, EntryViewSet
from crm.marketing.staff_scripts import ScriptViewSet
from crm.organisation.staff import ColleagueViewSet, DepartmentViewSet, NotificationsViewSet, ProfileViewSet
from crm.planning.staff import TaskViewSet
from crm.planning.staff_agenda import MyTasksViewSet
from crm.planning.staff_appointments import AppointmentViewSet
from crm.service.staff import TicketViewSet
from inbox.staff.channels import ChannelViewSet
from inbox.staff.deliveries import DeliveryViewSet
from inbox.staff.journal import JournalViewSet
from inbox.staff.templates import TemplateViewSet
from inbox.staff.webhooks import WebhookViewSet
from routing.staff import RoutingGroup


class Customers(ViewSetGroup):
    """Whom we deal with."""

    menu_label = _("Customers")
    menu_name = "group-customers"
    menu_icon = "g-company"
    menu_order = 300
    items = (CustomerViewSet, ContactViewSet, RegionViewSet, TagViewSet, RefusedNumberViewSet)


class Calls(ViewSetGroup):
    """Whom we call on purpose, and what we say."""

    menu_label = _("Call lists")
    menu_name = "group-calls"
    menu_icon = "g-phone"
    menu_order = 230
    items = (CallListViewSet, EntryViewSet, ScriptViewSet)


class Channels(ViewSetGroup):
    """How messages come and go."""

    menu_label = _("Channels")
    menu_name = "group-channels"
    menu_icon = "g-at"
    menu_order = 500
    items = (ChannelViewSet, TemplateViewSet, JournalViewSet, DeliveryViewSet, WebhookViewSet)


class People(ViewSetGroup):
    """Who works here."""

    menu_label = _("People")
    menu_name = "group-people"
    menu_icon = "g-users"
    menu_order = 600
    items = (ColleagueViewSet, DepartmentViewSet, AuditViewSet)


GROUPS: tuple[type[ViewSetGroup], ...] = (Calls, Customers, RoutingGroup, Channels, People)
SINGLE: tuple[Any, ...] = (
    TicketViewSet,
    TaskViewSet,
    MyTasksViewSet,
    AppointmentViewSet,
    ProfileViewSet,
    NotificationsViewSet,
    customer_picker,
    contact_picker,
)
SINGLE_NAMES = ("inbox", "calls", "tickets", "tasks", "appointments", "notifications")
MENU_NAMES = frozenset({*SINGLE_NAMES, *(group.menu_name for group in GROUPS)})
"""Items of the main menu; everything else that Wagtail or its apps offer is taken out."""
