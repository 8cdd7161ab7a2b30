"""The audit log to read."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column

from core import audit, audit_words
from core.models import AuditEntry
from core.staff import filters
from core.staff.columns import LinkColumn, MomentColumn
from core.staff.viewsets import RecordViewSet


class AuditFilter(filters.WagtailFilterSet):
    """By deed and day."""

    deed = filters.choices("deed", _("Action"), list(audit.DEEDS.items()))
    at = filters.days("at", _("When"))

    class Meta:
        model = AuditEntry
        fields = ()


class AuditViewSet(RecordViewSet):
    """Who did what from where, newest first. Nothing here can be changed, by anybody."""

    name = "audit"
    url_prefix = "audit"
    model = AuditEntry
    icon = "g-list"
    menu_name = "audit"
    menu_label = _("Audit log")
    add_enabled = edit_enabled = delete_enabled = False
    list_display: ClassVar = [
        MomentColumn("at", label=_("When"), full=True),
        LinkColumn(
            "deed",
            label=_("Action"),
            accessor=lambda entry: audit.DEEDS.get(entry.deed, entry.deed),
            narrow=lambda entry: " · ".join(
                dict.fromkeys(filter(None, (entry.actor_name, audit_words.about(entry), audit_words.detail(entry))))
            ),
        ),
        Column("actor_name", label=_("Who")),
        Column("about", label=_("About"), accessor=audit_words.about),
        Column("detail", label=_("Details"), accessor=audit_words.detail),
        Column("address", label=_("IP address")),
    ]
    list_export: ClassVar = ["at", "deed", "actor", "actor_name", "address", "about", "detail", "seal"]
    search_fields: ClassVar = ["actor_name", "about", "detail", "address"]
    filterset_class = AuditFilter
    ordering: ClassVar = ["-id"]
