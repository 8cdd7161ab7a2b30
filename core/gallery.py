"""The page of all components, in the staff shell: what a screen may be built of, seen side by side."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from django import forms
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

COLOURS = (
    ("canvas", "surface", "raised", "sunken", "hover", "active", "line", "line-strong"),
    ("text", "text-2", "text-3", "accent", "accent-hover", "accent-text", "accent-soft", "focus"),
    ("info-soft", "success-soft", "warning-soft", "danger-soft", "violet-soft", "neutral-soft", "note", "danger"),
)


class SampleForm(forms.Form):
    """One field of each kind."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"), help_text=gettext_lazy("In a few words: what is it about?"), max_length=120
    )
    address = forms.EmailField(label=gettext_lazy("E-mail address"))
    topic = forms.ChoiceField(
        label=gettext_lazy("Topic"),
        choices=[("order", gettext_lazy("Order and delivery")), ("other", gettext_lazy("Something else"))],
    )
    text = forms.CharField(label=gettext_lazy("Message"), widget=forms.Textarea, required=False)
    attached = forms.FileField(label=gettext_lazy("Files"), required=False)
    copy = forms.BooleanField(label=gettext_lazy("Send me a copy"), required=False)


def gallery(request: HttpRequest) -> HttpResponse:
    """All components. Staff only."""
    if not (request.user.is_active and request.user.is_staff):
        raise PermissionDenied
    now = timezone.now()
    return render(
        request,
        "core/gallery.html",
        {
            "colours": COLOURS,
            "icons": icon_names(),
            "form": SampleForm({"subject": _("The second parcel is missing"), "address": "mei.lin@"}),
            "statuses": [
                ("new", _("New")),
                ("open", _("Open")),
                ("pending", _("Waiting for customer")),
                ("snoozed", _("Snoozed")),
                ("resolved", _("Resolved")),
                ("closed", _("Closed")),
            ],
            "priorities": [(1, _("Low")), (2, _("Normal")), (3, _("High")), (4, _("Urgent"))],
            "scores": rating_scores(),
            "crumbs": [{"label": _("Tickets"), "url": "#"}, {"label": "#100042"}],
            "times": [now - timedelta(minutes=12), now - timedelta(days=3), now - timedelta(days=500)],
        },
    )


def rating_scores() -> list[tuple[int, str]]:
    """Scores from 1 to 5 with their words."""
    return [(1, _("Very poor")), (2, _("Poor")), (3, _("Fair")), (4, _("Good")), (5, _("Very good"))]


def icon_names() -> list[str]:
    """Names of the icons in the sprite, in its order."""
    sprite = finders.find("core/icons.svg")
    return re.findall(r'<symbol id="([a-z-]+)"', Path(sprite).read_text()) if isinstance(sprite, str) else []
