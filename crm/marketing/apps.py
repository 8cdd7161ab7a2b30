"""Whom we call on purpose, and what we say."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketingConfig(AppConfig):
    """Call scripts and call lists."""

    name = "crm.marketing"
    label = "marketing"
    verbose_name = _("Marketing")

    def ready(self) -> None:
        """Say what moves with a linked contact, and who reads which line of a timeline."""
        from crm.customers import identity
        from crm.customers.timeline import register_kind
        from crm.marketing.models import CallList, CallListEntry, Outcome

        register_kind(
            "call_list",
            CallList.objects.visible_to,
            describe=lambda key: (str(_("Call list")), f"/desk/call-lists/{key}/"),
            words={f"call_list.{outcome}": outcome.label for outcome in Outcome},
        )
        identity.follow(CallListEntry, "contact")
