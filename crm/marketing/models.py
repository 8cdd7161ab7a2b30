"""Scripts for calls, and lists of people to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.ledger import LedgerRow
from crm.customers.models import Contact
from crm.organisation import access
from crm.organisation.roles import ADMINISTRATOR, MARKETER, SUPERVISOR
from crm.planning.models import History
from routing.models import BusinessHours, Queue

if TYPE_CHECKING:
    from datetime import date

    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User

LEADS = frozenset({ADMINISTRATOR, SUPERVISOR, MARKETER})
"""Who writes scripts and makes lists."""


class StaffQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """What colleagues see and customers do not."""

    def visible_to(self, user: User | AnonymousUser | None) -> StaffQuerySet:
        """Everything for staff, nothing for anybody else."""
        return self.all() if access.is_staff(user) else self.none()


class CallScript(models.Model):
    """What to say and ask in a call, in several languages."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    active = models.BooleanField(_("in use"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    objects = StaffQuerySet.as_manager()

    class Meta:
        verbose_name = _("call script")
        verbose_name_plural = _("call scripts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ScriptText(models.Model):
    """The beginning and the end of a call in one language. Merge fields are those of `core.merge_fields`."""

    script = models.ForeignKey(CallScript, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    opening = models.TextField(_("opening"))
    closing = models.TextField(_("closing"), blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["script", "language"], name="script_language_once")]

    def __str__(self) -> str:
        return f"{self.script_id} ({self.language})"


class ScriptStep(models.Model):
    """One question of the call, in one language."""

    script = models.ForeignKey(CallScript, models.CASCADE, related_name="steps")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    position = models.PositiveSmallIntegerField(default=0)
    question = models.CharField(_("question"), max_length=500)
    hint = models.CharField(_("hint"), max_length=500, blank=True)
    """What helps the colleague: usual answers and what to say to them."""

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["language", "position", "id"]

    def __str__(self) -> str:
        return self.question


class CallListQuerySet(models.QuerySet["CallList"]):
    """Call lists, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> CallListQuerySet:
        """Marketers, supervisors: all. Other colleagues: those they work, once begun. Customers: none."""
        if not access.is_staff(user):
            return self.none()
        if user.roles & LEADS:
            return self.all()
        queues = user.queue_memberships.values("queue_id")
        mine = CallList.people.through.objects.filter(user=user).values("calllist_id")
        return self.filter(Q(pk__in=mine) | Q(queue_id__in=queues)).exclude(state=CallList.State.DRAFT)


class CallList(models.Model):
    """People to be called for one purpose. Changed only by `crm.marketing.services`."""

    class State(models.TextChoices):
        """Where it stands."""

        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")

    name = models.CharField(_("name"), max_length=150, unique=True)
    purpose = models.TextField(_("purpose"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False)
    script = models.ForeignKey(
        CallScript, models.PROTECT, null=True, blank=True, related_name="lists", verbose_name=_("script")
    )
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("queue"))
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="call_lists", verbose_name=_("colleagues")
    )
    hours = models.ForeignKey(BusinessHours, models.PROTECT, related_name="+", verbose_name=_("calls are allowed in"))
    """Read by the clock of whoever is called, holidays included."""
    starts_on = models.DateField(_("from"), null=True, blank=True)
    ends_on = models.DateField(_("until"), null=True, blank=True)
    """The last day; days are those of the zone of `hours`."""
    max_tries = models.PositiveSmallIntegerField(
        _("tries at most"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    days_between = models.PositiveSmallIntegerField(
        _("days between tries"), default=1, validators=[MaxValueValidator(90)]
    )
    zones = models.JSONField(default=list, editable=False)
    """Time zones of its entries, so that the next one is looked for only where calls are allowed now."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    objects = CallListQuerySet.as_manager()

    class Meta:
        verbose_name = _("call list")
        verbose_name_plural = _("call lists")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="call_list_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def today(self) -> date:
        """The day it is where the list is at home."""
        return timezone.now().astimezone(ZoneInfo(self.hours.time_zone)).date()

    @property
    def is_in_period(self) -> bool:
        """Today is one of its days."""
        day = self.today
        return (self.starts_on is None or day >= self.starts_on) and (self.ends_on is None or day <= self.ends_on)


class CallListEvent(History):
    """One change of a call list."""

    call_list = models.ForeignKey(CallList, models.CASCADE, related_name="events")

    class Meta:
        verbose_name = _("call list event")
        verbose_name_plural = _("call list events")
        ordering = ["id"]


class Outcome(models.TextChoices):
    """How a call ended."""

    AGREED = "agreed", _("Agreed")
    TALKED = "talked", _("Talked")
    DECLINED = "declined", _("Not interested")
    LATER = "later", _("Call again later")
    NO_ANSWER = "no-answer", _("No answer")
    BUSY = "busy", _("Busy")
    MACHINE = "machine", _("Answering machine")
    WRONG = "wrong", _("Wrong number")
    REFUSED = "refused", _("Wants no more calls")


class CallListEntryQuerySet(models.QuerySet["CallListEntry"]):
    """Entries, and who may see them."""

    def visible_to(self, user: User | AnonymousUser | None) -> CallListEntryQuerySet:
        """Those of lists that the user may see."""
        return self.filter(call_list__in=CallList.objects.visible_to(user))


class CallListEntry(models.Model):
    """One number to be called. A number is on a list once."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", _("To be called")
        CLAIMED = "claimed", _("In a call")
        DONE = "done", _("Reached")
        FAILED = "failed", _("Not reached")
        BLOCKED = "blocked", _("Must not be called")

    call_list = models.ForeignKey(CallList, models.CASCADE, related_name="entries")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="call_entries", verbose_name=_("contact"))
    number = models.CharField(_("number"), max_length=32)
    """E.164."""
    zone = models.CharField(max_length=80, blank=True)
    """Time zone of whoever is called; two with a blank between where the number leaves it open; empty: the list's."""
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_at = models.DateTimeField(_("next try"), default=timezone.now)
    outcome = models.CharField(_("last outcome"), max_length=10, choices=Outcome.choices, blank=True)
    note = models.TextField(_("note"), blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("colleague")
    )
    """Who calls, or called last."""
    claimed_until = models.DateTimeField(null=True, blank=True)
    """Somebody else may take it after that."""
    called_at = models.DateTimeField(_("last call"), null=True, blank=True)

    objects = CallListEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of a call list")
        verbose_name_plural = _("entries of call lists")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["call_list", "number"], name="call_entry_once"),
            models.UniqueConstraint(
                fields=["call_list", "claimed_by"], name="call_claim_once", condition=Q(state="claimed")
            ),
        ]
        indexes = [
            models.Index(
                fields=["call_list", "zone", "next_at", "id"], name="call_entry_next", condition=Q(state="open")
            ),
            models.Index(fields=["call_list", "claimed_until"], name="call_entry_lease", condition=Q(state="claimed")),
            models.Index(fields=["call_list", "state", "id"], name="call_entry_state"),
            models.Index(fields=["contact", "-id"], name="call_entry_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.call_list_id})"


class CallTry(models.Model):
    """One call that was made for an entry. Never changed afterwards."""

    entry = models.ForeignKey(CallListEntry, models.CASCADE, related_name="calls")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    note = models.TextField(blank=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.outcome}"


class CallListImport(LedgerRow):
    """People on their way into a list, in steps that no page waits for.

    A file is looked through first, and taken in once somebody has read the report. A search is taken in at once.
    """

    class State(models.TextChoices):
        """Where it stands."""

        READING = "reading", _("Being read")
        UPLOADED = "uploaded", _("Waiting for the column names")
        CHECKING = "checking", _("Checking")
        READY = "ready", _("Ready to import")
        RUNNING = "running", _("Importing")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Failed")

    call_list = models.ForeignKey(CallList, models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    file = models.FileField(upload_to="call-lists/")
    search = models.JSONField(null=True, editable=False)
    """`queries.Search` as JSON, when the people come from a search; then there is no file."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    region = models.CharField(_("country of numbers without +"), max_length=2, blank=True)
    """ISO 3166."""
    columns = models.JSONField(default=dict)
    """Which column (from 0) holds which of `importing.FIELDS`."""
    begin = models.JSONField(null=True, editable=False)
    """The first rows of a workbook, for whoever names the columns: reading them takes seconds."""
    has_heading = models.BooleanField(default=True)
    report = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_at"], name="call_import_waiting", condition=Q(state__in=["checking", "running"]))
        ]

    def __str__(self) -> str:
        return self.name
