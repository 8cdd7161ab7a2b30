"""One utterance on a ticket."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Contact
from crm.service.models import Ticket
from inbox.models.channel import Channel


def preview(text: str, files: Iterable[str] = ()) -> str:
    """What lists show of something said: its words, or the names of its files where it has none."""
    return (" ".join(text.split()) or ", ".join(files))[:200]


class Message(models.Model):
    """Inbound, outbound, automatic, a note or a logged call. `seq` is the ticket's number when it was added."""

    class Kind(models.TextChoices):
        """Who speaks to whom."""

        INBOUND = "inbound", _("From the customer")
        OUTBOUND = "outbound", _("To the customer")
        AUTOMATIC = "automatic", _("Automatic answer")
        NOTE = "note", _("Internal note")
        CALL = "call", _("Call, visit or letter")

    PUBLIC = (Kind.INBOUND, Kind.OUTBOUND, Kind.AUTOMATIC)
    """What a customer may ever see, unless `hidden`."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="messages", db_index=False)
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    channel = models.ForeignKey(Channel, models.SET_NULL, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    from_address = models.CharField(max_length=320, blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    to = models.JSONField(default=list, blank=True)
    """`[[address, name], …]`"""
    cc = models.JSONField(default=list, blank=True)
    subject = models.CharField(max_length=1000, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    """As sent, NOT cleaned: `core.html.clean` is the last step before display."""
    reply_text = models.TextField(blank=True)
    """`text` without quotes and signature: what is shown first."""
    language = models.CharField(max_length=10, blank=True)
    mail_id = models.CharField(max_length=998, blank=True)
    """Message-ID of RFC 5322, without angle brackets."""
    automatic = models.CharField(max_length=30, blank=True)
    """Why it counts as written by a machine; empty for people."""
    unverified = models.BooleanField(default=False)
    """The sender claims a ticket that he does not take part in, or cannot be identified."""
    hidden = models.BooleanField(default=False)
    """Never shown to customers though it is no note (mail from somebody who takes no part in the ticket)."""
    authentication = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    """Readings that are shown or searched: parse errors, numbers found, intents, page URL."""
    sent_at = models.DateTimeField(null=True, blank=True)
    """What the sender's clock says; never used for order."""
    at = models.DateTimeField(default=timezone.now)
    indexed = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["ticket_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["ticket", "seq"], name="message_seq")]
        indexes = [models.Index(fields=["id"], name="message_unindexed", condition=Q(indexed=False))]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.seq}"


class ThreadKey(models.Model):
    """A Message-ID that belongs to a ticket: of its messages, and of ancestors that they name."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="thread_keys")
    digest = models.CharField(max_length=32)
    """First half of the SHA-256 of the id without angle brackets, hexadecimal."""
    ancestor = models.BooleanField(default=False)
    """True while only other mails name it: should that mail itself come late, it belongs here."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "ticket"], name="thread_key_once")]

    def __str__(self) -> str:
        return f"{self.digest} → {self.ticket_id}"
