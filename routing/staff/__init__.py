"""Staff screens of routing: queues, hours, promises, rules, macros, keywords."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSetGroup

from routing.staff.hours import HoursViewSet
from routing.staff.keywords import KeywordViewSet
from routing.staff.rules import MacroViewSet, RuleViewSet
from routing.staff.setup import QueueViewSet, SLAViewSet

viewsets = [RuleViewSet, QueueViewSet, HoursViewSet, SLAViewSet, MacroViewSet, KeywordViewSet]


class RoutingGroup(ViewSetGroup):
    """Where messages go, and what is promised about them."""

    menu_label = _("Routing")
    menu_name = "group-routing"
    menu_icon = "g-queue"
    menu_order = 450
    items = tuple(viewsets)
