"""Screens of call scripts: the texts in each language on one form, and the script as it is said."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import BaseInlineFormSet, BaseModelForm, inlineformset_factory
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import merge_fields
from core.staff.columns import BadgesColumn, LinkColumn, StatusColumn
from core.staff.forms import RecordForm, RowForm, Rows, Section
from core.staff.views import StaffView
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from crm.marketing import scripts
from crm.marketing.models import CallScript, ScriptStep, ScriptText

LONGEST = 10_000


class StepForm(RowForm):
    """One question."""

    position = forms.IntegerField(label=gettext_lazy("No."), required=False, min_value=1, max_value=99)

    class Meta:
        model = ScriptStep
        fields = ("position", "question", "hint")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].initial = self.instance.position + 1 if self.instance.pk else None
        self.initial.pop("position", None)

    def clean(self) -> dict[str, Any]:
        """Only fields that exist."""
        data = super().clean() or self.cleaned_data
        for name in ("question", "hint"):
            for problem in merge_fields.check(data.get(name) or "", scripts.FIELDS):
                self.add_error(name, ValidationError(problem))
        return data


def _steps(language: str) -> Any:
    """The questions of one language, in the order of their numbers."""

    class Steps(BaseInlineFormSet):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "queryset": ScriptStep.objects.filter(language=language)})

        def add_fields(self, form: Any, index: int | None) -> None:
            """The row's key as a number: Django's own field asks the database again for every row."""
            super().add_fields(form, index)
            form.fields["id"] = forms.IntegerField(required=False, widget=forms.HiddenInput, initial=form.instance.pk)

        def save(self, commit: bool = True) -> Any:
            """All of them, numbered anew: one without a number comes last."""
            kept = [f for f in self.forms if f.has_changed() or f.instance.pk]
            kept = [f for f in kept if not f.cleaned_data.get("DELETE")]
            kept.sort(key=lambda form: form.cleaned_data.get("position") or 100)
            for place, form in enumerate(kept):
                form.instance.position, form.instance.language = place, language
            saved = super().save(commit)
            for form in kept:
                ScriptStep.objects.filter(pk=form.instance.pk).update(position=form.instance.position)
            return saved

    return inlineformset_factory(CallScript, ScriptStep, form=StepForm, formset=Steps, extra=1, max_num=60)


class ScriptForm(RecordForm):
    """The script and its texts, as fields `opening_LANGUAGE` and `closing_LANGUAGE`."""

    rows: ClassVar = tuple(
        Rows(f"steps_{code}", label, _steps(code), gettext_lazy("Add a question"), gettext_lazy("What is asked."))
        for code, label in settings.LANGUAGES
    )

    class Meta:
        model = CallScript
        fields = ("name", "active")
        help_texts: ClassVar = {"active": gettext_lazy("Only scripts in use are offered.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        texts = {text.language: text for text in self.instance.texts.all()} if self.instance.pk else {}
        for code, _label in settings.LANGUAGES:
            text = texts.get(code)
            for part, label, rows in (("opening", _("Opening"), 4), ("closing", _("Closing"), 2)):
                self.fields[f"{part}_{code}"] = forms.CharField(
                    label=label,
                    required=False,
                    max_length=LONGEST,
                    initial=getattr(text, part, ""),
                    widget=forms.Textarea(attrs={"rows": rows}),
                )

    def clean(self) -> dict[str, Any]:
        """At least one language; only fields that exist."""
        data = super().clean() or self.cleaned_data
        codes = [code for code, _label in settings.LANGUAGES]
        if not any(data.get(f"opening_{code}", "").strip() for code in codes):
            self.add_error(f"opening_{codes[0]}", _("Write the opening in one language at least."))
        for code in codes:
            if data.get(f"closing_{code}") and not data.get(f"opening_{code}"):
                self.add_error(f"opening_{code}", _("There is a closing but no opening."))
            for part in ("opening", "closing"):
                for problem in merge_fields.check(data.get(f"{part}_{code}") or "", scripts.FIELDS):
                    self.add_error(f"{part}_{code}", ValidationError(problem))
        return data

    def layout(self) -> Any:
        """The script, then one section a language."""
        yield Section(_("Script"), ()).title, "", [self["name"], self["active"]]
        for code, label in settings.LANGUAGES:
            yield label, "", [self[f"opening_{code}"], self[f"closing_{code}"]]

    def save(self, commit: bool = True) -> CallScript:
        """The script, exactly the languages that have an opening, and their questions."""
        script = super().save(commit)
        script.texts.all().delete()
        ScriptText.objects.bulk_create(
            ScriptText(
                script=script, language=code, opening=opening, closing=self.cleaned_data[f"closing_{code}"].strip()
            )
            for code, _label in settings.LANGUAGES
            if (opening := self.cleaned_data[f"opening_{code}"].strip())
        )
        return script


class _WithFields:
    """Adds the list of merge fields to the form."""

    template_name = "marketing/staff/script_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(  # type: ignore[misc]
            merge_fields=[("{{ " + name + " }}", label) for name, label in scripts.FIELDS.items()], **kwargs
        )


class ScriptAdd(_WithFields, RecordAdd):
    """The form of a new script."""


class ScriptEdit(_WithFields, RecordEdit):
    """The form of a script."""


class ScriptPage(StaffView):
    """The script as it is said, with an example."""

    permissions = ("marketing.view_callscript",)
    template_name = "marketing/staff/script.html"
    header_icon = "g-book"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Each language, filled in."""
        self.record = script = self.visible_or_404(CallScript, pk=self.kwargs["pk"])
        steps = list(script.steps.all())
        said = [
            (
                text.get_language_display(),
                scripts.filled(
                    text.language,
                    text.opening,
                    [(step.question, step.hint) for step in steps if step.language == text.language],
                    text.closing,
                    scripts.SAMPLE,
                ),
            )
            for text in script.texts.all()
        ]
        return super().get_context_data(
            script=script,
            said=said,
            lists=script.lists.visible_to(self.request.user)[:20],
            may_change=self.request.user.has_perm("marketing.change_callscript"),
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("call_scripts:index"), "label": _("Call scripts")}]

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


class ScriptViewSet(RecordViewSet):
    """Call scripts."""

    name = "call_scripts"
    url_prefix = "call-scripts"
    model = CallScript
    icon = "g-book"
    menu_name = "call-scripts"
    add_view_class = ScriptAdd
    edit_view_class = ScriptEdit
    create_template_name = edit_template_name = "marketing/staff/script_form.html"
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            classname="title",
            sort_key="name",
            url=lambda script: reverse("call_scripts:record", args=[script.pk]),
        ),
        BadgesColumn(
            "languages",
            label=gettext_lazy("Languages"),
            accessor=lambda script: [text.get_language_display() for text in script.texts.all()],
        ),
        StatusColumn(
            "state",
            label=gettext_lazy("State"),
            words={"good": gettext_lazy("In use"), "closed": gettext_lazy("Off")},
            accessor=lambda script: "good" if script.active else "closed",
        ),
    ]
    search_fields: ClassVar = ["name"]
    prefetch_related = ("texts",)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return ScriptForm

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """Note who wrote it first."""
        if not form.instance.pk:
            form.instance.created_by = by
        return form.save()

    def url_after_save(self, record: Model) -> str:
        """As it is said."""
        return reverse("call_scripts:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page beside the generic views."""
        return [*super().get_urlpatterns(), path("<int:pk>/", ScriptPage.as_view(), name="record")]
