"""The customers' site, and the place where everything is put together."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The composition root."""

    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Connect the foreign signals: allauth tells us that somebody proved an address, and the audit log hears."""
        from allauth.account.signals import email_confirmed
        from allauth.mfa.signals import authenticator_added, authenticator_removed
        from django.urls import reverse

        from core.proof import second_factor_set_up, second_factor_taken_away
        from inbox.services import guests
        from portal import checks, deeds  # noqa: F401
        from portal.accounts import address_proved

        guests.confirmed_at(lambda token: reverse("portal:guest_confirm", args=[token]))
        email_confirmed.connect(address_proved, dispatch_uid="portal.address_proved")
        authenticator_added.connect(second_factor_set_up, dispatch_uid="portal.second_factor_set_up")
        authenticator_removed.connect(second_factor_taken_away, dispatch_uid="portal.second_factor_taken_away")
        deeds.connect()
