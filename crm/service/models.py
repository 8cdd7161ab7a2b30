"""The ticket, and everything that is known of its life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.composed import Composed
from core.said import SaidField
from crm.customers.models import Contact, Customer, Tag
from crm.organisation import access
from routing.models import Queue, QueueMember, Rule, SLAPolicy

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User

NUMBER_OFFSET = 100_000
"""Ticket numbers have six digits from the first day."""


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> TicketQuerySet:
        """Supervisors: all. Agents: their queues' and their own. Customers: those they take part in. Others: none."""
        if not access.is_person(user):
            return self.none()
        if access.is_staff(user):
            if not access.works_tickets(user):
                return self.none()
            return self.worked_by(user.pk, queues_worked_by(user))
        mine = TicketParticipant.objects.filter(contact__user=user).values("ticket_id")
        return self.filter(pk__in=mine).exclude(status=Ticket.Status.MERGED)

    def worked_by(self, user: int, queues: Sequence[int] | None) -> TicketQuerySet:
        """Those in these queues, those shown in them as well, and those that are the colleague's own; None: all."""
        if queues is None:
            return self.all()
        also = TicketQueue.objects.filter(queue_id__in=queues).values("ticket_id")
        return self.filter(Q(queue_id__in=queues) | Q(assignee_id=user) | Q(pk__in=also))

    def numbered(self, number: str | int) -> TicketQuerySet:
        """The ticket with this number, or none."""
        text = str(number)
        return (
            self.filter(pk=int(text) - NUMBER_OFFSET)
            if text.isascii() and text.isdigit() and len(text) < 18
            else self.none()
        )


def queues_worked_by(user: User) -> list[int] | None:
    """Keys of the queues that a colleague who works tickets is a member of; None for one who sees all."""
    return None if access.sees_all_tickets(user) else _queues_of(user.pk)


_queues_of = Composed(lambda user: QueueMember.objects.filter(user_id=user).values_list("queue_id", flat=True))


class Ticket(models.Model):
    """One service request. Changed only by `crm.service.changes.Change`, which keeps its history."""

    class Status(models.TextChoices):
        """Where it stands."""

        NEW = "new", _("New")
        OPEN = "open", _("Open")
        PENDING = "pending", _("Waiting for customer")
        SNOOZED = "snoozed", _("Snoozed")
        RESOLVED = "resolved", _("Resolved")
        CLOSED = "closed", _("Closed")
        MERGED = "merged", _("Merged")

    class Priority(models.IntegerChoices):
        """How soon."""

        LOW = 1, _("Low")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High")
        URGENT = 4, _("Urgent")

    WORKING = (Status.NEW, Status.OPEN)
    """Somebody here has to do something."""
    UNFINISHED = (Status.NEW, Status.OPEN, Status.PENDING, Status.SNOOZED)

    subject = models.CharField(_("subject"), max_length=250, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.NEW)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    # The composite indexes below begin with these four keys; one of their own would only cost every change.
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="tickets", db_index=False, verbose_name=_("queue"))
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        db_index=False,
        verbose_name=_("assignee"),
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, related_name="tickets", db_index=False, verbose_name=_("contact")
    )
    customer = models.ForeignKey(
        Customer,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        db_index=False,
        verbose_name=_("customer"),
    )
    origin = models.CharField(_("came by"), max_length=20, blank=True)
    """Kind of the channel it came by."""
    language = models.CharField(_("language"), max_length=10, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="tickets", verbose_name=_("tags"))
    sequence = models.PositiveIntegerField(default=0)
    """Raised under the row's lock by every message and every change: a browser asks for all after N."""
    preview = models.CharField(max_length=200, blank=True)
    """Beginning of the last message, for lists."""
    message_count = models.PositiveIntegerField(default=0)
    """Messages of the customer and answers of colleagues; notes and machines do not count."""

    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    activity_at = models.DateTimeField(_("last activity"), default=timezone.now)
    waiting_since = models.DateTimeField(null=True, blank=True)
    """First inbound message that nobody has answered; None when it is the customer's turn."""
    first_answered_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)

    sla = models.ForeignKey(SLAPolicy, models.SET_NULL, null=True, blank=True, related_name="+")
    first_answer_due = models.DateTimeField(null=True, blank=True)
    next_answer_due = models.DateTimeField(null=True, blank=True)
    solution_due = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    """The nearest of the promises that are still open."""
    warn_at = models.DateTimeField(null=True, blank=True)
    """The first moment at which one of them is nearly missed; now, when they have to be computed again."""
    stands_since = models.DateTimeField(null=True, blank=True)
    """Since then the clock of the solution stands still: we wait for the customer, or it is finished."""
    stood_minutes = models.PositiveIntegerField(default=0)
    """Minutes of business time for which it stood still before."""
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="merged_tickets")

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-activity_at", "-id"]
        indexes = [
            models.Index(fields=["status", "-activity_at", "-id"], name="ticket_status"),
            models.Index(fields=["-activity_at", "-id"], name="ticket_activity"),
            models.Index(fields=["queue", "status", "-activity_at", "-id"], name="ticket_queue"),
            models.Index(fields=["assignee", "status", "-activity_at", "-id"], name="ticket_assignee"),
            models.Index(fields=["contact", "-activity_at", "-id"], name="ticket_contact"),
            models.Index(fields=["customer", "-activity_at", "-id"], name="ticket_customer"),
            models.Index(
                fields=["-activity_at", "-id"], name="ticket_working", condition=Q(status__in=["new", "open"])
            ),
            models.Index(
                fields=["queue", "-activity_at", "-id"],
                name="ticket_queue_working",
                condition=Q(status__in=["new", "open"]),
            ),
            models.Index(fields=["due_at"], name="ticket_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["warn_at"], name="ticket_warn", condition=Q(warn_at__isnull=False)),
            models.Index(
                fields=["due_at", "id"],
                name="ticket_due_working",
                condition=Q(due_at__isnull=False, status__in=["new", "open"]),
            ),
            models.Index(
                fields=["-activity_at", "-id"],
                name="ticket_unassigned",
                condition=Q(assignee=None, status__in=["new", "open"]),
            ),
            models.Index(
                fields=["priority", "-activity_at", "-id"],
                name="ticket_priority_working",
                condition=Q(status__in=["new", "open"]),
            ),
            # Two values of the leading column of `ticket_status` would have to be sorted together.
            models.Index(
                fields=["-activity_at", "-id"], name="ticket_finished", condition=Q(status__in=["resolved", "closed"])
            ),
            models.Index(fields=["snoozed_until"], name="ticket_snoozed", condition=Q(status="snoozed")),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    @property
    def number(self) -> int:
        """What people call the ticket by."""
        return self.pk + NUMBER_OFFSET

    @property
    def is_finished(self) -> bool:
        """Resolved, closed or merged."""
        return self.status not in self.UNFINISHED


class TicketParticipant(models.Model):
    """A contact who takes part: may answer by mail into the ticket, and sees it on the portal."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="participants", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="participations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "contact"], name="participant_once")]

    def __str__(self) -> str:
        return f"{self.contact} on {self.ticket_id}"


class TicketQueue(models.Model):
    """A further queue that sees the ticket: the mail was sent to two of our addresses."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="also_in")
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "queue"], name="ticket_queue_once")]
        indexes = [models.Index(fields=["queue", "ticket"], name="ticket_also_queue")]

    def __str__(self) -> str:
        return f"{self.ticket_id} in {self.queue}"


