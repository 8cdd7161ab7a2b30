"""What the forms of rules and macros share: a draft beside the fields, and buttons that change it without saving."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from core.staff.forms import RecordForm, Words
from routing.staff.draft import Action, Condition, Draft
from routing.staff.editor import Editor


class DraftForm(RecordForm):
    """A form with rows of conditions and actions. A macro has no conditions and no event."""

    macro: ClassVar[bool] = False
    in_editor: ClassVar[tuple[str, ...]] = ()
    """Fields that the template shows among the rows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = self.instance
        if self.is_bound:
            self.draft = Draft.posted(self.data)
        else:
            self.draft = Draft.of(getattr(record, "conditions", None), record.actions)
            if record.pk is None:
                self.draft.root.items.append(Condition(self.draft.key()))
                self.draft.actions.append(Action(self.draft.key()))

    unfinished = False

    def _post_clean(self) -> None:
        # The record's own check would say once more, and less clearly, what stands beside the rows.
        if not self.unfinished:
            super()._post_clean()

    def layout(self) -> Iterator[tuple[Words, Words, list[BoundField]]]:
        """The sections, without what stands among the rows."""
        for title, text, fields in super().layout():
            shown = [each for each in fields if each.name not in self.in_editor]
            if shown:
                yield title, text, shown

    @property
    def event(self) -> str:
        """The event that the form names at the moment."""
        return "" if self.macro else str(self["event"].value() or "")

    @property
    def editor(self) -> Editor:
        """The rows, ready to be shown."""
        return Editor(self.draft, self.event, macro=self.macro)

    def has_changed(self) -> bool:
        """The fields or the rows."""
        return super().has_changed() or self._stored_changed()

    def _stored_changed(self) -> bool:
        before = type(self.instance).objects.filter(pk=self.instance.pk).first()
        if before is None:
            return True
        same_conditions = self.macro or before.conditions == self.draft.stored_conditions()
        return before.actions != self.draft.stored_actions() or not same_conditions

    def clean(self) -> dict[str, Any]:
        """Check the rows; the record gets them only when each of them is right."""
        data = super().clean() or self.cleaned_data
        self.unfinished = not self.draft.check(self.event, macro=self.macro)
        if self.unfinished:
            raise ValidationError(_("Some rows are not finished: they are marked below."))
        if not self.macro:
            self.instance.conditions = self.draft.stored_conditions()
        self.instance.actions = self.draft.stored_actions()
        return data


class Editing:
    """Mixin of the views: a button named `do` changes the rows and shows the form again, unsaved."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save, or change the rows."""
        what = request.POST.get("do", "")
        if not what:
            return super().post(request, *args, **kwargs)  # type: ignore[misc]
        if not hasattr(self, "object"):
            # As Wagtail's own `post` does: nothing to add yet, or the record that is edited.
            self.object = self.get_object() if "pk" in self.kwargs else None  # type: ignore[attr-defined]
        self.form = self.get_form()  # type: ignore[attr-defined]
        self.form.draft.change(what)
        # Showing a bound form would check its fields; nobody has asked to save yet.
        self.form._errors = {}
        context = self.get_context_data(form=self.form, **self.try_out(self.form, what))  # type: ignore[attr-defined]
        return self.render_to_response(context)  # type: ignore[attr-defined]

    def try_out(self, form: Any, what: str) -> dict[str, Any]:
        """What the button `try` adds to the page."""
        return {}
