"""The base of list-and-form screens. Every view of a record starts from what the colleague may see.

Wagtail's generic views check the model's permission only and load from the unscoped manager; here each of them loads
through `visible_to`, so a foreign record is a 404 in every view, and saves through the service of its package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Model, ProtectedError, Q, QuerySet, RestrictedError
from django.forms import BaseModelForm
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from wagtail.admin import messages
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.views import generic
from wagtail.admin.views.generic.history import HistoryFilterSet, HistoryView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log

from core import audit
from core.staff import filters
from core.staff.export import SafeExport
from core.staff.views import HOME, Sensitive, visible

SEARCH_LIMIT = 200
"""Characters of a question that are looked for; a database refuses a pattern of many thousands (S-70)."""


class Scoped:
    """What the views of one viewset share: the viewset itself, and rows that the colleague may see."""

    viewset: RecordViewSet | None = None
    breadcrumbs_items = [HOME]

    def scoped(self) -> QuerySet[Any]:
        """The rows this request may know of."""
        assert self.viewset is not None  # noqa: S101 - construct_view always gives it
        return self.viewset.rows(self.request.user)  # type: ignore[attr-defined]

    def get_base_object_queryset(self) -> QuerySet[Any]:
        """For Wagtail's views of an object's life."""
        return self.scoped()


class ScopedObject(Scoped):
    """Views of one record."""

    def get_queryset(self) -> QuerySet[Any]:
        """For Django's single-object views."""
        return self.scoped()


class Pages(WagtailPaginator):
    """The pages of a list. Wagtail joins number and noun as English does; Chinese wants a measure word between them."""

    @cached_property
    def items_count_label(self) -> str:
        """How many records there are, in words."""
        name = self.verbose_name if self.count == 1 else self.verbose_name_plural
        return pgettext("how many records of which kind", "%(count)s %(name)s") % {"count": self.count, "name": name}


