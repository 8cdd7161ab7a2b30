"""Tickets and what was promised."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ServiceConfig(AppConfig):
    """Tickets and what was promised."""

    name = "crm.service"
    label = "service"
    verbose_name = _("Service")
