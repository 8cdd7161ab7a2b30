"""The log, and the page of one call."""

from __future__ import annotations

from typing import Any, ClassVar

from csp.constants import SELF
from django.contrib import messages as notices
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.staff.export import SafeExport
from core.staff.panels import Panel, register_panel
from crm.customers.models import Contact
from crm.organisation import access
from crm.service.models import Ticket
from inbox import downloads
from inbox.calls import queries
from inbox.calls.access import CallsView, call_or_404
from inbox.calls.words import OUTCOMES
from inbox.models import Attachment, Call
from inbox.services import call_log
from inbox.workspace.access import AgentRequest, desk
from inbox.workspace.duty import colleagues

VIEWS = (
    ("all", gettext_lazy("All")),
    ("mine", gettext_lazy("Mine")),
    ("missed", gettext_lazy("Missed")),
    ("live", gettext_lazy("Ongoing")),
)
RECORDING_MOST = 50 * 1024 * 1024
OTHERS = 6


class CallList(SafeExport, CallsView):
    """Calls, visits and letters, the newest first."""

    template_name = "inbox/calls/list.html"
    model = Call
    export_filename = "calls"
    list_export: ClassVar[list[str]] = [
        *("started_at", "kind", "direction", "state", "number", "person", "company", "from_sent", "to_sent"),
        *("agent", "queue", "queue_sent", "wait_seconds", "talk_seconds", "cause", "outcome", "note", "ticket_number"),
    ]
    export_headings: ClassVar[dict[str, Any]] = {
        "person": gettext_lazy("Contact"),
        "company": gettext_lazy("Customer"),
        "from_sent": pgettext_lazy("call", "From"),
        "to_sent": pgettext_lazy("call", "To"),
        "ticket_number": gettext_lazy("Ticket"),
    }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, or the whole list as a file."""
        try:
            self.asked = queries.Asked.of({name: request.GET.get(name, "") for name in request.GET})
            self.rows = queries.narrow(Call.objects.visible_to(request.user), self.asked, request.user)  # type: ignore[arg-type]
            self.page = queries.page(self.rows, request.GET.get("after", ""))
        except queries.AskedWrong:
            return HttpResponseBadRequest("This list cannot be narrowed so.", content_type="text/plain")
        if request.GET.get("export") in ("csv", "xlsx"):
            rows = self.rows.select_related("contact__customer", "agent", "queue", "ticket")
            return self.as_spreadsheet(rows.prefetch_related("contact__points"), request.GET["export"])
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The rows, and what they can be narrowed by."""
        user = self.request.user
        tickets = {call.ticket_id for call in self.page.calls if call.ticket_id}
        seen = set(Ticket.objects.visible_to(user).filter(pk__in=tickets).values_list("pk", flat=True))
        return super().get_context_data(
            asked=self.asked,
            page=self.page,
            after=self.request.GET.get("after", ""),
            views=[(key, (label, self.asked.query(view="" if key == "all" else key))) for key, label in VIEWS],
            queues=queries.queues_of(user, access.sees_all_tickets(user)),
            agents=colleagues(),
            directions=Call.Direction.choices,
            kinds=Call.Kind.choices,
            seen_tickets=seen,
            exports=True,
            **kwargs,
        )

    def get_page_title(self) -> str:
        """The heading."""
        return _("Calls")


def contact_calls(request: Any, contact: Contact) -> Panel | None:
    """On a contact's page: the last calls, visits and letters, and the form for another."""
    if not access.works_tickets(request.user):
        return None
    rows = Call.objects.visible_to(request.user).filter(contact=contact).select_related("agent")
    shown = list(rows.order_by("-started_at", "-id")[:OTHERS])
    return Panel(_("Calls, visits and letters"), "inbox/calls/contact_panel.html", {"calls": shown, "contact": contact})


register_panel("contact", 60, contact_calls)


class CallPage(CallsView):
    """One call."""

    template_name = "inbox/calls/call.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, which may play recordings."""
        response = super().get(request, *args, **kwargs)
        response._csp_update = {"media-src": [SELF]}
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The call, what belongs to it, and other calls with the same person."""
        user = self.request.user
        self.call = call = call_or_404(user, self.kwargs["pk"])
        ticket = Ticket.objects.visible_to(user).filter(pk=call.ticket_id or 0).first()
        others = Call.objects.visible_to(user).filter(contact_id=call.contact_id or 0).exclude(pk=call.pk)
        files = Attachment.objects.visible_to(user).filter(message_id=call.message_id or 0)
        return super().get_context_data(
            call=call,
            ticket=ticket,
            files=[(file, downloads.is_sound(file)) for file in files],
            others=list(others.select_related("agent").order_by("-started_at", "-id")[:OTHERS]),
            outcomes=OUTCOMES,
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The log."""
        return [{"url": reverse("calls:list"), "label": _("Calls")}]

    def get_page_title(self) -> str:
        """Who it was with."""
        return str(self.call.contact or self.call)


@desk("POST")
def recording(request: AgentRequest, pk: int) -> HttpResponse:
    """Attach an uploaded recording to the call's message."""
    call = call_or_404(request.user, pk)
    if not Ticket.objects.visible_to(request.user).filter(pk=call.ticket_id or 0).exists():
        raise Http404
    upload = request.FILES.get("file")
    if upload is None or not upload.size:
        notices.error(request, _("Choose a file first."))
    elif upload.size > RECORDING_MOST:
        notices.error(request, _("The file is too large: at most 50 MB."))
    else:
        try:
            call_log.attach_recording(call, (str(upload.name), str(upload.content_type or ""), upload.read()))
            notices.success(request, _("The recording is attached."))
        except ValueError as fault:
            notices.error(request, str(fault))
    return HttpResponseRedirect(reverse("calls:call", args=[pk]))


@desk("GET")
def listen(request: AgentRequest, pk: int) -> HttpResponse:
    """A recording for the player on the call's page: also from the middle, and never as a page."""
    call = call_or_404(request.user, pk)
    key = request.GET.get("file", "")
    files = Attachment.objects.visible_to(request.user).filter(message_id=call.message_id or 0)
    file = files.filter(pk=int(key) if key.isascii() and key.isdigit() and len(key) < 18 else 0).first()
    if file is None or not downloads.is_sound(file):
        raise Http404
    try:
        response = downloads.download(file, request.headers.get("Range", ""))
    except FileNotFoundError as fault:
        raise Http404 from fault
    response.headers["Accept-Ranges"] = "bytes"
    return response
