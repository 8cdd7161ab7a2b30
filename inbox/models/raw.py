"""The journal: every message as it came, before anybody understood it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.ledger import LedgerRow
from core.said import SaidField
from inbox.models.channel import Channel


class RawMessage(LedgerRow):
    """One message of one channel, kept as bytes in `blob` and never changed. Its own work list (see core.ledger)."""

    class State(models.TextChoices):
        """Where it stands."""

        HELD = "held", _("Waiting for confirmation")
        STORED = "stored", _("Waiting")
        DONE = "done", _("Done")
        DEAD = "dead", _("Quarantined")

    class Outcome(models.TextChoices):
        """What became of it."""

        OPENED = "opened", _("Opened a ticket")
        APPENDED = "appended", _("Added to a ticket")
        REOPENED = "reopened", _("Reopened a ticket")
        REPORT = "delivery-report", _("Delivery report")
        IGNORED = "ignored", _("Ignored")
        DUPLICATE = "duplicate", _("Duplicate")
        QUARANTINED = "quarantined", _("Quarantined")

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="raw_messages", db_index=False)
    folder = models.CharField(max_length=200, blank=True)
    uidvalidity = models.BigIntegerField(default=0)
    uid = models.BigIntegerField(default=0)
    external_id = models.CharField(max_length=200, blank=True)
    """For what has no UID: the id that the door gives it, so that a repeated call stores it once."""
    blob = models.CharField(max_length=120, blank=True)
    """Name of the file with the bytes, below MEDIA_ROOT/raw; empty when they stand in `body`."""
    body = models.BinaryField(null=True, blank=True)
    """The bytes where they are few, as of a line in a chat: a file for each would cost more than all the rest."""
    digest = models.CharField(max_length=64)
    """SHA-256 of the bytes, hexadecimal."""
    size = models.PositiveBigIntegerField()
    received_at = models.DateTimeField(default=timezone.now)
    facts = models.JSONField(default=dict, blank=True)
    """What the door knows and the bytes do not: envelope, peer address, the portal user."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.STORED)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    reason = SaidField(max_length=300, blank=True)
    answer = models.CharField(max_length=120, blank=True)
    """The automatic answer: `queued`, or why there is none."""
    fingerprint = models.CharField(max_length=64, blank=True)
    """Message-ID and content as one hash: the same mail in another folder or mailbox is known by it."""
    ticket = models.ForeignKey("service.Ticket", models.SET_NULL, null=True, blank=True, related_name="+")
    message = models.ForeignKey("inbox.Message", models.SET_NULL, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("received message")
        verbose_name_plural = _("received messages")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "folder", "uidvalidity", "uid"], condition=Q(uid__gt=0), name="raw_uid_once"
            ),
            models.UniqueConstraint(
                fields=["channel", "external_id"], condition=~Q(external_id=""), name="raw_external_once"
            ),
        ]
        indexes = [
            models.Index(fields=["next_at", "id"], name="raw_waiting", condition=Q(state="stored")),
            models.Index(fields=["state", "-id"], name="raw_state"),
            models.Index(fields=["fingerprint"], name="raw_fingerprint", condition=~Q(fingerprint="")),
            models.Index(fields=["channel", "-id"], name="raw_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.folder}/{self.uid or self.external_id}"
