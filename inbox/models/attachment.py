"""A file of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
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


class Attachment(models.Model):
    """The bytes lie under a random name; what the sender called it is only shown."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    """As claimed; downloads use a type from our own list."""
    size = models.PositiveBigIntegerField(_("size"))
    blob = models.CharField(max_length=120)
    """Name of the file with the bytes, below MEDIA_ROOT/attachments."""
    content_id = models.CharField(max_length=250, blank=True)
    inline = models.BooleanField(default=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
