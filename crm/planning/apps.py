"""What somebody has to do, and when people meet or call."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlanningConfig(AppConfig):
    """Tasks and appointments."""

    name = "crm.planning"
    label = "planning"
    verbose_name = _("Planning")

    def ready(self) -> None:
        """Say what moves with a linked contact, and who reads which line of a timeline."""
        from crm.customers import identity
        from crm.customers.timeline import register_kind
        from crm.planning.models import Appointment, Task

        register_kind(
            "task",
            Task.objects.visible_to,
            describe=lambda key: (str(_("Task")), f"/desk/tasks/{key}/"),
            words={
                "task.opened": _("Task"),
                "task.done": _("Task done"),
                "task.dropped": _("Task dropped"),
                "task.reopened": _("Task reopened"),
            },
        )
        register_kind(
            "appointment",
            Appointment.objects.visible_to,
            describe=lambda key: (str(_("Appointment")), f"/desk/appointments/{key}/"),
            words={
                "appointment.agreed": _("Appointment"),
                "appointment.moved": _("Appointment moved"),
                "appointment.done": _("Appointment took place"),
                "appointment.missed": _("Appointment missed"),
                "appointment.cancelled": _("Appointment cancelled"),
            },
        )
        identity.follow(Task, "contact")
        identity.follow(Appointment, "contact")
