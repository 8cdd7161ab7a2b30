"""The pages of a fax, and where drawing them stands."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.ledger import LedgerRow
from inbox.models.message import Message
from inbox.models.raw import RawMessage


class FaxDocument(LedgerRow):
    """One fax as pages; its own work list (see core.ledger). One that came belongs to its row of the journal.

    One that we send belongs to its message; so does one that is drawn again because a colleague asks for it.
    """

    class State(models.TextChoices):
        """Where drawing it stands."""

        WAITING = "waiting", _("Waiting for its pages")
        READY = "ready", _("Pages ready")
        UNAVAILABLE = "unavailable", _("Preview unavailable")

    raw = models.OneToOneField(RawMessage, models.CASCADE, null=True, blank=True, related_name="fax")
    message = models.OneToOneField(Message, models.CASCADE, null=True, blank=True, related_name="fax")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=20, blank=True)
    """Why there is no page, or not every one: a key of `inbox.channels.fax.pages.rendering.WORDS`."""
    count = models.PositiveIntegerField(default=0)
    """Pages of the document, also of those that could not be drawn."""
    damaged = models.BooleanField(default=False)
    text = models.TextField(blank=True)
    """What was read from the pages."""
    told = models.BooleanField(default=False)
    """True when the message has got the text."""
    turn = models.PositiveSmallIntegerField(default=0)
    """Degrees by which colleagues turned the pages, clockwise."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("fax")
        verbose_name_plural = _("faxes")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at", "id"], name="fax_waiting", condition=Q(state="waiting")),
            models.Index(fields=["id"], name="fax_untold", condition=Q(told=False) & ~Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class FaxPage(models.Model):
    """One page as pictures of our own making, below MEDIA_ROOT/fax."""

    document = models.ForeignKey(FaxDocument, models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    picture = models.CharField(max_length=120)
    thumb = models.CharField(max_length=120)

    class Meta:
        ordering = ["document_id", "number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="fax_page_once")]

    def __str__(self) -> str:
        return f"{self.document_id}/{self.number}"