class TicketEvent(models.Model):
    """One change of a ticket: who, what, from, to, why. Never changed afterwards."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=200, blank=True)
    """Who did it, kept when the user is gone: a colleague, a contact, `rule: NAME`, or empty for the system."""
    what = models.CharField(max_length=30)
    """The field or the deed: `status`, `assignee`, `queue`, `tags`, `opened`, `merged`, `rated` …"""
    old = models.CharField(max_length=300, blank=True)
    new = models.CharField(max_length=300, blank=True)
    why = SaidField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("ticket event")
        verbose_name_plural = _("ticket events")
        ordering = ["ticket_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["ticket", "seq"], name="ticket_event_seq")]

    def __str__(self) -> str:
        return f"{self.what}: {self.old} → {self.new}"


class TicketLink(models.Model):
    """Two tickets that have to do with each other."""

    class Kind(models.TextChoices):
        """How."""

        UNVERIFIED = "unverified", _("Claims to belong to")
        RELATED = "related", _("Related")
        SPLIT = "split", _("Split from")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="links")
    other = models.ForeignKey(Ticket, models.CASCADE, related_name="linked_from")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("ticket link")
        verbose_name_plural = _("ticket links")
        constraints = [models.UniqueConstraint(fields=["ticket", "other", "kind"], name="ticket_link_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.other_id}"


class TicketMerge(models.Model):
    """One merge, with all that moved, so that it can be undone."""

    source = models.ForeignKey(Ticket, models.CASCADE, related_name="merges_out")
    target = models.ForeignKey(Ticket, models.CASCADE, related_name="merges_in")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("ticket merge")
        verbose_name_plural = _("ticket merges")

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"


class Escalation(models.Model):
    """A promise that was (nearly) missed was told once: the constraint makes it once."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="escalations")
    clock = models.CharField(max_length=12)
    """`first`, `next` or `solution`."""
    level = models.CharField(max_length=10)
    """`warning` or `breach`."""
    since = models.DateTimeField()
    """When the clock began to run: what was told of a promise is not told again when its time is moved."""
    due_at = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        constraints = [models.UniqueConstraint(fields=["ticket", "clock", "level", "since"], name="escalation_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.clock} {self.level}"


class TimedRule(models.Model):
    """A rule that time brings about did its work on a ticket, `at`: not again before a new stretch of time begins."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="+", db_index=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "ticket"], name="timed_rule_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.ticket_id}"


class Satisfaction(models.Model):
    """What the customer says of our answers: 1 (bad) to 5 (good). One a ticket; a new rating replaces the old."""

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="satisfaction")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.score}"
