"""What was done that somebody may have to answer for. Rows are added and never changed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AuditEntry(models.Model):
    """One deed. Written by `core.audit.record` alone; triggers refuse UPDATE and DELETE to everybody (S-88).

    On SQLite a migration that alters this table builds it anew: it has to make the triggers again.
    Whoever did it is kept as number and name, not as a reference: the row outlives the person.
    """

    at = models.DateTimeField(pgettext_lazy("audit log", "when"), default=timezone.now)
    deed = models.CharField(_("deed"), max_length=40)
    """A name out of `core.audit.DEEDS`."""
    actor = models.BigIntegerField(null=True, blank=True)
    """Primary key of the user; None for strangers and for the system."""
    actor_name = models.CharField(_("who"), max_length=200, blank=True)
    address = models.CharField(pgettext_lazy("audit log", "from"), max_length=45, blank=True)
    """IP address of the client."""
    about = models.CharField(_("about"), max_length=300, blank=True)
    detail = models.CharField(_("what"), max_length=1000, blank=True)
    seal = models.CharField(max_length=64)
    """HMAC-SHA256 over this row and the seal of the one before: a row taken out or rewritten breaks the chain."""

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["deed", "-id"], name="audit_deed"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.deed} {self.actor_name}"