class RecordList(Scoped, SafeExport, generic.IndexView):
    """The list, its search, filters and export."""

    paginator_class = Pages

    def get_base_queryset(self) -> QuerySet[Any]:
        """Visible rows, with what the columns show."""
        rows = self.scoped()
        assert self.viewset is not None  # noqa: S101
        if self.viewset.select_related:
            rows = rows.select_related(*self.viewset.select_related)
        if self.viewset.prefetch_related:
            rows = rows.prefetch_related(*self.viewset.prefetch_related)
        return rows

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows in which every word is found in one of `search_fields`, wherever it stands and whatever its case."""
        fields = self.search_fields or ()
        for word in self.search_query[:SEARCH_LIMIT].replace("\x00", " ").split()[:8]:
            anywhere = Q()
            for field in fields:
                anywhere |= Q(**{f"{field}__icontains": word})
            queryset = queryset.filter(anywhere)
        meta = queryset.model._meta
        relations = [meta.get_field(field.split("__")[0]) for field in fields]
        repeats = self.is_searching and any(relation.one_to_many or relation.many_to_many for relation in relations)
        return queryset.distinct() if repeats else queryset


class RecordAdd(Sensitive, Scoped, generic.CreateView):
    """The form for a new record."""

    def save_instance(self) -> Model:
        """Save through the service of the package."""
        assert self.viewset is not None  # noqa: S101
        record = self.viewset.saved(self.form, self.request.user)
        log(instance=record, action="wagtail.create", user=self.request.user, content_changed=True)
        self.viewset.note("added", record, self.request.user)
        return record

    def get_success_buttons(self) -> list[Any]:
        """To the form again, where the set has one."""
        return super().get_success_buttons() if self.edit_url_name else []

    def get_success_url(self) -> str:
        """Where to go on."""
        assert self.viewset is not None  # noqa: S101
        return self.viewset.url_after_save(self.object) or super().get_success_url()


class RecordEdit(Sensitive, ScopedObject, generic.EditView):
    """The form of a record."""

    def save_instance(self) -> Model:
        """Save through the service of the package."""
        assert self.viewset is not None  # noqa: S101
        record = self.viewset.saved(self.form, self.request.user)
        log(instance=record, action="wagtail.edit", user=self.request.user, content_changed=self.form.has_changed())
        if self.form.has_changed():
            self.viewset.note("changed", record, self.request.user, ", ".join(self.form.changed_data))
        return record

    def get_success_url(self) -> str:
        """Where to go on."""
        assert self.viewset is not None  # noqa: S101
        return self.viewset.url_after_save(self.object) or super().get_success_url()


class RecordDelete(Sensitive, ScopedObject, generic.DeleteView):
    """Asks, then deletes."""

    def form_valid(self, form: Any) -> HttpResponseBase:
        """Delete, or say what still needs the record."""
        try:
            return super().form_valid(form)
        except (ProtectedError, RestrictedError):
            said = _("“%(record)s” is still in use and cannot be deleted.") % {"record": self.object}
            messages.error(self.request, said)
            return redirect(self.index_url_name)

    def delete_action(self) -> None:
        """Delete through the service of the package; the log row and the deletion are one transaction."""
        assert self.viewset is not None  # noqa: S101
        with transaction.atomic():
            log(instance=self.object, action="wagtail.delete", user=self.request.user, deleted=True)
            about = str(self.object)
            self.viewset.removed(self.object, self.request.user)
            self.viewset.note("deleted", about, self.request.user)


class RecordInspect(ScopedObject, generic.InspectView):
    """The record to read."""

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Model:
        """The visible record. Raises Http404."""
        return get_object_or_404(self.scoped(), pk=self.pk)


class HistoryFilter(HistoryFilterSet):
    """Wagtail's filter with the browser's own date fields."""

    timestamp = filters.days("timestamp", gettext_lazy("Date"))


class RecordHistory(Scoped, HistoryView):
    """Who changed the record when."""

    filterset_class = HistoryFilter


class RecordViewSet(ModelViewSet):
    """List, form, deletion, history and export of one model. `name` and `url_prefix` are mandatory.

    Rows: `visible_to(user)` of the model's manager, or `rows()` overridden.
    Writing: `save_service(form, by)` is called with the valid form inside a transaction and returns the record;
    `delete_service(record, by)` deletes it. Give them as `staticmethod(function)`; without one, plain reference data
    is saved and deleted as it is.
    Big tables are never offered as a `<select>`: use the widget of a `core.staff.choosing.Picker`.
    """

    index_view_class = RecordList
    add_view_class = RecordAdd
    edit_view_class = RecordEdit
    delete_view_class = RecordDelete
    inspect_view_class = RecordInspect
    history_view_class = RecordHistory
    copy_view_enabled = False
    add_to_reference_index = False
    list_per_page = 20
    search_backend_name = None
    create_template_name = "core/staff/form.html"
    edit_template_name = "core/staff/form.html"
    select_related: ClassVar[tuple[str, ...]] = ()
    prefetch_related: ClassVar[tuple[str, ...]] = ()
    save_service: ClassVar[Callable[..., Any] | None] = None
    delete_service: ClassVar[Callable[..., None] | None] = None
    sensitive: ClassVar[bool] = False
    """Adding, changing and deleting needs a recent proof of who is there."""
    audited: ClassVar[bool] = True
    """Changes go into the audit log. Those of records people work on every day do not: they keep their own history."""
    add_enabled: ClassVar[bool] = True
    edit_enabled: ClassVar[bool] = True
    delete_enabled: ClassVar[bool] = True

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        for attribute in ("name", "url_prefix"):
            # Wagtail's default is the bare model name, which two apps may share.
            given = [vars(self), *(vars(cls) for cls in type(self).__mro__)]
            if not any(isinstance(values.get(attribute), str) for values in given):
                raise ImproperlyConfigured(f"{type(self).__name__} must have a {attribute}")

    def rows(self, user: Any) -> QuerySet[Any]:
        """Rows that `user` may know of, for every view of this set."""
        return visible(self.model, user)

    def saved(self, form: BaseModelForm[Any], by: Any) -> Model:
        """Save a valid form."""
        return self.save_service(form, by) if self.save_service else form.save()

    def removed(self, record: Model, by: Any) -> None:
        """Delete a record."""
        if self.delete_service:
            self.delete_service(record, by)
        else:
            record.delete()

    def note(self, deed: str, record: Any, by: Any, detail: str = "") -> None:
        """Put the deed into the audit log: which record, and which fields were changed, never their values."""
        if self.audited:
            about = format_lazy("{} {}", self.model._meta.verbose_name, record)
            audit.record(deed, by=by, about=about, detail=detail)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form; a set that is only read has none."""
        return super().get_form_class(for_update) if self.add_enabled or self.edit_enabled else BaseModelForm

    def url_after_save(self, record: Model) -> str | None:
        """Where a saved form leads; None is the list."""
        return None

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """What all views get."""
        found = super().get_common_view_kwargs(**{"viewset": self, "usage_url_name": None, **kwargs})
        for enabled, names in ((self.add_enabled, "add"), (self.edit_enabled, "edit"), (self.delete_enabled, "delete")):
            if not enabled:
                found[f"{names}_url_name"] = None
        return found

    def get_urlpatterns(self) -> list[URLPattern]:
        """The addresses; without the reference index there is no usage page."""
        closed = {"usage"}
        for enabled, name in ((self.add_enabled, "add"), (self.edit_enabled, "edit"), (self.delete_enabled, "delete")):
            if not enabled:
                closed.add(name)
        if not self.edit_enabled:
            closed |= {"history", "history_results"}
        return [pattern for pattern in super().get_urlpatterns() if pattern.name not in closed]
