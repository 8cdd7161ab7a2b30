"""Screens of templates: one text in three languages on one form, with a preview that cannot run anything."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BaseModelForm, BoundField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import merge_fields
from core.html import linkify
from core.staff import filters
from core.staff.columns import BadgesColumn
from core.staff.forms import RecordForm, Section
from core.staff.views import StaffRequired
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from inbox.models import Template, TemplateText

FIELDS = {
    "contact.name": gettext_lazy("Name of the customer's contact"),
    "customer.name": gettext_lazy("Name of the customer's company (only on fax covers and in canned replies)"),
    "ticket.number": gettext_lazy("Number of the ticket"),
    "ticket.subject": gettext_lazy("Subject of the ticket"),
    "queue.name": gettext_lazy("Name of the queue"),
    "channel.name": gettext_lazy("Name that customers see on our messages"),
    "agent.name": gettext_lazy("Name of the colleague who answers (not in automatic answers)"),
    "fax.to": gettext_lazy("Fax number of the recipient (only on fax covers)"),
    "fax.from": gettext_lazy("Our fax number (only on fax covers)"),
    "fax.date": gettext_lazy("Today's date (only on fax covers)"),
    "fax.pages": gettext_lazy("Number of pages (only on fax covers)"),
}
"""The merge fields, each with what it stands for."""
SAMPLE = {
    "contact.name": "Anna Schmidt",
    "ticket.number": "100042",
    "ticket.subject": "The second parcel is missing",
    "queue.name": "Support",
    "channel.name": "Example Support",
    "agent.name": "Lin Mei",
    "customer.name": "Kaffeehaus Schmidt",
    "fax.to": "+49 40 1234560",
    "fax.from": "+49 40 6543210",
    "fax.date": "1 October 2026",
    "fax.pages": "2",
}
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
"""Nothing runs, loads or submits in a preview, whoever wrote the text and whoever looks at it (S-11)."""


class TemplateForm(RecordForm):
    """The template and its text in each language, as fields `subject_LANGUAGE` and `body_LANGUAGE`."""

    sections: ClassVar = (Section(gettext_lazy("Template"), ("name", "purpose", "shortcut")),)

    class Meta:
        model = Template
        fields = ("name", "purpose", "shortcut")
        help_texts = {"shortcut": gettext_lazy("What agents type after “/” in the composer.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        texts = {text.language: text for text in self.instance.texts.all()} if self.instance.pk else {}
        for language, _label in settings.LANGUAGES:
            text = texts.get(language)
            self.fields[f"subject_{language}"] = forms.CharField(
                label=_("Subject"), max_length=200, required=False, initial=text.subject if text else ""
            )
            self.fields[f"body_{language}"] = forms.CharField(
                label=_("Text"),
                required=False,
                max_length=20_000,
                initial=text.body if text else "",
                widget=forms.Textarea(attrs={"rows": 8}),
            )

    def clean(self) -> dict[str, Any]:
        """At least one language; only fields that exist."""
        data = super().clean() or self.cleaned_data
        written = [language for language, _label in settings.LANGUAGES if data.get(f"body_{language}", "").strip()]
        if not written:
            self.add_error(f"body_{settings.LANGUAGES[0][0]}", _("Write the text in one language at least."))
        for language, _label in settings.LANGUAGES:
            if data.get(f"subject_{language}") and language not in written:
                self.add_error(f"body_{language}", _("There is a subject but no text."))
            for part in ("subject", "body"):
                for problem in merge_fields.check(data.get(f"{part}_{language}") or "", FIELDS):
                    self.add_error(f"{part}_{language}", ValidationError(problem))
        return data

    def layout(self) -> Any:
        """The template's own fields, then one section a language."""
        texts = {
            language: [self[f"subject_{language}"], self[f"body_{language}"]] for language, _label in settings.LANGUAGES
        }
        placed: list[BoundField] = [self[name] for name in ("name", "purpose", "shortcut")]
        yield _("Template"), "", placed
        for language, label in settings.LANGUAGES:
            yield label, "", texts[language]

    def save(self, commit: bool = True) -> Template:
        """The template, and exactly the languages that have a text."""
        template = super().save(commit)
        template.texts.all().delete()
        TemplateText.objects.bulk_create(
            TemplateText(
                template=template, language=language, subject=self.cleaned_data[f"subject_{language}"], body=body
            )
            for language, _label in settings.LANGUAGES
            if (body := self.cleaned_data[f"body_{language}"].strip())
        )
        return template


class _FormPage:
    """Adds to the form the list of fields and the languages of the preview."""

    template_name = "inbox/staff/template_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(  # type: ignore[misc]
            merge_fields=[("{{ " + name + " }}", label) for name, label in FIELDS.items()],
            languages=settings.LANGUAGES,
            **kwargs,
        )


class TemplateAdd(_FormPage, RecordAdd):
    """The form of a new template."""


class TemplateEdit(_FormPage, RecordEdit):
    """The form of a template."""


class Preview(StaffRequired):
    """What customers would read, from the text as it stands in the form, in a frame without any rights."""

    permissions = ("inbox.view_template",)

    def post(self, request: HttpRequest, language: str) -> HttpResponse:
        """The page inside the frame. Raises Http404 for a language that we do not write."""
        if language not in dict(settings.LANGUAGES):
            raise Http404
        subject = merge_fields.render(request.POST.get(f"subject_{language}", "")[:200], SAMPLE)
        body = merge_fields.render(request.POST.get(f"body_{language}", "")[:20_000], SAMPLE)
        page = render_to_string(
            "inbox/staff/preview.html", {"subject": subject, "body": linkify(body), "language": language}
        )
        response = HttpResponse(page)
        response.headers["Content-Security-Policy"] = FRAME_POLICY
        return response


class TemplateFilter(filters.WagtailFilterSet):
    """By purpose."""

    purpose = filters.choices("purpose", gettext_lazy("Purpose"), Template.Purpose.choices)

    class Meta:
        model = Template
        fields = ()


class TemplateViewSet(RecordViewSet):
    """Automatic answers, canned replies, text modules."""

    name = "templates"
    url_prefix = "templates"
    model = Template
    icon = "g-chat"
    menu_name = "templates"
    add_view_class = TemplateAdd
    edit_view_class = TemplateEdit
    create_template_name = edit_template_name = "inbox/staff/template_form.html"
    list_display: ClassVar = [
        "name",
        "purpose",
        "shortcut",
        BadgesColumn(
            "languages",
            label=gettext_lazy("Languages"),
            accessor=lambda template: [text.get_language_display() for text in template.texts.all()],
        ),
    ]
    search_fields: ClassVar = ["name", "shortcut"]
    filterset_class = TemplateFilter
    prefetch_related = ("texts",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return TemplateForm

    def get_urlpatterns(self) -> list[URLPattern]:
        """The preview beside the generic views."""
        return [*super().get_urlpatterns(), path("preview/<str:language>/", Preview.as_view(), name="preview")]
