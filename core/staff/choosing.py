"""Pickers: how a record of a big table is chosen in a form, by typing, never from a `<select>` of them all.

Wagtail's own chooser starts itself by an inline script, which the Content-Security-Policy forbids.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from wagtail.admin.viewsets.base import ViewSet

from core.staff.views import StaffRequired, visible


class PickerView(StaffRequired):
    """The records that fit what was typed, as JSON. The page shows them as text."""

    permissions: tuple[str, ...] = ()
    picker: Any = None

    def get(self, request: HttpRequest) -> JsonResponse:
        """At most `shown` records, each with id, label and a hint that tells namesakes apart."""
        rows = self.picker.found(request.user, request.GET.get("q", "")[:200])
        return JsonResponse(
            {"results": [{"id": row.pk, "label": str(row), "hint": self.picker.hint(row)} for row in rows]}
        )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Nothing is listed without the permission to view the model. Raises Http404 and PermissionDenied."""
        meta = self.picker.model._meta
        self.permissions = (f"{meta.app_label}.view_{meta.model_name}",)
        return super().dispatch(request, *args, **kwargs)


class Picker(ViewSet):
    """Finds records of one model. Give `name`, `url_prefix`, `model` and `search_fields`."""

    model: ClassVar[type[Model]]
    search_fields: ClassVar[tuple[str, ...]] = ()
    prefetch_related: ClassVar[tuple[str, ...]] = ()
    shown = 12

    def found(self, user: Any, text: str) -> QuerySet[Any]:
        """Visible records in which every word of `text` is found."""
        rows = visible(self.model, user).prefetch_related(*self.prefetch_related)
        for word in text.replace("\x00", " ").split()[:6]:
            anywhere = Q()
            for field in self.search_fields:
                anywhere |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(pk__in=self.model._default_manager.filter(anywhere).values("pk"))
        return rows[: self.shown]

    def hint(self, row: Any) -> str:
        """What tells this record from a namesake."""
        return ""

    def get_urlpatterns(self) -> list[URLPattern]:
        """One address."""
        return [path("", PickerView.as_view(picker=self), name="find")]

    def widget(self) -> PickWidget:
        """A form widget that picks one record."""
        return PickWidget(self)


class PickWidget(forms.Widget):
    """A text field that searches, and a hidden one that holds the record's id."""

    template_name = "core/staff/pick.html"

    class Media:
        js = ("core/staff/pick.js",)

    def __init__(self, picker: Picker, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.picker = picker

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The chosen record's label, and where to search."""
        context = super().get_context(name, value, attrs)
        key = str(value or "")
        known = key.isascii() and key.isdigit() and len(key) < 18
        row = self.picker.model._default_manager.filter(pk=key).first() if known else None
        context["widget"] |= {
            "value": row.pk if row else "",
            "label": str(row) if row else "",
            "url": reverse(self.picker.get_url_name("find")),
        }
        return context

    def id_for_label(self, id_: str) -> str:
        """The text field."""
        return id_


__all__ = ["PickWidget", "Picker", "PickerView"]
