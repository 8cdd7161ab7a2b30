"""The form by which a call, a visit or a letter is written down: number or name, what was said, what follows."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.staff.forms import MomentField
from core.staff.views import HOME
from core.telephone import spaced
from crm.customers import numbers
from crm.customers.models import Contact
from crm.marketing import scripts
from crm.marketing.models import CallScript
from crm.planning.services import NotPossible
from crm.service.models import Ticket
from inbox.calls import queries
from inbox.calls.access import call_or_404, phone_channel, ticket_of
from inbox.calls.words import OUTCOMES
from inbox.models import Call, Channel
from inbox.services import call_log, call_people
from inbox.services.call_journal import File
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk, key_in

WHAT = (
    ("call-out", gettext_lazy("I called")),
    ("call-in", gettext_lazy("They called")),
    ("visit", gettext_lazy("Visit")),
    ("letter-in", gettext_lazy("Letter received")),
    ("letter-out", gettext_lazy("Letter sent")),
)
FILES_BYTES = 25 * 1024 * 1024
FILES_MOST = 20
SCRIPTS_MOST = 10
LONG_AGO = timedelta(days=3660)
TIMED = (Call.Kind.CALL, Call.Kind.VISIT)


def _begins(contact: Contact, text: str) -> bool:
    """Each word of `text` begins one of his name or his company's: “Ann” is not Joanna."""
    words = f"{contact.name} {contact.customer.name if contact.customer else ''}".casefold().split()
    return all(any(word.startswith(part) for word in words) for part in text.casefold().split())


