"""A file of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.service.models import Ticket
from inbox.models.message import Message

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Attachments, and who may fetch them."""

    def visible_to(self, user: User | AnonymousUser | None) -> AttachmentQuerySet:
        """Those of visible tickets; for customers never those of notes and hidden messages."""
        from crm.organisation import access

        found = self.filter(message__ticket__in=Ticket.objects.visible_to(user))
        if access.is_staff(user):
            return found
        return found.filter(message__kind__in=Message.PUBLIC, message__hidden=False)


class Verdict(models.TextChoices):
    """What is known of a file."""

    WAITING = "waiting", _("Not checked yet")
    CLEAN = "clean", _("No virus found")
    VIRUS = "virus", _("Virus found")
    UNKNOWN = "unknown", _("Could not be checked")


def first_verdict() -> str:
    """What a new file begins with."""
    return Verdict.WAITING if settings.SCANNER else ""


class Attachment(models.Model):
    """The bytes lie under a random name; what the sender called it is only shown."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    """As claimed; downloads use a type from our own list."""
    size = models.PositiveBigIntegerField(_("size"))
    blob = models.CharField(max_length=120)
    """Name of the file with the bytes, below MEDIA_ROOT/attachments."""
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, default=first_verdict)
    """What the virus scanner says; empty where there was none when the file came."""
    finding = models.CharField(max_length=200, blank=True)
    """What the scanner calls it."""
    content_id = models.CharField(max_length=250, blank=True)
    inline = models.BooleanField(default=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], name="attachment_unscanned", condition=Q(verdict="waiting"))]

    def __str__(self) -> str:
        return self.name
