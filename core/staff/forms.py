"""Forms of records: fields in titled sections, and rows of what belongs to the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms import BaseInlineFormSet, BoundField
from django.utils.functional import Promise
from wagtail.admin.forms import WagtailAdminModelForm

Words = str | Promise
NOTHING = "–"
"""Stands for no choice in a list, as it does for an empty value in a table."""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that are read together."""

    title: Words
    fields: tuple[str, ...]
    help: Words = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """An inline formset under a title; `name` is its prefix in the submitted form."""

    name: str
    title: Words
    formset: Any
    """A class made by `inlineformset_factory`."""
    add: Words
    help: Words = ""


class RecordForm(WagtailAdminModelForm):
    """Base of the forms in the shell. Without `sections` all fields stand in one. Choosers come by themselves."""

    sections: ClassVar[tuple[Section, ...]] = ()
    rows: ClassVar[tuple[Rows, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField) and field.empty_label == BLANK_CHOICE_DASH[0][1]:
                field.empty_label = NOTHING
        data, files = (self.data, self.files) if self.is_bound else (None, None)
        self.row_sets = {
            each.name: each.formset(data, files, instance=self.instance, prefix=each.name) for each in self.rows
        }

    def is_valid(self) -> bool:
        """The form and all its rows."""
        # A list, so that errors of all rows are shown at once.
        valid = [super().is_valid(), *(each.is_valid() for each in self.row_sets.values())]
        return all(valid)

    def has_changed(self) -> bool:
        """The form or any of its rows."""
        return super().has_changed() or any(each.has_changed() for each in self.row_sets.values())

    def save(self, commit: bool = True) -> Any:
        """The record, then its rows."""
        record = super().save(commit)
        if commit:
            for each in self.row_sets.values():
                each.instance = record
                each.save()
        return record

    def layout(self) -> Iterator[tuple[Words, Words, list[BoundField]]]:
        """Title, help and fields of each section; fields in no section come last, so that none is lost."""
        placed: set[str] = set()
        for section in self.sections:
            names = [name for name in section.fields if name in self.fields and not self[name].is_hidden]
            placed.update(names)
            if names:
                yield section.title, section.help, [self[name] for name in names]
        rest = [field for field in self.visible_fields() if field.name not in placed]
        if rest:
            yield "", "", rest

    def row_layout(self) -> Iterator[tuple[Rows, BaseInlineFormSet]]:
        """The rows with their titles."""
        for each in self.rows:
            yield each, self.row_sets[each.name]


YEARS = range(1900, 2200)
"""Of days and times that people give. At the ends of the calendar one of another zone cannot be reckoned."""


def on_the_calendar(day: date) -> None:
    """Refuse a day, or a moment, of no year of ours. Raises ValidationError."""
    if day.year not in YEARS:
        raise ValidationError(forms.DateField.default_error_messages["invalid"], code="invalid")


class MomentField(forms.DateTimeField):
    """A day and a time in the writer's zone, by the browser's own field: Wagtail's needs an inline script."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        super().__init__(validators=[on_the_calendar], **kwargs)


class DayField(forms.DateField):
    """A day, by the browser's own field."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(validators=[on_the_calendar], **kwargs)


class RowForm(forms.ModelForm):
    """Base of one row; an untouched new row is nothing."""
