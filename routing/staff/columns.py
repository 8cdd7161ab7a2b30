"""Columns of the lists of routing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column

from core.staff.columns import StatusColumn
from routing.words import Labels, actions

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class WordColumn(StatusColumn):
    """A pill whose word is given here: the accessor tells its tone."""

    def __init__(self, name: str, *, words: Mapping[str, StrOrPromise], **options: Any) -> None:
        super().__init__(name, **options)
        self.words = words

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The tone and the word."""
        context = super().get_cell_context_data(instance, parent_context)
        context["label"] = self.words[context["value"]]
        return context


def active_column() -> WordColumn:
    """Whether a record is in use."""
    words = {"good": _("In use"), "closed": _("Off")}
    return WordColumn("state", words=words, label=_("State"), accessor=lambda r: "good" if r.active else "closed")


class ActionsColumn(Column):
    """What a macro does, in words. The names of queues and people are looked up once a list."""

    def get_value(self, instance: Any) -> Any:
        """The record: its words need the list's labels."""
        return instance

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """The words."""
        context = super().get_cell_context_data(instance, parent_context)
        labels = vars(parent_context["table"]).setdefault("labels", Labels())
        context["value"] = actions(instance.actions, labels)
        return context


class QueueColumn(Column):
    """The queue's colour beside its name."""

    cell_template_name = "routing/staff/queue_name.html"

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """With the address of its form, which checks by itself who may open it."""
        context = super().get_cell_context_data(instance, parent_context)
        context["url"] = reverse("routing_queues:edit", args=[instance.pk])
        return context
