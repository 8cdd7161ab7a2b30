"""Working through a call list: the next person, the script beside, and how the call ended."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.staff.forms import MomentField
from core.staff.views import StaffRequired
from crm.customers import consent, timeline
from crm.customers.models import TimelineEntry
from crm.marketing import access as list_access
from crm.marketing import queries as list_queries
from crm.marketing import scripts, services, zones
from crm.marketing.models import CallList, CallListEntry, Outcome
from crm.organisation import access
from crm.service import services as tickets
from crm.service.models import Ticket
from inbox.calls.access import CallsView, phone_channel
from inbox.services import call_log
from inbox.workspace.access import AgentRequest, desk
from routing import hours

SPOKEN = frozenset({Outcome.AGREED, Outcome.TALKED, Outcome.DECLINED, Outcome.LATER, Outcome.REFUSED})
"""Outcomes after which somebody was talked with."""
TONES = {
    Outcome.AGREED: "success",
    Outcome.TALKED: "success",
    Outcome.LATER: "info",
    Outcome.DECLINED: "neutral",
    Outcome.NO_ANSWER: "neutral",
    Outcome.BUSY: "neutral",
    Outcome.MACHINE: "neutral",
    Outcome.WRONG: "warning",
    Outcome.REFUSED: "danger",
}


class OutcomeForm(forms.Form):
    """How a call of a list ended."""

    outcome = forms.ChoiceField(choices=Outcome.choices, widget=forms.RadioSelect)
    note = forms.CharField(max_length=5000, required=False)
    minutes = forms.IntegerField(min_value=0, max_value=600, required=False)
    next_at = MomentField(required=False, input_formats=["%Y-%m-%dT%H:%M"])

    def clean_note(self) -> str:
        """With the line ends that everything else has: browsers send others."""
        return self.cleaned_data["note"].replace("\r\n", "\n").strip()


class WorkLists(CallsView):
    """The lists that this colleague works."""

    template_name = "inbox/calls/work_lists.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Lists that run, each with how far it is."""
        user = self.request.user
        rows = CallList.objects.visible_to(user).filter(state=CallList.State.RUNNING)
        rows = rows.select_related("hours", "script", "queue")[:50]
        lists = [(row, list_queries.progress(row)) for row in rows if list_access.may_work(user, row)]
        return super().get_context_data(lists=lists, **kwargs)

    def get_page_title(self) -> str:
        """The heading."""
        return _("Call lists")


def list_or_404(user: Any, pk: int) -> CallList:
    """The list, if the colleague sees and works it. Raises Http404."""
    row = get_object_or_404(CallList.objects.visible_to(user).select_related("hours", "script"), pk=pk)
    if not list_access.may_work(user, row):
        raise Http404
    return row


class WorkPage(CallsView):
    """Whom to call now, or what stands against it."""

    template_name = "inbox/calls/work.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page with what was filled in and could not be kept (`record`)."""
        return self.get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The entry that the colleague has; getting the next one is a deed of its own."""
        user = self.request.user
        self.row = kwargs.pop("row", None) or list_or_404(user, self.kwargs["pk"])
        entry = kwargs.pop("entry", None) or mine(self.row, user)
        context: dict[str, Any] = {"call_list": self.row, "entry": entry, "form": kwargs.pop("form", OutcomeForm())}
        if entry is not None:
            context |= about(user, self.row, entry)
        progress = list_queries.progress(self.row)
        return super().get_context_data(progress=progress, tones=TONES, **context, **kwargs)

    def get_trail(self) -> list[dict[str, Any]]:
        """The lists."""
        return [{"url": reverse("calls:work"), "label": _("Call lists")}]

    def get_page_title(self) -> str:
        """The list."""
        return self.row.name


def mine(row: CallList, user: Any) -> CallListEntry | None:
    """The entry of the list that this colleague has in hand."""
    rows = row.entries.filter(state=CallListEntry.State.CLAIMED, claimed_by=user, claimed_until__gt=timezone.now())
    return rows.select_related("contact__customer").first()


def about(user: Any, row: CallList, entry: CallListEntry) -> dict[str, Any]:
    """What helps in the call: the person, what was before, the script in his language."""
    contact = entry.contact
    entries = TimelineEntry.objects.filter(contact=contact).order_by("-at", "-id")
    open_tickets = Ticket.objects.visible_to(user).filter(contact=contact, status__in=Ticket.UNFINISHED)
    return {
        "contact": contact,
        "customer": contact.customer,
        "refused": refusal(row, entry),
        "there": [timezone.localtime(timezone=ZoneInfo(name)).strftime("%H:%M") for name in entry.zone.split()],
        "tickets": list(open_tickets.order_by("-activity_at", "-id")[:4]),
        "past": timeline.visible_to(user, entries, 6),
        "tries": list(entry.calls.select_related("by").order_by("-id")[:5]),
        "spoken": scripts.spoken(row.script, agent=user, contact=contact, call_list=row) if row.script else None,
    }


def refusal(row: CallList, entry: CallListEntry) -> str:
    """Why this entry must not be called at this moment; empty when it may be."""
    if why := consent.may_call(entry.number):
        return why
    calendar = hours.calendar(row.hours)
    if calendar is None or not zones.allowed(calendar, entry.zone, timezone.now()):
        return _("This is not a time for calls where this person is.")
    return ""


class WorkDeed(StaffRequired):
    """Takes the next entry, gives one back, or keeps it longer."""

    permissions: tuple[str, ...] = ()
    deed = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it, and show the page again."""
        user = self.request.user
        if not access.works_tickets(user):
            raise Http404
        row = list_or_404(user, pk)
        try:
            self._do(row, user)
        except services.NotPossible as fault:
            notices.warning(request, str(fault))
        return HttpResponseRedirect(reverse("calls:work_list", args=[pk]))

    def _do(self, row: CallList, user: Any) -> None:
        if self.deed == "next":
            if services.next_entry(row, user) is None:
                notices.info(self.request, _("Nobody on this list can be called now."))
            return
        entry = mine(row, user)
        if entry is None:
            raise services.NotYours(_("This call is not yours any more."))
        if self.deed == "release":
            services.release(entry, by=user)
        else:
            services.stay(entry, by=user)


