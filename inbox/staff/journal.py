"""The journal of received messages: what came, what became of it, and why something is in quarantine."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column

from core.staff import filters
from core.staff.columns import LinkColumn, MomentColumn, StatusColumn
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordViewSet
from crm.service.staff import ticket_url
from inbox.channels.registry import UnknownChannelKind, adapter
from inbox.models import Channel, RawMessage
from inbox.services import files
from inbox.services.processing import replay

READ_LIMIT = 2_000_000
"""Bytes up to which a message is read again for its page; a larger one can be downloaded."""
HEADER_LIMIT = 64_000


class JournalFilter(filters.WagtailFilterSet):
    """By state, outcome, channel and day."""

    state = filters.choices("state", gettext_lazy("State"), RawMessage.State.choices)
    outcome = filters.choices("outcome", gettext_lazy("Outcome"), RawMessage.Outcome.choices)
    channel = filters.records("channel", gettext_lazy("Channel"), lambda _request: Channel.objects.all())
    received_at = filters.days("received_at", gettext_lazy("Received"))

    class Meta:
        model = RawMessage
        fields = ()


def header_text(raw: bytes) -> str:
    """The header lines as they came, for reading: bytes that are no UTF-8 are marked."""
    head = raw[:HEADER_LIMIT].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return head.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


class JournalPage(StaffView):
    """One received message: its headers, how it was understood, what became of it."""

    permissions = ("inbox.view_rawmessage",)
    template_name = "inbox/staff/raw.html"
    header_icon = "g-download"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The row, and the bytes read once more by the same code that intake uses."""
        rows = RawMessage.objects.select_related("channel", "ticket")
        self.record = raw = get_object_or_404(rows, pk=self.kwargs["pk"])
        content, inbound = None, None
        try:
            if raw.size <= READ_LIMIT:
                content = files.content_of(raw)
                inbound = adapter(raw.channel.kind).read(content, raw.channel.settings or {})
        except (FileNotFoundError, UnknownChannelKind):
            pass
        return super().get_context_data(
            raw=raw,
            headers=header_text(content) if content is not None else "",
            inbound=inbound,
            missing=content is None and raw.size <= READ_LIMIT,
            ticket_url=ticket_url(raw.ticket) if raw.ticket else None,
            may_replay=raw.state == RawMessage.State.DEAD and self.request.user.has_perm("inbox.change_rawmessage"),
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("journal:index"), "label": _("Received messages")}]

    def get_page_title(self) -> str:
        """The journal's number."""
        return _("Received message %(number)s") % {"number": self.record.pk}


class JournalDownload(StaffRequired):
    """The bytes as they came. Always a file to save, never a page."""

    permissions = ("inbox.view_rawmessage",)

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The file. Raises Http404 when row or file is gone."""
        raw = self.visible_or_404(RawMessage, pk=pk)
        try:
            blob = files.open_content(raw)
        except FileNotFoundError:
            raise Http404 from None
        response = FileResponse(
            blob, as_attachment=True, filename=f"message-{raw.pk}.eml", content_type="application/octet-stream"
        )
        response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response


class JournalReplay(StaffRequired):
    """Runs a quarantined message again."""

    permissions = ("inbox.change_rawmessage",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for it and say whether it was possible."""
        raw = self.visible_or_404(RawMessage, pk=pk)
        if replay(raw, by=self.request.user):
            messages.success(request, _("The message goes through the whole path again."))
        else:
            messages.error(request, _("Only a message in quarantine can be run again."))
        return redirect("journal:record", pk)


class JournalViewSet(RecordViewSet):
    """Received messages, newest first."""

    name = "journal"
    url_prefix = "journal"
    model = RawMessage
    icon = "g-download"
    menu_name = "journal"
    menu_label = gettext_lazy("Received messages")
    add_enabled = edit_enabled = delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "received",
            label=gettext_lazy("Message"),
            accessor=lambda raw: (
                raw.ticket or raw.get_outcome_display() or _("Message %(number)s") % {"number": raw.pk}
            ),
            note=lambda raw: raw.reason or str(raw.channel),
            classname="title",
            url=lambda raw: reverse("journal:record", args=[raw.pk]),
        ),
        StatusColumn("state", label=gettext_lazy("State")),
        Column("get_outcome_display", label=gettext_lazy("Outcome"), sort_key="outcome"),
        Column("channel", label=gettext_lazy("Channel"), sort_key="channel"),
        MomentColumn("received_at", label=gettext_lazy("Received")),
    ]
    search_fields: ClassVar = ["reason", "ticket__subject"]
    filterset_class = JournalFilter
    select_related = ("channel", "ticket")

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page, the file and the button."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", JournalPage.as_view(), name="record"),
            path("<int:pk>/raw/", JournalDownload.as_view(), name="download"),
            path("<int:pk>/replay/", JournalReplay.as_view(), name="replay"),
        ]
