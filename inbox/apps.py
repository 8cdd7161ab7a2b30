"""The wires: channels, messages and the agents' workspace."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    """Everything that talks to the outside."""

    name = "inbox"
    verbose_name = _("Inbox")

    def ready(self) -> None:
        """Tell the layers below what the inbox adds: facts and actions of rules, and what follows a linked contact."""
        from crm.customers import identity
        from crm.service import changes
        from inbox import live, past, rules, search
        from inbox.models import Call, Message, Visitor
        from inbox.services import call_aftermath, posting

        rules.register()
        past.register()
        changes.on_saved(live.changed)
        identity.follow(Message, "contact")
        identity.on_linked(search.contacts_changed)
        identity.follow(Call, "contact")
        identity.follow(Visitor, "contact")
        posting.on_posted(call_aftermath.posted)
