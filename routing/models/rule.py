"""Rules, what they did, and the words they understand."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Rule(models.Model):
    """When something happens and these conditions hold, do this. Rules of one event run in `position` order."""

    class Event(models.TextChoices):
        """What starts a rule."""

        MESSAGE_RECEIVED = "message.received", _("A message arrives")
        TICKET_OPENED = "ticket.opened", _("A ticket is opened")
        TICKET_CHANGED = "ticket.changed", _("A ticket is changed")
        TICKET_IDLE = "ticket.idle", _("Nothing has happened for a while")
        TICKET_WAITING = "ticket.waiting", _("A customer waits for an answer")
        TICKET_ESCALATED = "ticket.escalated", _("A promised time is near or missed")

    AFTER = {Event.TICKET_IDLE: "idle_minutes", Event.TICKET_WAITING: "waiting_minutes"}
    """Events that time brings about, and the fact that says how many minutes it took."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    event = models.CharField(_("when"), max_length=20, choices=Event.choices, default=Event.MESSAGE_RECEIVED)
    position = models.PositiveIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)
    conditions = models.JSONField(default=dict, blank=True)
    """A group: `{"match": "all"|"any"|"none", "items": [group | {"fact": …, "operator": …, "value": …}]}`."""
    actions = models.JSONField(default=list, blank=True)
    """A list of `{"action": NAME, …parameters}`, done in order."""
    idle_minutes = models.PositiveIntegerField(_("after (minutes)"), null=True, blank=True)
    """For the events in `AFTER`."""
    stop = models.BooleanField(_("no further rules after this one"), default=False)
    paused_because = models.CharField(max_length=300, blank=True, editable=False)
    """Set when the rule was stopped for going round in circles; cleared when it is saved again."""
    revision = models.UUIDField(default=uuid.uuid4, editable=False)
    """New at every save: built rules are kept by it."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["event", "position", "id"]
        indexes = [models.Index(fields=["event", "position", "id"], name="rule_order")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **fields: Any) -> None:
        """Save; a paused rule gets another chance, and built copies of it are forgotten."""
        self.paused_because = ""
        self.revision = uuid.uuid4()
        if fields.get("update_fields") is not None:
            fields["update_fields"] = {*fields["update_fields"], "paused_because", "revision", "updated_at"}
        super().save(*args, **fields)

    def clean(self) -> None:
        """Build the conditions and actions: what cannot be built cannot be saved."""
        from routing.engine import RuleInvalid, compile_rule

        try:
            compile_rule(self)
        except RuleInvalid as fault:
            raise ValidationError(str(fault)) from fault

    @property
    def minutes(self) -> int | None:
        """After how many minutes it runs; None for events that time does not bring about."""
        return self.idle_minutes if self.event in self.AFTER else None


class RuleRun(models.Model):
    """One event that was put to the rules: which matched, with which values, and what they did."""

    at = models.DateTimeField(default=timezone.now)
    event = models.CharField(max_length=20)
    subject = models.CharField(max_length=40)
    """What it was about: `ticket:123`."""
    matched = models.JSONField(default=list)
    """`[{"rule": id, "name": …, "because": [[fact, operator, value, found], …], "did": [[action, outcome], …]}]`.

    In no language: `routing.words` says it in the reader's.
    """
    errors = models.JSONField(default=list)
    """Rules that could not be evaluated, with the reason; they never stop the others."""
    failed = models.BooleanField(default=False)
    """Whether there are errors, so that the list of rules finds them."""

    class Meta:
        verbose_name = _("rule run")
        verbose_name_plural = _("rule runs")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject", "-id"], name="rule_run_subject"),
            models.Index(fields=["-id"], name="rule_run_failed", condition=models.Q(failed=True)),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


class Macro(models.Model):
    """Several actions at one click."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    actions = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Build the actions: what cannot be built cannot be saved."""
        from routing.engine import RuleInvalid, compile_actions

        try:
            if not compile_actions(self.actions):
                raise ValidationError(_("The macro does nothing: add an action."))
        except RuleInvalid as fault:
            raise ValidationError(str(fault)) from fault


class KeywordSet(models.Model):
    """Words by which an intent or a number is recognised, in any language; staff maintain them."""

    class Kind(models.TextChoices):
        """What the words tell."""

        INTENT = "intent", _("What the message is about")
        ORDER = "order", _("An order number follows")
        TICKET = "ticket", _("A ticket number follows")

    kind = models.CharField(_("these words tell"), max_length=10, choices=Kind.choices, default=Kind.INTENT)
    name = models.CharField(_("name"), max_length=60, unique=True)
    """What rules call it: `complaint`, `question`, `order` …"""
    words = models.TextField(_("words"), help_text=_("One word or phrase a line, in any language."))
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("keyword set")
        verbose_name_plural = _("keyword sets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
