"""Whether a message was answered automatically, in words. Intake keeps it in no language, as `RawMessage.answer`."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_REASONS = {
    "no message to answer": gettext_lazy("no message to answer"),
    "answered already": gettext_lazy("answered already"),
    "written by a machine": gettext_lazy("written by a machine"),
    "marked as spam": gettext_lazy("marked as spam"),
    "no usable sender": gettext_lazy("no usable sender"),
    "from one of our own addresses": gettext_lazy("from one of our own addresses"),
    "not a new ticket": gettext_lazy("not a new ticket"),
    "no template for this channel": gettext_lazy("no template for this channel"),
}


def of_rule(kept: str) -> str:
    """What a rule's action came to."""
    if kept == "queued":
        return _("answer queued")
    name = kept.partition(":")[0]
    return _("not answered: %(why)s") % {"why": _REASONS.get(name, kept)}
