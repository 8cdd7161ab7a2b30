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
        from crm.service import rules
        from crm.service.models import Satisfaction, Ticket, TicketParticipant

        rules.register()
        register_kind("ticket", Ticket.objects.visible_to)
        identity.follow(Ticket, "contact")
        identity.follow(TicketParticipant, "contact")
        identity.follow(Satisfaction, "contact")
