"""The customers' site, and the place where everything is put together."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The composition root."""

    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Connect the one foreign signal: allauth tells us that somebody proved an address."""
        from allauth.account.signals import email_confirmed

        from portal import checks  # noqa: F401
        from portal.accounts import address_proved

        email_confirmed.connect(address_proved, dispatch_uid="portal.address_proved")
