"""Filters of lists. Each takes several values: the stock filter of a foreign key keeps one and drops the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy
from django_filters.widgets import SuffixedMultiWidget
from wagtail.admin.filters import WagtailFilterSet

from core.staff.forms import on_the_calendar


class DaysWidget(SuffixedMultiWidget):
    """Two of the browser's own date fields: Wagtail's picker starts itself by an inline script, which CSP forbids."""

    template_name = "wagtailadmin/widgets/range_input.html"
    suffixes = ("from", "to")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        fields = [
            forms.DateInput(attrs={"type": "date", "aria-label": label}, format="%Y-%m-%d")
            for label in (pgettext_lazy("first day", "From"), pgettext_lazy("last day", "To"))
        ]
        super().__init__(fields, attrs)

    def decompress(self, value: Any) -> list[Any]:
        """The two ends."""
        return [value.start, value.stop] if value else [None, None]


class _Records(django_filters.fields.ModelMultipleChoiceField):
    """Ids as the address of a list gives them: a number that no database holds is no choice, not a fault."""

    def _check_values(self, value: Any) -> Any:
        if any(not str(each).isascii() or len(str(each)) > 18 for each in value):
            raise forms.ValidationError(self.error_messages["invalid_list"], code="invalid_list")
        return super()._check_values(value)


class RecordsFilter(django_filters.ModelMultipleChoiceFilter):
    """Any of several records."""

    field_class = _Records


class _Days(django_filters.fields.DateRangeField):
    """Two days, each of which every zone can reckon with."""

    def compress(self, data_list: list[Any]) -> Any:
        for day in data_list or ():
            if day:
                on_the_calendar(day)
        return super().compress(data_list)


class DaysFilter(django_filters.DateFromToRangeFilter):
    """From one day to another."""

    field_class = _Days


def choices(field: str, label: Any, options: Any) -> django_filters.MultipleChoiceFilter:
    """Any of these choices."""
    return django_filters.MultipleChoiceFilter(
        field_name=field, label=label, choices=options, widget=forms.CheckboxSelectMultiple
    )


def records(
    field: str, label: Any, rows: Callable[[HttpRequest], QuerySet[Any]], *, distinct: bool = False
) -> RecordsFilter:
    """Any of these records of a small table; `rows(request)` gives those that the colleague may see."""
    return RecordsFilter(
        field_name=field, label=label, queryset=rows, distinct=distinct, widget=forms.CheckboxSelectMultiple
    )


def days(field: str, label: Any) -> DaysFilter:
    """From one day to another."""
    return DaysFilter(field_name=field, label=label, widget=DaysWidget)


__all__ = ["WagtailFilterSet", "choices", "days", "records"]
