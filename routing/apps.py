"""Decisions about work: rules, queues, hours, promises, assignment."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoutingConfig(AppConfig):
    """Routing knows no ticket: it is told facts and answers decisions."""

    name = "routing"
    verbose_name = _("Routing")
