"""Asking to be called: a number, a time in business hours, a few words. Works without JavaScript."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core import limits
from crm.customers import numbers
from crm.customers.models import Contact, ContactPoint
from crm.organisation import access
from crm.planning.models import Appointment
from inbox.models import Channel
from inbox.services import call_people, callbacks, guests
from portal.visitors import network_of
from routing import hours

DAY = 24 * 3600
PER_NUMBER_DAY = 3
"""Call-backs to one number; more would be somebody's joke on somebody else."""
PER_PERSON_DAY = 5
SHOWN = 40


class CallbackForm(forms.Form):
    """Who wants to be called, when, and what about."""

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=200)
    phone = forms.CharField(
        label=gettext_lazy("Telephone number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    at = forms.ChoiceField(label=gettext_lazy("When shall we call?"), required=False)
    topic = forms.CharField(
        label=gettext_lazy("What is it about?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    website = forms.CharField(required=False)

    def __init__(self, *args: Any, channel: Channel, times: list[datetime], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = channel
        days = groupby((timezone.localtime(time, _zone(channel)) for time in times), key=datetime.date)
        choices: list[Any] = [("", _("As soon as possible"))]
        for _day, found in days:
            moments = list(found)
            day = date_format(moments[0], pgettext("weekday and day (Django date format)", "l, j F"))
            choices.append((day, [(time.isoformat(), date_format(time, "H:i")) for time in moments]))
        self.fields["at"].choices = choices  # type: ignore[attr-defined]

    def clean_phone(self) -> str:
        """In E.164."""
        number = numbers.one(self.cleaned_data["phone"], call_people.region_of(self.channel))
        if not number:
            raise ValidationError(_("Please give the number with its country code, such as +44 20 7946 0011."))
        return number

    @property
    def is_machine(self) -> bool:
        """People do not see this field."""
        return bool(self.data.get("website"))


def _zone(channel: Channel) -> Any:
    """The reader's own zone where he chose one, else that of our business hours: a guest's clock is not known."""
    if timezone.get_current_timezone_name() != timezone.get_default_timezone_name():
        return timezone.get_current_timezone()
    calendar = hours.calendar(channel.queue.hours)
    return zoneinfo.ZoneInfo(calendar.zone) if calendar else timezone.get_current_timezone()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    """The form, and what becomes of it."""
    channel = callbacks.channel()
    if channel is None:
        return render(request, "portal/callback_closed.html", status=503)
    times = callbacks.proposals(channel, timezone.now(), most=SHOWN)
    contact = _contact(request)
    if request.method != "POST":
        form = CallbackForm(channel=channel, times=times, initial=_known(request, contact))
        return _page(request, form, channel, times)
    form = CallbackForm(request.POST, channel=channel, times=times)
    if form.is_machine:
        return redirect("portal:callback_agreed")
    if form.is_valid():
        try:
            appointment = _ask(request, channel, contact, form.cleaned_data)
        except guests.TooMany as error:
            form.add_error(None, error.why)
            return _page(request, form, channel, times, status=429)
        except callbacks.CallbackRefused as error:
            form.add_error(None, str(error))
        else:
            written = pgettext("weekday, day and time (Django date format)", "l, j F, H:i")
            at = date_format(timezone.localtime(appointment.starts_at, _zone(channel)), written)
            request.session["callback"] = {"at": at, "zone": str(_zone(channel))}
            return redirect("portal:callback_agreed")
    return _page(request, form, channel, times)


def _ask(request: HttpRequest, channel: Channel, contact: Contact | None, given: dict[str, Any]) -> Appointment:
    """Count it, then agree. Raises TooMany and CallbackRefused."""
    if contact is None:
        guests.check_visitor(network_of(request))
    elif not limits.hit(f"callback:{contact.pk}", limit=PER_PERSON_DAY, seconds=DAY):
        raise guests.TooMany(_("You asked for several calls today. We will call you."))
    if not limits.hit(f"callback-number:{given['phone']}", limit=PER_NUMBER_DAY, seconds=DAY):
        raise guests.TooMany(_("We were asked several times today to call this number. We will."))
    at = datetime.fromisoformat(given["at"]) if given["at"] else None
    return callbacks.request_callback(
        channel, contact=contact, name=given["name"], phone=given["phone"], at=at, topic=given["topic"]
    )


def _page(
    request: HttpRequest, form: CallbackForm, channel: Channel, times: list[datetime], status: int = 0
) -> HttpResponse:
    context = {"form": form, "zone": str(_zone(channel)).replace("_", " "), "full": not times}
    return render(request, "portal/callback.html", context, status=status or (400 if form.errors else 200))


def _contact(request: HttpRequest) -> Contact | None:
    """Whoever is signed in and has proved an address."""
    user = request.user
    return Contact.objects.filter(user=user).first() if access.is_person(user) else None


def _known(request: HttpRequest, contact: Contact | None) -> dict[str, str]:
    if contact is None:
        return {}
    phone = contact.points.filter(kind=ContactPoint.Kind.PHONE).values_list("value", flat=True).first()
    return {"name": contact.name, "phone": phone or ""}


@never_cache
@require_safe
def agreed(request: HttpRequest) -> HttpResponse:
    """When we call. Shown to whoever asked, and to nobody else."""
    told = request.session.pop("callback", None)
    if told is None:
        messages.info(request, _("Thank you."))
    return render(request, "portal/callback_agreed.html", {"told": told})