@desk("POST")
def record(request: AgentRequest, pk: int) -> HttpResponseBase:
    """Keep how the call ended, log it, and go on to the next."""
    row = list_or_404(request.user, pk)
    entry = mine(row, request.user)
    form = OutcomeForm(request.POST)
    here = reverse("calls:work_list", args=[pk])
    if entry is None or request.POST.get("entry") != str(entry.pk):
        notices.warning(request, _("This call is not yours any more: somebody else has it, or it went back."))
        return HttpResponseRedirect(here)
    if not form.is_valid():
        notices.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return WorkPage.as_view()(request, pk=pk, row=row, entry=entry, form=form)
    data = form.cleaned_data
    try:
        entry = services.record(entry, data["outcome"], by=request.user, note=data["note"], next_at=data["next_at"])
    except services.NotYours as fault:
        notices.warning(request, str(fault))
        return HttpResponseRedirect(here)
    except services.NotPossible as fault:
        notices.error(request, str(fault))
        return WorkPage.as_view()(request, pk=pk, row=row, entry=entry, form=form)
    _log(request, row, entry, data)
    if "stop" in request.POST:
        return HttpResponseRedirect(reverse("calls:work"))
    try:
        if services.next_entry(row, request.user) is None:
            notices.info(request, _("Nobody on this list can be called now."))
    except services.NotPossible as fault:
        notices.info(request, str(fault))
    return HttpResponseRedirect(here)


def _log(request: AgentRequest, row: CallList, entry: CallListEntry, data: dict[str, Any]) -> None:
    """The call stands in the log and on a ticket of its person; a ticket that nothing but it made is done with it."""
    channel = phone_channel(request.user)
    if channel is None:
        return
    spoken = data["outcome"] in SPOKEN
    minutes = data["minutes"] if spoken else None
    made = call_log.Entry(
        reached=spoken,
        contact=entry.contact,
        number=entry.number,
        outcome=data["outcome"],
        note="\n".join(part for part in (row.name, data["note"]) if part),
        talk_seconds=None if minutes is None else 60 * minutes,
    )
    key = f"list-{entry.pk}-{entry.tries}"
    call = call_log.log(channel, made, key=key, by=request.user, queue=row.queue)
    if call.ticket and call.ticket.messages.count() == 1 and data["outcome"] != Outcome.LATER:
        tickets.set_status(call.ticket, Ticket.Status.RESOLVED, by=request.user, why="call")


def may_dial(user: Any, key: str, number: str) -> str:
    """Why the entry of a list must not be dialled; empty when it may be. An entry that is not his says nothing."""
    if not (key.isascii() and key.isdigit() and len(key) < 18):
        return ""
    rows = CallListEntry.objects.visible_to(user).select_related("call_list__hours", "contact")
    entry = rows.filter(pk=int(key), number=number).first()
    return refusal(entry.call_list, entry) if entry else _("This call is not yours any more.")
