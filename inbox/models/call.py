"""One call, visit or letter, however many events told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Contact
from crm.organisation import access
from crm.service.models import Ticket
from inbox.models.channel import Channel
from inbox.models.message import Message
from routing.models import Queue, QueueMember

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User

LATE = timedelta(minutes=15)
"""Who writes down within so long writes down at once."""


class CallQuerySet(models.QuerySet["Call"]):
    """Calls, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> CallQuerySet:
        """Supervisors: all. Agents: their queues', their own, those that rang at them, those on tickets they see."""
        if not access.works_tickets(user):
            return self.none()
        assert user is not None  # noqa: S101 - works_tickets lets no stranger through
        if access.sees_all_tickets(user):  # type: ignore[arg-type]
            return self.all()
        queues = list(QueueMember.objects.filter(user_id=user.pk).values_list("queue_id", flat=True))
        rang = Call.rang.through.objects.filter(user_id=user.pk).values("call_id")
        return self.filter(
            Q(queue_id__in=queues)
            | Q(agent_id=user.pk)
            | Q(logged_by_id=user.pk)
            | Q(pk__in=rang)
            | Q(ticket__in=Ticket.objects.visible_to(user).values("pk"))
        )


class Call(models.Model):
    """Times are those at which the telephone system told us. `number` is the other side's, in E.164, or empty."""

    class Kind(models.TextChoices):
        """What it was."""

        CALL = "call", _("Call")
        VISIT = "visit", _("Visit")
        LETTER = "letter", _("Letter")

    class Direction(models.TextChoices):
        """Who turned to whom."""

        IN = "in", _("Incoming")
        OUT = "out", _("Outgoing")

    class State(models.TextChoices):
        """Where it stands. It only ever goes forward: see `inbox.services.calls`."""

        RINGING = "ringing", _("Ringing")
        TALKING = "talking", _("Talking")
        ENDED = "ended", _("Answered")
        MISSED = "missed", _("Missed")
        UNREACHED = "unreached", _("Not reached")
        VOICEMAIL = "voicemail", _("Voicemail")
        FORWARDED = "forwarded", _("Forwarded")

    LIVE = (State.RINGING, State.TALKING)

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="calls", verbose_name=_("channel"))
    call_id = models.CharField(max_length=250)
    """The telephone system's name for it; `hand-…` for what a colleague wrote down."""
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.CALL)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices, default=Direction.IN)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RINGING)
    from_sent = models.CharField(max_length=100, blank=True)
    to_sent = models.CharField(max_length=100, blank=True)
    """Both as they were sent."""
    number = models.CharField(_("number"), max_length=32, blank=True)
    line = models.CharField(_("our number"), max_length=100, blank=True)
    """Our side: E.164 where it is a number, else as sent (an extension, a queue)."""
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("contact")
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("agent")
    )
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    """Who wrote it down by hand."""
    rang = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    """Whose card it rang on."""
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+", verbose_name=_("queue"))
    queue_sent = models.CharField(_("call queue"), max_length=100, blank=True)
    """The telephone system's queue, as sent."""
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answers = models.JSONField(default=list, blank=True, db_default=Value([], models.JSONField()))
    """Who has had it, as `[user, ISO time]` of the answers that named one colleague, the latest last."""
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    wait_seconds = models.PositiveIntegerField(_("wait"), null=True, blank=True)
    talk_seconds = models.PositiveIntegerField(_("talk"), null=True, blank=True)
    """None while it goes on, and where no event told when it began."""
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    recording_url = models.URLField(_("recording"), max_length=500, blank=True)
    ticket = models.ForeignKey(
        Ticket, models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("ticket")
    )
    message = models.OneToOneField(Message, models.SET_NULL, null=True, blank=True, related_name="call")
    logged_at = models.DateTimeField(null=True, blank=True)
    """When it was handed to the inbox, once it was over."""
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)
    note = models.TextField(_("notes"), blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-started_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["channel", "call_id"], name="call_once")]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="call_started"),
            models.Index(fields=["agent", "-started_at", "-id"], name="call_agent"),
            models.Index(fields=["queue", "-started_at", "-id"], name="call_queue"),
            models.Index(fields=["contact", "-started_at", "-id"], name="call_contact"),
            models.Index(fields=["state", "-started_at", "-id"], name="call_state"),
            models.Index(fields=["started_at"], name="call_live", condition=Q(state__in=["ringing", "talking"])),
            models.Index(fields=["ended_at"], name="call_unlogged", condition=Q(logged_at=None)),
        ]

    def __str__(self) -> str:
        return self.number or self.other_sent or self.call_id

    @property
    def other_sent(self) -> str:
        """The other side's number as it was sent."""
        return self.from_sent if self.direction == self.Direction.IN else self.to_sent

    @property
    def person(self) -> str:
        """The other side by name; empty when nobody knows."""
        return self.contact.name if self.contact else ""

    @property
    def company(self) -> str:
        """The customer that the contact belongs to."""
        return self.contact.customer.name if self.contact and self.contact.customer else ""

    @property
    def ticket_number(self) -> int | None:
        """What people call its ticket by."""
        return self.ticket.number if self.ticket else None

    @property
    def is_told_late(self) -> bool:
        """It was written down so long after it was that its message does not say when it was."""
        return bool(self.logged_by_id and self.logged_at and self.logged_at - self.started_at > self.length + LATE)

    @property
    def length(self) -> timedelta:
        """How long the talk was; nothing where nobody knows."""
        return timedelta(seconds=self.talk_seconds or 0)

    @property
    def is_live(self) -> bool:
        """It rings, or somebody talks."""
        return self.state in self.LIVE
