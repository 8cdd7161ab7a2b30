"""Entries of the audit log as staff read them: what is stored stays, in English, and is translated when it is shown."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.models import AuditEntry

DETAILS = {
    "on": _("switched on"),
    "off": _("switched off"),
    "paused": _("paused"),
    "resumed": _("resumed"),
    "taken away": _("taken away"),
    "set": pgettext_lazy("audit log", "set"),
    "changed": pgettext_lazy("audit log", "changed"),
    "reset by mail": _("reset by mail"),
    "added": pgettext_lazy("audit log", "added"),
    "removed": pgettext_lazy("audit log", "removed"),
    "new recovery codes": _("new recovery codes"),
    "second factor": _("second factor"),
    "too many connections": _("too many connections"),
    "no right": _("no right"),
    "no such chat": _("no such chat"),
}


@cache
def _kinds() -> list[tuple[str, Any]]:
    """Every model's name in English, one and many, and the same in whatever language is spoken; long ones first."""
    metas = [model._meta for model in apps.get_models()]
    names = [name for meta in metas for name in (meta.verbose_name, meta.verbose_name_plural)]
    with translation.override("en"):
        found: dict[str, Any] = {str(name): name for name in names}
    found["call statistics"] = _("call statistics")
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def about(entry: AuditEntry) -> str:
    """`rule Night shift` with the kind of record in the reader's language."""
    for english, name in _kinds():
        if entry.about == english or entry.about.startswith(f"{english} "):
            return f"{name}{entry.about[len(english) :]}"
    return entry.about


def detail(entry: AuditEntry) -> str:
    """What services say in a fixed word, in the reader's language; fields and filters stay as they are called."""
    if entry.detail.startswith("secrets: "):
        return gettext("Passwords and keys: %(names)s") % {"names": entry.detail.removeprefix("secrets: ")}
    return str(DETAILS.get(entry.detail, entry.detail))
