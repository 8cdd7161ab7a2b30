"""Programs of others that are told what happens here, and every telling as a row of its own."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.ledger import LedgerRow
from core.secrets import SealedField, seal, unseal


class Webhook(models.Model):
    """One address that rules can call. `sealed` holds the secret that signs what is sent there."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.URLField(_("address"), max_length=500)
    active = models.BooleanField(_("active"), default=True)
    with_text = models.BooleanField(_("send the message’s words too"), default=False)
    sealed = SealedField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    """When the first of the calls failed that nothing has followed but failures."""
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When it was given up because nobody answered for days, or answered that it is gone."""

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    fresh_secret = ""
    """Set right after it was made: the only moment in which it can be shown."""

    def __str__(self) -> str:
        return self.name

    @property
    def health(self) -> str:
        """`paused`, `dead` (given up), `trouble` or `good`."""
        if not self.active:
            return "paused"
        return "dead" if self.stopped_at else "trouble" if self.failing_since else "good"

    def _place(self) -> str:
        return f"inbox_webhook:sealed:{self.pk}"

    def secret(self) -> str:
        """The signing secret, `whsec_…`. Raises core.secrets.SecretUnreadable."""
        return unseal(self.sealed, self._place()).get("secret", "")

    def set_secret(self, secret: str) -> None:
        """Replace it; the row must have been saved before."""
        self.sealed = seal({"secret": secret}, self._place())


class WebhookCall(LedgerRow):
    """One event on its way to one webhook. Its own work list (see core.ledger)."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("Queued")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="calls")
    event_id = models.CharField(max_length=40, unique=True)
    """Stays the same over all attempts, so that the other side can know a repeated call."""
    event = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    code = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at", "id"], name="webhook_waiting", condition=Q(state="queued")),
            models.Index(fields=["webhook", "-id"], name="webhook_calls"),
            models.Index(fields=["created_at"], name="webhook_ended", condition=~Q(state="queued")),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.state}"
