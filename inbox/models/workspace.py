"""What the workspace remembers of its users."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.service.models import Ticket


class SavedView(models.Model):
    """A filter with a name: one person's, or everybody's when `user` is empty."""

    name = models.CharField(_("name"), max_length=80)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="saved_views"
    )
    filters = models.JSONField(default=dict)
    """Keys of `inbox.queries.FILTERS` with their values."""
    position = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Submission(models.Model):
    """What a colleague sent off, by the id that his browser gave it: the same again is the same message."""

    message = models.OneToOneField("inbox.Message", models.CASCADE, primary_key=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    client_id = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["author", "client_id"], name="submission_once")]

    def __str__(self) -> str:
        return f"{self.author_id}/{self.client_id}"


class TicketSeen(models.Model):
    """How far a colleague has read a ticket: the guard against answering over an unseen message."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="seen")
    seq = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="seen_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.ticket_id}:{self.seq}"


class Mention(models.Model):
    """A colleague was named in an internal note."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="mentions")
    message = models.ForeignKey("inbox.Message", models.CASCADE, related_name="mentions")

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [models.UniqueConstraint(fields=["user", "ticket", "message"], name="mention_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.message_id}"
