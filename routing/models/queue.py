"""Where work waits, and who takes it."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models.hours import BusinessHours, SLAPolicy


class Queue(models.Model):
    """A line of work with its people."""

    class Strategy(models.TextChoices):
        """Who gets the next ticket."""

        MANUAL = "manual", _("People take tickets themselves")
        ROUND_ROBIN = "round-robin", _("In turn")
        LEAST_BUSY = "least-busy", _("Whoever has least to do")

    name = models.CharField(_("name"), max_length=100, unique=True)
    strategy = models.CharField(_("assignment"), max_length=12, choices=Strategy.choices, default=Strategy.MANUAL)
    hours = models.ForeignKey(
        BusinessHours, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("business hours")
    )
    sla = models.ForeignKey(
        SLAPolicy, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("SLA policy")
    )
    colour = models.CharField(
        _("colour"),
        max_length=7,
        default="#64748b",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Write a colour as #rrggbb."))],
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class QueueMember(models.Model):
    """Somebody who works a queue. `last_assigned_at` is the memory of the round robin."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="queue_memberships", verbose_name=_("person")
    )
    last_assigned_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("queue member")
        verbose_name_plural = _("queue members")
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="queue_member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.queue}"
