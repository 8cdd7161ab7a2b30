"""Texts that staff write once: automatic answers, canned replies, text modules."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Template(models.Model):
    """One text in several languages. Merge fields are those of `core.merge_fields`, nothing else."""

    class Purpose(models.TextChoices):
        """What it is for."""

        AUTOMATIC = "automatic", _("Automatic answer")
        CANNED = "canned", _("Canned reply")
        MODULE = "module", _("Text module")
        COVER = "cover", _("Fax cover page")

    name = models.CharField(_("name"), max_length=120, unique=True)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices, default=Purpose.CANNED)
    shortcut = models.CharField(_("shortcut"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["purpose", "name"]

    def __str__(self) -> str:
        return self.name


class TemplateText(models.Model):
    """The text in one language."""

    template = models.ForeignKey(Template, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"))

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["template", "language"], name="template_language_once")]

    def __str__(self) -> str:
        return f"{self.template} ({self.language})"
