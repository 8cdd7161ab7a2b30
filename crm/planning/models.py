"""Tasks, appointments, and what happened to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.customers.models import Contact, Customer
from crm.organisation import access
from routing.models import Queue

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User


class Priority(models.IntegerChoices):
    """How soon; the same four as a ticket's."""

    LOW = 1, _("Low")
    NORMAL = 2, _("Normal")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> TaskQuerySet:
        """Supervisors: all. Colleagues: their own, what they asked for, and their queues'. Customers: none."""
        if not access.is_staff(user):
            return self.none()
        if access.sees_all_tickets(user):
            return self.all()
        queues = user.queue_memberships.values("queue_id")
        return self.filter(Q(assignee=user) | Q(created_by=user) | Q(queue_id__in=queues))


class Task(models.Model):
    """Something that somebody here has to do. Changed only by `crm.planning.services`, which keep its history."""

    class Kind(models.TextChoices):
        """What is to be done."""

        TODO = "todo", _("To do")
        CALL_BACK = "call-back", _("Call back")
        FOLLOW_UP = "follow-up", _("Follow up")

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", pgettext_lazy("task", "Open")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Dropped")

    title = models.CharField(_("title"), max_length=250)
    note = models.TextField(_("note"), blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.TODO)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN, editable=False)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="tasks", verbose_name=_("contact")
    )
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, related_name="tasks", verbose_name=_("customer")
    )
    phone = models.CharField(_("phone number"), max_length=32, blank=True)
    """E.164; the number to call, where the contact has several or none."""
    reference = models.CharField(max_length=60, blank=True, editable=False)
    """What it is about: `ticket:123`, as in `TimelineEntry.reference`."""
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
        verbose_name=_("assignee"),
    )
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("queue")
    )
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    remind_at = models.DateTimeField(_("reminder"), null=True, blank=True)
    """When its people are told next; None once they were, or when nobody wants to be."""
    outcome = models.TextField(_("outcome"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    """None: a rule, or the system."""
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    link: tuple[str, str] | None = None
    """Label and address of what `reference` names, for a reader who may see it; set by `queries.link`."""

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = [F("due_at").asc(nulls_last=True), "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(assignee__isnull=False) | Q(queue__isnull=False), name="task_is_somebodys"
            )
        ]
        indexes = [
            models.Index(fields=["assignee", "due_at", "id"], name="task_assignee", condition=Q(state="open")),
            models.Index(fields=["queue", "due_at", "id"], name="task_queue", condition=Q(state="open")),
            models.Index(fields=["contact", "-id"], name="task_contact"),
            models.Index(fields=["customer", "-id"], name="task_customer"),
            models.Index(fields=["reference"], name="task_reference", condition=~Q(reference="")),
            models.Index(fields=["remind_at"], name="task_remind", condition=Q(state="open", remind_at__isnull=False)),
            models.Index(fields=["state", "-id"], name="task_state"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Somebody has to do it still."""
        return self.state == self.State.OPEN

    @property
    def is_overdue(self) -> bool:
        """Open, and its time has passed."""
        return self.is_open and self.due_at is not None and self.due_at < timezone.now()


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Appointments, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> AppointmentQuerySet:
        """Supervisors: all. Colleagues: their own, those they arranged, their queues'. A customer: his own."""
        if not access.is_person(user):
            return self.none()
        if not access.is_staff(user):
            return self.none() if user.is_staff else self.filter(contact__user=user)
        if access.sees_all_tickets(user):
            return self.all()
        queues = user.queue_memberships.values("queue_id")
        mine = Appointment.people.through.objects.filter(user=user).values("appointment_id")
        return self.filter(Q(pk__in=mine) | Q(created_by=user) | Q(queue_id__in=queues))


class Appointment(models.Model):
    """A time at which people call, meet or visit. Changed only by `crm.planning.services`."""

    class Kind(models.TextChoices):
        """What happens then."""

        CALL_BACK = "call-back", _("Call back")
        MEETING = "meeting", _("Meeting")
        VISIT = "visit", _("Visit")

    class State(models.TextChoices):
        """Where it stands."""

        AGREED = "agreed", _("Agreed")
        DONE = "done", _("Took place")
        MISSED = "missed", pgettext_lazy("appointment", "Missed")
        CANCELLED = "cancelled", _("Cancelled")

    class Source(models.TextChoices):
        """Where it was arranged."""

        DESK = "desk", _("By a colleague")
        PORTAL = "portal", _("On the portal")
        WIDGET = "widget", _("In the chat")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.CALL_BACK)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.AGREED, editable=False)
    topic = models.CharField(_("topic"), max_length=250)
    note = models.TextField(_("note"), blank=True)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="appointments", verbose_name=_("contact")
    )
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, related_name="appointments", verbose_name=_("customer")
    )
    phone = models.CharField(_("phone number"), max_length=32, blank=True)
    """E.164; the number to call."""
    place = models.CharField(_("place"), max_length=250, blank=True)
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, blank=True, related_name="appointments", verbose_name=_("queue")
    )
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="appointments", verbose_name=_("colleagues")
    )
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.DESK, editable=False)
    reference = models.CharField(max_length=60, blank=True, editable=False)
    remind_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its people are told; None once they were."""
    outcome = models.TextField(_("outcome"), blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        ordering = ["starts_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_it_begins")
        ]
        indexes = [
            models.Index(fields=["starts_at", "id"], name="appointment_start"),
            models.Index(fields=["queue", "starts_at", "id"], name="appointment_queue"),
            models.Index(fields=["contact", "-starts_at"], name="appointment_contact"),
            models.Index(fields=["customer", "-starts_at"], name="appointment_customer"),
            models.Index(
                fields=["remind_at"], name="appointment_remind", condition=Q(state="agreed", remind_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.topic

    @property
    def is_agreed(self) -> bool:
        """It is still to come, or nobody has said how it went."""
        return self.state == self.State.AGREED


class History(models.Model):
    """One change: who, what, from, to, when. Never changed afterwards."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=200, blank=True)
    """Kept when the user is gone; `rule: NAME` for a rule, empty for the system."""
    what = models.CharField(max_length=30)
    """The field or the deed: `made`, `state`, `assignee`, `queue`, `due_at` …"""
    old = models.CharField(max_length=300, blank=True)
    new = models.CharField(max_length=300, blank=True)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.what}: {self.old} → {self.new}"


class TaskEvent(History):
    """One change of a task."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="events")

    class Meta:
        verbose_name = _("task event")
        verbose_name_plural = _("task events")
        ordering = ["id"]


class AppointmentEvent(History):
    """One change of an appointment."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="events")

    class Meta:
        verbose_name = _("appointment event")
        verbose_name_plural = _("appointment events")
        ordering = ["id"]


class TaskReminder(models.Model):
    """Its people were told that a task is due then: the constraint makes it once."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="reminders")
    due_at = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "due_at"], name="task_reminder_once")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.due_at}"


class AppointmentReminder(models.Model):
    """Its people were told that an appointment begins then: the constraint makes it once."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="reminders")
    due_at = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appointment", "due_at"], name="appointment_reminder_once")]

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.due_at}"
