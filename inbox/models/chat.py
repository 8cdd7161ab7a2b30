"""Visitors of the web chat: who they are as far as we know, their tokens, and the talks they have."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Contact
from crm.service.models import Ticket
from inbox.models.channel import Channel

TALK_SPAN = 1_000_000
"""A visitor's events have one order over all his talks: number of the talk × this + sequence number of its ticket."""


class Visitor(models.Model):
    """Somebody on a page with the widget. What he says of himself is a claim; only `identifier` is proved."""

    class EmailState(models.TextChoices):
        """What is known of the address he gave."""

        CLAIMED = "claimed"
        ASKED = "asked"
        CONFIRMED = "confirmed"

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="visitors")
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="visitors")
    """His own contact, made when he first speaks; the contact of his identity once that is proved."""
    identifier = models.CharField(max_length=200, blank=True)
    """Who the embedding site says he is, proved by its signature."""
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    """As he claims, normalised; never a reason to show him anything."""
    email_state = models.CharField(max_length=10, default=EmailState.CLAIMED, db_default=EmailState.CLAIMED)
    attributes = models.JSONField(default=dict, blank=True)
    locale = models.CharField(max_length=10, default="en")
    """Language of the widget's words."""
    browser_language = models.CharField(max_length=35, blank=True)
    zone = models.CharField(max_length=64, blank=True, db_default="")
    """Time zone of his browser (IANA), when it is one that we know."""
    page_url = models.CharField(max_length=2000, blank=True)
    page_title = models.CharField(max_length=300, blank=True)
    referrer = models.CharField(max_length=2000, blank=True)
    former = models.JSONField(default=list, blank=True)
    """Addresses of visitors that turned out to be this one when he proved who he is."""
    visits = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    """Last sign of life: a request, or an open socket."""

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "identifier"], condition=~Q(identifier=""), name="visitor_identity_once"
            )
        ]
        indexes = [models.Index(fields=["seen_at"], name="visitor_seen")]

    def __str__(self) -> str:
        return self.name or self.address

    @property
    def address(self) -> str:
        """What messages and deliveries call him."""
        return f"visitor-{self.pk}"

    @property
    def addresses(self) -> frozenset[str]:
        """All that messages to and from him may be addressed by."""
        return frozenset([self.address, *self.former])


class VisitorKey(models.Model):
    """One token of a visitor: a browser has one. Only its digest is kept."""

    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="keys")
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token, hexadecimal."""
    made_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["until"], name="visitor_key_until")]

    def __str__(self) -> str:
        return f"{self.visitor_id} until {self.until:%Y-%m-%d}"


class Conversation(models.Model):
    """The live side of a ticket that a visitor talks in. A visitor has one open at a time."""

    class Ended(models.TextChoices):
        """Who ended it."""

        VISITOR = "visitor", _("Visitor")
        AGENT = "agent", _("Colleague")
        IDLE = "idle", _("The visitor had left")

    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="conversations")
    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="chat")
    number = models.PositiveIntegerField(default=0)
    """0 for the visitor's first; see TALK_SPAN."""
    opened_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(default=timezone.now)
    """Its place in the line while its ticket has no assignee; whoever comes back to the line keeps his place."""
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, choices=Ended.choices, blank=True)
    visitor_seen = models.PositiveIntegerField(default=0)
    """Sequence number of the ticket up to which the visitor has read."""
    fetched = models.PositiveIntegerField(default=0)
    """Up to which his browser was given the events."""
    agent_seen = models.PositiveIntegerField(default=0)
    """Up to which a colleague has read."""

    class Meta:
        verbose_name = _("chat")
        verbose_name_plural = _("chats")
        constraints = [
            models.UniqueConstraint(fields=["visitor", "number"], name="conversation_number"),
            models.UniqueConstraint(fields=["visitor"], condition=Q(ended_at=None), name="conversation_open_once"),
        ]
        indexes = [models.Index(fields=["waiting_since", "id"], name="conversation_open", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.visitor_id}/{self.number}"

    @property
    def base(self) -> int:
        """What is added to the ticket's numbers for the visitor."""
        return self.number * TALK_SPAN

    @property
    def is_open(self) -> bool:
        """Whether the talk goes on: nobody ended it, and its ticket is not finished."""
        return self.ended_at is None and not self.ticket.is_finished
