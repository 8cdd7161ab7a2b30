"""Tickets and what was promised."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ServiceConfig(AppConfig):
    """Tickets and what was promised."""

    name = "crm.service"
    label = "service"
    verbose_name = _("Service")

    def ready(self) -> None:
        """Tell the engine what tickets have, and what moves with a linked contact."""
        from crm.customers import identity
        from crm.customers.timeline import register_kind
        from crm.service import rules, task_action
        from crm.service.changes import promise_again
        from crm.service.models import NUMBER_OFFSET, Satisfaction, Ticket, TicketParticipant
        from routing.services import on_promises_changed

        rules.register()
        task_action.register()
        on_promises_changed(promise_again)
        register_kind(
            "ticket",
            Ticket.objects.visible_to,
            describe=lambda key: (f"#{key + NUMBER_OFFSET}", f"/desk/inbox/{key + NUMBER_OFFSET}/"),
            words={
                "ticket.opened": _("Ticket opened"),
                "message.in": _("Message"),
                "message.out": _("Answer"),
            },
        )
        identity.follow(Ticket, "contact")
        identity.follow(TicketParticipant, "contact")
        identity.follow(Satisfaction, "contact")
