"""The customers' site, and the place where everything is put together."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The composition root."""

    name = "portal"
    verbose_name = _("Portal")
