"""The wires: channels, messages and the agents' workspace."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    """Everything that talks to the outside."""

    name = "inbox"
    verbose_name = _("Inbox")

    def ready(self) -> None:
        """Tell the layers below what the inbox adds: facts and actions of rules, and what follows a linked contact."""
        from inbox import rules

        rules.register()
