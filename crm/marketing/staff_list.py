"""One call list's page: how far it is, who is on it, and who is to be put on it by a search."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from wagtail.admin import messages

from core.staff.views import StaffRequired, StaffView
from core.templatetags.guichet import language_name
from crm.customers.models import Contact, Customer, Region, Tag
from crm.marketing import access, queries, services
from crm.marketing.importing import service
from crm.marketing.models import CallList
from crm.marketing.staff_imports import UploadForm
from crm.planning.screens import history

BUTTONS = {
    CallList.State.RUNNING: (pgettext_lazy("call list", "Start"), "play"),
    CallList.State.PAUSED: (gettext_lazy("Pause"), "status-pending"),
    CallList.State.FINISHED: (gettext_lazy("Finish"), "check"),
}


class SearchForm(forms.Form):
    """Whom to put on the list; what is left open asks for nothing."""

    levels = forms.MultipleChoiceField(
        label=gettext_lazy("Customer's level"),
        choices=Customer.Level.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    statuses = forms.MultipleChoiceField(
        label=gettext_lazy("Customer's status"),
        choices=[choice for choice in Customer.Status.choices if choice[0] != Customer.Status.BLOCKED],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    regions = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Region"),
        queryset=Region.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    tags = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Tags"), queryset=Tag.objects.all(), required=False, widget=forms.CheckboxSelectMultiple
    )
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Language"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Contact.objects.exclude(language="").order_by("language").values_list("language", flat=True).distinct()
        self.fields["languages"].choices = [(code, language_name(code)) for code in known]  # type: ignore[attr-defined]

    def search(self) -> queries.Search:
        """What the valid form asks for."""
        data = self.cleaned_data
        return queries.Search(
            levels=tuple(data["levels"]),
            statuses=tuple(data["statuses"]),
            regions=tuple(row.pk for row in data["regions"]),
            tags=tuple(row.pk for row in data["tags"]),
            languages=tuple(data["languages"]),
        )


class CallListPage(StaffView):
    """How far the list is; for those who lead it, also who else is to come on it."""

    permissions = ("marketing.view_calllist",)
    template_name = "marketing/staff/call_list.html"
    header_icon = "g-phone"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Figures, the search with its preview, the imports, the history."""
        user = self.request.user
        self.record = row = self.visible_or_404(CallList, pk=self.kwargs["pk"])
        progress = queries.progress(row)
        leads = access.leads(user) and user.has_perm("marketing.change_calllist")
        form = SearchForm(self.request.GET if "preview" in self.request.GET else None) if leads else None
        found = queries.count(form.search(), row) if form and form.is_bound and form.is_valid() else None
        states = services.lists.AFTER
        return super().get_context_data(
            row=row,
            people=row.people.all(),
            progress=progress,
            figures=figures(row, progress),
            buttons=[
                (state, _("Resume") if row.state != "draft" and state == "running" else label, icon)
                for state, (label, icon) in BUTTONS.items()
                if row.state in states[state]
            ]
            if leads
            else [],
            leads=leads,
            form=form,
            upload=UploadForm() if leads else None,
            found=found,
            to_come=found.people - found.known if found else 0,
            imports=row.imports.select_related("by")[:5] if leads else [],
            events=history(row.events.select_related("actor"), CallList) if leads else [],
            results_url=f"{reverse('call_entries:index')}?call_list={row.pk}"
            if user.has_perm("marketing.view_calllistentry")
            else "",
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list of lists."""
        return [{"url": reverse("call_lists:index"), "label": _("Call lists")}]

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


def figures(row: CallList, progress: queries.Progress) -> list[dict[str, Any]]:
    """The numbers at the head of the page."""
    return [
        {"label": _("People"), "number": progress.total},
        {"label": _("To be called"), "number": progress.open},
        {"label": _("Reached"), "number": progress.done},
        {"label": _("Not reached"), "number": progress.failed},
        {"label": _("Must not be called"), "number": progress.blocked},
        {"label": _("Calls"), "number": progress.calls},
    ]


class LeadRequired(StaffRequired):
    """A deed of whoever leads call lists."""

    permissions = ("marketing.change_calllist",)

    def call_list(self, pk: int) -> CallList:
        """The list, for somebody who may lead it. Raises Http404."""
        row: CallList = self.visible_or_404(CallList, pk=pk)
        if not access.leads(self.request.user):
            raise Http404
        return row


class StateView(LeadRequired):
    """Starts, pauses, finishes the list."""

    def post(self, request: HttpRequest, pk: int, state: str) -> HttpResponse:
        """As the button says. Raises Http404 for a state that there is not."""
        row = self.call_list(pk)
        if state not in CallList.State.values:
            raise Http404
        try:
            services.set_state(row, state, by=self.request.user)
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect("call_lists:record", pk)


class SearchView(LeadRequired):
    """Puts on the list whom the search finds."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have it done, and show how far it is."""
        row, form = self.call_list(pk), SearchForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("This search cannot be read. Choose again."))
            return redirect("call_lists:record", pk)
        job = service.search(row, form.search(), by=self.request.user)
        return redirect("call_lists:import", pk, job.pk)


class CheckAgainView(LeadRequired):
    """Looks again whether those who must not be called still must not."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check, and say how many came back."""
        freed = services.check_again(self.call_list(pk), by=self.request.user)
        said = ngettext("%(count)d person may be called again.", "%(count)d people may be called again.", freed)
        messages.success(request, said % {"count": freed})
        return redirect("call_lists:record", pk)
