"""When we work, and what we promise in that time."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.zones import known


def validate_time_zone(value: str) -> None:
    """Raise ValidationError for a name that the IANA database does not have."""
    if value not in known():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": value})


class BusinessHours(models.Model):
    """One calendar for promises, rules and automatic answers."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=50, default="UTC", validators=[validate_time_zone])
    revision = models.UUIDField(default=uuid.uuid4, editable=False)
    """New whenever the hours, a shift or a holiday is saved or deleted: built calendars are kept by it."""

    class Meta:
        verbose_name = _("business hours")
        verbose_name_plural = _("business hours")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **fields: Any) -> None:
        """Save, and forget what was built of it."""
        self.revision = uuid.uuid4()
        if fields.get("update_fields") is not None:
            fields["update_fields"] = {*fields["update_fields"], "revision"}
        super().save(*args, **fields)


class PartOfHours(models.Model):
    """Something whose change changes the calendar. Rows made in bulk do not tell: save the hours after them."""

    hours: models.ForeignKey[BusinessHours, BusinessHours]

    class Meta:
        abstract = True

    def save(self, *args: Any, **fields: Any) -> None:
        """Save, and give the hours a new revision."""
        super().save(*args, **fields)
        self.hours.save(update_fields=["revision"])

    def delete(self, *args: Any, **fields: Any) -> tuple[int, dict[str, int]]:
        """Delete, and give the hours a new revision."""
        gone = super().delete(*args, **fields)
        self.hours.save(update_fields=["revision"])
        return gone


class Shift(PartOfHours):
    """A stretch of one weekday; several make a split day. It may end at 24:00, written 00:00."""

    class Weekday(models.IntegerChoices):
        """ISO order, Monday first, counted from 0 as `date.weekday()` does."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    hours = models.ForeignKey(BusinessHours, models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("to"))

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering = ["weekday", "opens"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Holiday(PartOfHours):
    """A day that differs: closed, or open for other hours (a working weekend before a Chinese holiday).

    A split day has several rows, one a stretch.
    """

    hours = models.ForeignKey(BusinessHours, models.CASCADE, related_name="holidays")
    day = models.DateField(_("day"))
    name = models.CharField(_("name"), max_length=100, blank=True)
    opens = models.TimeField(_("from"), null=True, blank=True)
    closes = models.TimeField(_("to"), null=True, blank=True)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering = ["day", "opens"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


_LONGEST = MaxValueValidator(525_600, _("A promise can be a year of minutes (525,600) at most."))


class SLAPolicy(models.Model):
    """What we promise, in minutes of business hours; empty means no promise."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    hours = models.ForeignKey(
        BusinessHours, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("business hours")
    )
    first_answer = models.PositiveIntegerField(
        _("first answer (minutes)"), null=True, blank=True, validators=[_LONGEST]
    )
    next_answer = models.PositiveIntegerField(_("next answer (minutes)"), null=True, blank=True, validators=[_LONGEST])
    solution = models.PositiveIntegerField(_("solution (minutes)"), null=True, blank=True, validators=[_LONGEST])
    warn_percent = models.PositiveSmallIntegerField(
        _("warn when this much of the time is gone (%)"),
        default=75,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
    )

    class Meta:
        verbose_name = _("SLA policy")
        verbose_name_plural = _("SLA policies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
