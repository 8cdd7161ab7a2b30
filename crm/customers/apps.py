"""Customers and the people there."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers and the people there."""

    name = "crm.customers"
    label = "customers"
    verbose_name = _("Customers")
