"""Choosers: how a record of a big table is picked in a form, with a search box, never as a `<select>` of them all."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.views.generic import chooser
from wagtail.admin.viewsets.chooser import ChooserViewSet

from core.staff.views import visible


class SearchForm(BaseFilterForm):
    """The search box of a chooser. `fields` are looked through with a plain contains."""

    fields: tuple[str, ...] = ()
    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": _("Search")})
    )

    def filter(self, objects: QuerySet[Any]) -> QuerySet[Any]:
        """Rows in which every word is found."""
        objects = super().filter(objects)
        self.is_searching = bool(self.cleaned_data.get("q"))
        self.search_query = self.cleaned_data.get("q", "")
        for word in self.search_query.replace("\x00", " ").split()[:8]:
            anywhere = Q()
            for field in self.fields:
                anywhere |= Q(**{f"{field}__icontains": word})
            objects = objects.filter(anywhere)
        return objects.distinct() if self.is_searching else objects


class _Scoped:
    """Choosers show what the colleague may see, and nothing without the permission to view the model."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check first. Raises PermissionDenied."""
        meta = self.model_class._meta  # type: ignore[attr-defined]
        if not request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def get_object_list(self) -> QuerySet[Any]:
        return visible(self.model_class, self.request.user)  # type: ignore[attr-defined]

    def get_object(self, pk: Any) -> Model:
        return get_object_or_404(self.get_object_list(), pk=pk)

    def get_objects(self, pks: list[Any]) -> QuerySet[Any]:
        return self.get_object_list().filter(pk__in=pks)

    def can_create(self) -> bool:
        """Records are made on their own screens, where their service checks them."""
        return False


class Choose(_Scoped, chooser.ChooseView):
    """The dialog."""


class ChooseResults(_Scoped, chooser.ChooseResultsView):
    """Its list."""


class Chosen(_Scoped, chooser.ChosenView):
    """What was picked."""


class ChosenMultiple(_Scoped, chooser.ChosenMultipleView):
    """What was picked, when it is more than one."""


class RecordChooser(ChooserViewSet):
    """Chooser of one model. Give `name`, `url_prefix`, `model` and `search_fields`."""

    choose_view_class = Choose
    choose_results_view_class = ChooseResults
    chosen_view_class = Chosen
    chosen_multiple_view_class = ChosenMultiple
    per_page = 15
    search_fields: tuple[str, ...] = ()

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """The search form goes to the views that list."""
        form = type("ChooserSearchForm", (SearchForm,), {"fields": self.search_fields})
        return super().get_common_view_kwargs(**{"filter_form_class": form, **kwargs})

    def get_urlpatterns(self) -> list[Any]:
        """Without the view that creates."""
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]