class LogForm(forms.Form):
    """What a colleague writes down. `who` is what he typed, `contact` whom he meant by it."""

    what = forms.ChoiceField(choices=WHAT, widget=forms.RadioSelect)
    who = forms.CharField(max_length=200, required=False)
    contact = forms.ModelChoiceField(queryset=Contact.objects.none(), required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=200, required=False)
    ticket = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    reached = forms.BooleanField(required=False)
    minutes = forms.IntegerField(min_value=0, max_value=600, required=False)
    outcome = forms.ChoiceField(choices=[("", "—"), *OUTCOMES.items()], required=False)
    at = MomentField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"])
    note = forms.CharField(max_length=20_000, required=False, strip=True)
    follow_up_at = MomentField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"])
    call_back_at = MomentField(required=False, input_formats=["%Y-%m-%dT%H:%M"])
    resolves = forms.BooleanField(required=False)
    key = forms.RegexField(r"^[0-9a-f]{16}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, region: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.region = user, region
        self.fields["contact"].queryset = Contact.objects.visible_to(user)  # type: ignore[attr-defined]
        self.found_ticket: Ticket | None = None
        self.number = ""

    def clean_ticket(self) -> str:
        """A ticket that the colleague may see."""
        text = self.cleaned_data["ticket"]
        if text:
            self.found_ticket = ticket_of(self.user, text)
            if self.found_ticket is None:
                raise ValidationError(_("There is no such ticket."))
        return text

    def clean_note(self) -> str:
        """With the line ends that everything else has: browsers send others."""
        return self.cleaned_data["note"].replace("\r\n", "\n")

    def clean_at(self) -> datetime | None:
        """When it was; None is now."""
        at, now = self.cleaned_data["at"], timezone.now()
        if at and at > now:
            raise ValidationError(_("This time has not come yet."))
        if at and at < now - LONG_AGO:
            raise ValidationError(_("This is more than ten years ago."))
        return at

    def _mean(self, data: dict[str, Any], text: str) -> None:
        """Whom a typed name means: the one it fits, or somebody new. Who types fast sends it before he could choose."""
        found = [each for each in queries.people(self.user, text, self.region) if _begins(each[0], text)]
        found = [each for each in found if each[0].name.casefold() == text.casefold()] or found
        if not found:
            data["name"] = text
        elif len(found) == 1:
            data["contact"], self.number = found[0]
        else:
            names = ", ".join(str(contact) for contact, _number in found)
            self.add_error("who", _("Several people fit: %(names)s. Choose whom you mean.") % {"names": names})

    def _future(self, name: str) -> datetime | None:
        at = self.cleaned_data.get(name)
        if at and at < timezone.now():
            self.add_error(name, _("This time has passed."))
        return at

    def clean(self) -> dict[str, Any]:
        """Somebody it was with, a time that is to come."""
        data = super().clean() or self.cleaned_data
        text = data.get("who", "").strip()
        self.number = numbers.one(text, self.region)
        contact = data.get("contact")
        if contact is None and self.found_ticket is not None and not text:
            data["contact"] = contact = self.found_ticket.contact
        if contact is None and not self.number:
            if not text:
                self.add_error("who", _("Give a number or a name."))
            elif any(sign.isdigit() for sign in text) and not any(sign.isalpha() for sign in text):
                self.add_error("who", _("This is not a telephone number."))
            elif not data.get("name"):
                self._mean(data, text)
        self._future("follow_up_at")
        self._future("call_back_at")
        return data


def _entry(form: LogForm, files: list[File]) -> call_log.Entry:
    data = form.cleaned_data
    kind, _dash, way = data["what"].partition("-")
    reached = data["reached"] or kind != Call.Kind.CALL
    timed = reached and kind in TIMED and data["minutes"] is not None
    return call_log.Entry(
        kind=kind,
        direction=Call.Direction.OUT if way == "out" else Call.Direction.IN,
        reached=reached,
        contact=data["contact"],
        number=form.number,
        name=data["name"],
        ticket=form.found_ticket,
        outcome=data["outcome"],
        note=data["note"],
        at=data["at"],
        talk_seconds=60 * data["minutes"] if timed else None,
        files=files,
        follow_up_at=data["follow_up_at"],
        call_back_at=data["call_back_at"],
        resolves=data["resolves"],
    )


def _files(request: AgentRequest) -> list[File]:
    uploads = request.FILES.getlist("files")
    if len(uploads) > FILES_MOST or sum(upload.size or 0 for upload in uploads) > FILES_BYTES:
        raise ValidationError(_("At most %(count)d files, together 25 MB.") % {"count": FILES_MOST})
    return [(str(u.name), str(u.content_type or ""), u.read()) for u in uploads]


def _beginning(request: AgentRequest) -> dict[str, Any]:
    """What the page knows already: the ticket, the contact, the call or the number it was opened from."""
    asked, user = request.GET, request.user
    what = asked.get("what", "")
    found: dict[str, Any] = {"what": what if what in dict(WHAT) else "call-out", "reached": True}
    contact: Contact | None = None
    if asked.get("ticket"):
        ticket = ticket_of(user, asked["ticket"])
        if ticket is None:
            raise Http404
        found["ticket"], contact = str(ticket.number), ticket.contact
    if asked.get("call"):
        call = call_or_404(user, key_in(asked["call"]))
        contact, found["who"] = call.contact, spaced(call.number)
    if asked.get("contact"):
        contact = Contact.objects.visible_to(user).filter(pk=key_in(asked["contact"])).first()  # type: ignore[attr-defined]
        if contact is None:
            raise Http404
    if asked.get("number"):
        found["who"] = spaced(asked["number"][:100])
    if contact is not None:
        found["contact"] = contact.pk
        found["who"] = found.get("who") or spaced(queries.number_of(contact)) or str(contact)
    return found


@desk("GET", "POST")
def new(request: AgentRequest) -> HttpResponse:
    """The form; as a fragment for a dialog, or as a page of its own."""
    channel = phone_channel(request.user)
    small = bool(request.htmx)  # type: ignore[attr-defined]
    if channel is None:
        return render(request, "inbox/calls/no_channel.html", {"fragment": small})
    region = call_people.region_of(channel)
    if request.method == "GET":
        form = LogForm(user=request.user, region=region, initial={**_beginning(request), "key": secrets.token_hex(8)})
        return _shown(request, form, small)
    form = LogForm(request.POST, user=request.user, region=region)
    if not form.is_valid():
        return _shown(request, form, small, 422)
    try:
        call = _keep(request, channel, form)
    except (ValidationError, NotPossible) as fault:
        form.add_error(None, " ".join(getattr(fault, "messages", [str(fault)])))
        return _shown(request, form, small, 422)
    where = conversation.address(call.ticket) if call.ticket else reverse("calls:call", args=[call.pk])
    if small:
        number = call.ticket.number if call.ticket else None
        said = _("Logged on ticket #%d.") % number if number else _("Logged.")
        return JsonResponse({"open": where, "ticket": number, "said": said})
    return HttpResponseRedirect(where)


def _keep(request: AgentRequest, channel: Channel, form: LogForm) -> Call:
    return call_log.log(channel, _entry(form, _files(request)), key=form.cleaned_data["key"], by=request.user)


def _shown(request: AgentRequest, form: LogForm, small: bool, status: int = 200) -> HttpResponse:
    key = form["contact"].value()
    rows = Contact.objects.visible_to(request.user).select_related("customer")  # type: ignore[attr-defined]
    contact = rows.filter(pk=key_in(str(key or ""))).first()
    ticket = ticket_of(request.user, str(form["ticket"].value() or "")) if form["ticket"].value() else None
    name = "inbox/calls/log_dialog.html" if small else "inbox/calls/log_page.html"
    context = {"form": form, "contact": contact, "ticket": ticket, "scripts": _scripts(request.user, contact)}
    context["breadcrumbs_items"] = [
        HOME,
        {"url": reverse("calls:list"), "label": _("Calls")},
        {"url": "", "label": _("Log a call")},
    ]
    return render(request, name, context, status=status)


def _scripts(user: Any, contact: Contact | None) -> list[dict[str, Any]]:
    """The scripts for calls, each in the words for this person."""
    rows = CallScript.objects.visible_to(user).filter(active=True).prefetch_related("texts", "steps")[:SCRIPTS_MOST]  # type: ignore[attr-defined]
    told = [{"name": row.name, "text": scripts.spoken(row, agent=user, contact=contact)} for row in rows]
    return [each for each in told if each["text"] is not None]


@desk("GET")
def find(request: AgentRequest) -> HttpResponse:
    """Whom a number or a name means, as JSON; the page shows it as text."""
    channel = phone_channel(request.user)
    region = call_people.region_of(channel) if channel else ""
    text = request.GET.get("q", "")[:200]
    found = queries.people(request.user, text, region)
    results = [
        {
            "id": contact.pk,
            "label": str(contact),
            "hint": contact.customer.name if contact.customer else "",
            "number": spaced(n),
        }
        for contact, n in found
    ]
    return JsonResponse({"results": results, "number": numbers.one(text, region)})
