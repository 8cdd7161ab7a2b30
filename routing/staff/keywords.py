"""The screen of keyword sets."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column

from core.staff.forms import RecordForm, Section
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from routing.models import KeywordSet
from routing.staff.columns import active_column
from routing.understanding import found_words, numbers
from routing.words import comma

SAMPLE = 20_000
"""Characters of a text to try the words on."""


class KeywordForm(RecordForm):
    """Words and what they tell."""

    sections: ClassVar = (Section("", ("name", "kind", "words", "active")),)

    class Meta:
        model = KeywordSet
        fields = ("name", "kind", "words", "active")
        widgets: ClassVar = {"words": forms.Textarea(attrs={"rows": 10, "spellcheck": "false"})}
        help_texts: ClassVar = {
            "name": gettext_lazy("What rules call it: complaint, question, order …"),
            "words": gettext_lazy(
                "One word or phrase a line, in any language. Usual endings are found too (refund: refunds, refunded); "
                "a * at the end finds every word that begins so."
            ),
        }

    def clean_words(self) -> str:
        """Each line once, none of them without letters."""
        lines = dict.fromkeys(line.strip() for line in self.cleaned_data["words"].splitlines() if line.strip())
        wrong = next((line for line in lines if not any(sign.isalnum() for sign in line)), None)
        if wrong is not None:
            raise ValidationError(_("“%(line)s” has no letter in it.") % {"line": wrong})
        if len(lines) > 2_000 or any(len(line) > 100 for line in lines):
            raise ValidationError(_("At most 2,000 lines of 100 characters."))
        return "\n".join(lines)


class _Trying:
    """The button `try` shows what the words find in a text; nothing is saved."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save, or try."""
        if request.POST.get("do") != "try":
            return super().post(request, *args, **kwargs)  # type: ignore[misc]
        if not hasattr(self, "object"):
            self.object = self.get_object() if "pk" in self.kwargs else None  # type: ignore[attr-defined]
        self.form = self.get_form()  # type: ignore[attr-defined]
        # Showing a bound form would check its fields; nobody has asked to save yet.
        self.form._errors = {}
        sample, words = request.POST.get("sample", "")[:SAMPLE], request.POST.get("words", "")
        kind = request.POST.get("kind", "")
        if kind in (KeywordSet.Kind.ORDER, KeywordSet.Kind.TICKET):
            read = numbers(sample, [KeywordSet(kind=kind, words=words)])
            found = list(read.orders if kind == KeywordSet.Kind.ORDER else read.tickets)
        else:
            found = found_words(sample, words)
        context = self.get_context_data(form=self.form, sample=sample, tried=True, found=found)  # type: ignore[attr-defined]
        return self.render_to_response(context)  # type: ignore[attr-defined]


class KeywordAdd(_Trying, RecordAdd):
    """The form, empty."""


class KeywordEdit(_Trying, RecordEdit):
    """The form."""


class KeywordViewSet(RecordViewSet):
    """Words by which a message is understood."""

    name = "routing_keywords"
    url_prefix = "keywords"
    model = KeywordSet
    icon = "g-tag"
    menu_label = gettext_lazy("Keywords")
    menu_name = "keywords"
    add_view_class = KeywordAdd
    edit_view_class = KeywordEdit
    create_template_name = edit_template_name = "routing/staff/keyword_form.html"
    list_display: ClassVar = [
        "name",
        Column("kind", label=gettext_lazy("These words tell"), accessor="get_kind_display"),
        Column("sample", label=gettext_lazy("Words"), accessor=lambda k: _sample(k.words)),
        active_column(),
    ]
    search_fields: ClassVar = ["name", "words"]
    list_filter: ClassVar = ["kind", "active"]
    ordering: ClassVar = ["name"]

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known sets."""
        return KeywordForm


def _sample(words: str) -> str:
    lines = words.split("\n")
    shown = comma().join(line.strip() for line in lines[:6])
    return f"{shown} …" if len(lines) > 6 else shown
