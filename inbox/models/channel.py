"""One address where we are reached, and how it is served."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.said import SaidField
from core.secrets import SealedField, seal, unseal
from routing.models import Queue


class Channel(models.Model):
    """One mailbox, form, … `settings` holds what its adapter's form asks, `sealed` its secrets."""

    class Health(models.TextChoices):
        """What the last contact with the outside showed."""

        UNKNOWN = "unknown", _("Not tried yet")
        GOOD = "good", _("Working")
        TROUBLE = "trouble", _("Trouble")
        PAUSED = "paused", _("Paused")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=20)
    address = models.CharField(_("address"), max_length=320, blank=True, db_index=True)
    """What customers write to, normalised; for e-mail the mailbox's own address."""
    aliases = models.JSONField(_("further addresses"), default=list, blank=True)
    display_name = models.CharField(_("sender name"), max_length=100, blank=True)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+", verbose_name=_("queue"))
    language = models.CharField(_("language"), max_length=10, default="en")
    active = models.BooleanField(_("active"), default=True)
    acknowledge = models.ForeignKey(
        "inbox.Template",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("acknowledgement of new tickets"),
    )
    settings = models.JSONField(default=dict, blank=True)
    sealed = SealedField()
    receiving_health = models.CharField(max_length=10, choices=Health.choices, default=Health.UNKNOWN, editable=False)
    receiving_note = SaidField(max_length=300, blank=True, editable=False)
    receiving_at = models.DateTimeField(null=True, blank=True, editable=False)
    sending_health = models.CharField(max_length=10, choices=Health.choices, default=Health.UNKNOWN, editable=False)
    sending_note = SaidField(max_length=300, blank=True, editable=False)
    sending_at = models.DateTimeField(null=True, blank=True, editable=False)
    sending_paused_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name

    def _place(self) -> str:
        return f"inbox_channel:sealed:{self.pk}"

    def secrets(self) -> dict[str, str]:
        """The stored secrets in the clear, for the process that connects. Raises core.secrets.SecretUnreadable."""
        return unseal(self.sealed, self._place())

    def set_secrets(self, changed: dict[str, str]) -> None:
        """Replace those secrets that are named, and keep the others; the channel must have been saved before."""
        self.sealed = seal({**self.secrets(), **changed}, self._place())

    @property
    def addresses(self) -> list[str]:
        """The own address and the aliases, normalised."""
        return [a for a in [self.address, *self.aliases] if a]


class MailboxCursor(models.Model):
    """How far a folder of a mailbox has been read. After any outage reading goes on from here, never from a date."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="cursors")
    folder = models.CharField(max_length=200)
    uidvalidity = models.BigIntegerField()
    last_uid = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "folder"], name="cursor_once")]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.folder} {self.uidvalidity}:{self.last_uid}"
