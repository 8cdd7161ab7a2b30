"""One message on its way to one recipient."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.ledger import LedgerRow
from core.said import Said, SaidField
from inbox.models.channel import Channel
from inbox.models.message import Message


class Delivery(LedgerRow):
    """Its own work list (see core.ledger). `sending` is committed before the bytes leave, so that a kill shows."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("Queued")
        SENDING = "sending", pgettext_lazy("delivery", "Sending")
        SENT = "sent", _("Sent")
        DEFERRED = "deferred", _("Will be tried again")
        FAILED = "failed", _("Failed")
        UNCERTAIN = "uncertain", _("Unclear whether it arrived")
        CANCELLED = "cancelled", _("Cancelled")

    class Purpose(models.TextChoices):
        """What is done when the outcome of a send is unknown, and what a bounce means."""

        REPLY = "reply", _("Answer")
        AUTOMATIC = "automatic", _("Automatic answer")
        SYSTEM = "system", _("Account mail")

    WAITING = (State.QUEUED, State.DEFERRED)

    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="deliveries")
    message = models.ForeignKey(Message, models.CASCADE, null=True, blank=True, related_name="deliveries")
    """None for account mail (sign-up, password), whose text is in `content`."""
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.REPLY)
    recipient = models.CharField(max_length=320)
    mail_id = models.CharField(max_length=250, unique=True)
    """Stable over every attempt, without angle brackets."""
    content = models.JSONField(default=dict, blank=True)
    """What the wire form is built from beyond the message: subject, headers, text and html of account mail."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    code = models.PositiveSmallIntegerField(default=0)
    response = SaidField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    bounced_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    """When its recipient's provider told us that he marked it as unwanted (RFC 5965)."""

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_at", "id"], name="delivery_waiting", condition=Q(state__in=["queued", "deferred"])
            ),
            models.Index(fields=["lease_until"], name="delivery_sending", condition=Q(state="sending")),
            models.Index(fields=["state", "-id"], name="delivery_state"),
            models.Index(fields=["recipient", "-created_at"], name="delivery_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} {self.state}"

    @property
    def said(self) -> str:
        """`response` for whoever reads it: our own words in his language, those of other servers as they are."""
        # Ours of earlier versions stand there as English text.
        return gettext(self.response) if self.response and not isinstance(self.response, Said) else self.response

    @property
    def fault(self) -> str:
        """`error` for whoever reads it."""
        return gettext(self.error) if self.error else ""

    @property
    def tells(self) -> bool:
        """`said` belongs beside the state: it says what went wrong, or what became of a job that was followed."""
        happened = self.state in (self.State.FAILED, self.State.UNCERTAIN, self.State.DEFERRED)
        return bool(self.response) and (happened or "kept" in self.content)
