"""Putting a file of people on a call list: upload, name the columns, read the report, take it in."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from core.staff.views import StaffRequired, StaffView
from crm.marketing import access, services
from crm.marketing.importing import reading, service, taking
from crm.marketing.models import CallList, CallListImport

REFRESH = "2"
"""Seconds after which the page of a file that is being worked on is asked for again; needs no script."""
State = CallListImport.State


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or Excel (.xlsx), with one person a row."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )


class ColumnsForm(forms.Form):
    """Which column holds what."""

    has_heading = forms.BooleanField(label=gettext_lazy("The first row holds headings"), required=False, initial=True)
    region = forms.ChoiceField(
        label=gettext_lazy("Country of numbers without +"),
        required=False,
        choices=lambda: [("", _("None: such numbers are left out")), *countries()],
    )

    def __init__(self, *args: Any, begin: list[list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        heading = begin[0] if begin else []
        guessed = taking.guess(heading)
        choices = [("", "–"), *((str(n), f"{n + 1}: {cell[:40]}") for n, cell in enumerate(heading))]
        for name, label in taking.FIELDS.items():
            self.fields[f"column_{name}"] = forms.ChoiceField(
                label=label, required=name == "number", choices=choices, initial=str(guessed.get(name, ""))
            )
        self.order_fields([*(f"column_{name}" for name in taking.FIELDS), "region", "has_heading"])

    def columns(self) -> dict[str, int]:
        """The chosen columns."""
        data = self.cleaned_data
        return {name: int(data[f"column_{name}"]) for name in taking.FIELDS if data[f"column_{name}"]}


def countries() -> list[tuple[str, str]]:
    """Countries with telephone numbers: ISO code, and what is shown for it, such as `DE +49`."""
    codes = sorted(phonenumbers.SUPPORTED_REGIONS)
    return [(code, f"{code} +{phonenumbers.country_code_for_region(code)}") for code in codes]


class _OfList:
    """A screen below one list, for whoever leads it."""

    request: Any
    permissions: tuple[str, ...] | None = ("marketing.change_calllist",)

    def row(self, pk: int) -> CallList:
        """The list. Raises Http404."""
        found: CallList = self.visible_or_404(CallList, pk=pk)  # type: ignore[attr-defined]
        if not access.leads(self.request.user):
            raise Http404
        return found

    def job(self, pk: int, key: int) -> CallListImport:
        """The import of this list and no other (S-28). Raises Http404."""
        found = self.row(pk).imports.filter(pk=key).first()
        if found is None:
            raise Http404
        return found


class UploadView(_OfList, StaffRequired):
    """Takes the file."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep it, and go on to its columns."""
        row, form = self.row(pk), UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            messages.error(request, _("Choose a file first."))
            return redirect("call_lists:record", pk)
        try:
            made = service.upload(row, form.cleaned_data["file"], by=self.request.user)
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
            return redirect("call_lists:record", pk)
        return redirect("call_lists:import", pk, made.pk)


class ImportPage(_OfList, StaffView):
    """Where the file stands, and what can be done with it."""

    template_name = "marketing/staff/import.html"
    header_icon = "g-phone"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The first rows with the columns' form, or the report."""
        job = self.record
        begin = self.begin(job)
        form = kwargs.pop("form", None) or ColumnsForm(begin=begin, initial=initial(job))
        return super().get_context_data(
            job=job,
            row=job.call_list,
            begin=begin,
            form=form,
            busy=job.state in service.WAITING,
            report=job.report,
            asks=job.state in (State.UPLOADED, State.READY, State.FAILED) and bool(job.file),
            **kwargs,
        )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; while the file is worked on it asks for itself again."""
        self.record = self.job(self.kwargs["pk"], self.kwargs["key"])
        response = super().get(request, *args, **kwargs)
        if self.record.state in service.WAITING:
            response.headers["Refresh"] = REFRESH
        return response

    def post(self, request: HttpRequest, pk: int, key: int) -> HttpResponse:
        """Have the file looked through with these columns."""
        self.record = job = self.job(pk, key)
        form = ColumnsForm(request.POST, begin=self.begin(job))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            service.check(
                job,
                form.columns(),
                region=form.cleaned_data["region"],
                has_heading=form.cleaned_data["has_heading"],
            )
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect("call_lists:import", pk, key)

    def begin(self, job: CallListImport) -> list[list[str]]:
        """The first rows; none when the bytes are gone."""
        try:
            return service.beginning(job) if job.file else []
        except (FileNotFoundError, reading.Unreadable):
            return []

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        row = self.record.call_list
        return [
            {"url": reverse("call_lists:index"), "label": _("Call lists")},
            {"url": reverse("call_lists:record", args=[row.pk]), "label": str(row)},
        ]

    def get_page_title(self) -> str:
        """The file's name."""
        return str(self.record)


class ConfirmView(_OfList, StaffRequired):
    """Has the file taken in."""

    def post(self, request: HttpRequest, pk: int, key: int) -> HttpResponse:
        """As the report says."""
        try:
            service.confirm(self.job(pk, key))
        except services.NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect("call_lists:import", pk, key)


def initial(job: CallListImport) -> dict[str, Any]:
    """What was chosen the last time."""
    if not job.columns:
        return {}
    return {
        **{f"column_{name}": str(place) for name, place in job.columns.items()},
        "region": job.region,
        "has_heading": job.has_heading,
    }
