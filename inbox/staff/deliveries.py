"""Screens of deliveries: what left, what failed and why, what is unclear; try again and call off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
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
from crm.organisation import access
from crm.organisation.models import User
from crm.service.staff import ticket_url
from inbox.channels import sink
from inbox.models import Channel, Delivery
from inbox.services import deliveries

SHOWN_LIMIT = 60_000
"""Characters of a sent mail that its page shows."""


class DeliveryFilter(filters.WagtailFilterSet):
    """By state, purpose, channel and day."""

    state = filters.choices("state", gettext_lazy("State"), Delivery.State.choices)
    purpose = filters.choices("purpose", gettext_lazy("Purpose"), Delivery.Purpose.choices)
    channel = filters.records("channel", gettext_lazy("Channel"), lambda _request: Channel.objects.all())
    created_at = filters.days("created_at", gettext_lazy("Written"))

    class Meta:
        model = Delivery
        fields = ()


def sunk_mail(delivery: Delivery, user: User) -> str:
    """The mail that the try-out wrote to a file instead of sending it; empty when there is none for this reader.

    Account mail holds links that change a password: only an administrator of a try-out sees it.
    """
    if delivery.purpose == Delivery.Purpose.SYSTEM and not access.is_administrator(user):
        return ""
    file = sink.written(delivery.pk)
    if file is None:
        return ""
    return file.read_bytes()[:SHOWN_LIMIT].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


class DeliveryPage(StaffView):
    """One delivery: where it stands, what the other side said, and the mail itself where it was written to a file."""

    permissions = ("inbox.view_delivery",)
    template_name = "inbox/staff/delivery.html"
    header_icon = "g-send"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The row."""
        rows = Delivery.objects.select_related("channel", "message__ticket")
        self.record = delivery = get_object_or_404(rows, pk=self.kwargs["pk"])
        may_change = self.request.user.has_perm("inbox.change_delivery")
        # A server has it and works on it: another try would only look after it, but it can be asked back.
        under_way = delivery.state == Delivery.State.DEFERRED and bool(delivery.content.get("kept", {}).get("job"))
        called_off = under_way and bool(delivery.content.get("call_off"))
        return super().get_context_data(
            delivery=delivery,
            ticket_url=ticket_url(delivery.message.ticket) if delivery.message else None,
            mail=sunk_mail(delivery, self.request.user),
            under_way=under_way,
            called_off=called_off,
            may_retry=may_change
            and not under_way
            and delivery.state
            in (Delivery.State.FAILED, Delivery.State.UNCERTAIN, Delivery.State.CANCELLED, Delivery.State.DEFERRED),
            may_cancel=may_change and not called_off and delivery.state in Delivery.WAITING,
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("deliveries:index"), "label": _("Deliveries")}]

    def get_page_title(self) -> str:
        """The number."""
        return _("Delivery %(number)s") % {"number": self.record.pk}


class DeliveryDeed(StaffRequired):
    """Tries again, or calls off."""

    permissions = ("inbox.change_delivery",)
    deed: ClassVar[str] = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it and say whether it was possible."""
        delivery = self.visible_or_404(Delivery, pk=pk)
        verbs: dict[str, tuple[Callable[..., bool], str, str]] = {
            "retry": (deliveries.retry, _("It will be sent again."), _("It is on its way, or has arrived.")),
            "cancel": (
                deliveries.cancel,
                _("It is called off, or asked back."),
                _("It has left already."),
            ),
        }
        verb, done, refused = verbs[self.deed]
        if verb(delivery, by=self.request.user):
            messages.success(request, done)
        else:
            messages.error(request, refused)
        return redirect("deliveries:record", pk)


class DeliveryViewSet(RecordViewSet):
    """Deliveries, newest first."""

    name = "deliveries"
    url_prefix = "deliveries"
    model = Delivery
    icon = "g-send"
    menu_name = "deliveries"
    add_enabled = edit_enabled = delete_enabled = False
    list_display: ClassVar = [
        LinkColumn(
            "recipient",
            label=gettext_lazy("To"),
            classname="title",
            note=lambda delivery: delivery.said[:120],
            url=lambda delivery: reverse("deliveries:record", args=[delivery.pk]),
        ),
        StatusColumn("state", label=gettext_lazy("State")),
        Column("get_purpose_display", label=gettext_lazy("Purpose"), sort_key="purpose"),
        LinkColumn(
            "ticket",
            label=gettext_lazy("Ticket"),
            accessor=lambda delivery: delivery.message.ticket if delivery.message else "",
            url=lambda delivery: ticket_url(delivery.message.ticket) if delivery.message else None,
        ),
        Column("channel", label=gettext_lazy("Channel"), sort_key="channel"),
        MomentColumn("created_at", label=gettext_lazy("Written")),
    ]
    search_fields: ClassVar = ["recipient", "response"]
    filterset_class = DeliveryFilter
    select_related = ("channel", "message__ticket")

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page and its buttons."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", DeliveryPage.as_view(), name="record"),
            path("<int:pk>/retry/", DeliveryDeed.as_view(deed="retry"), name="retry"),
            path("<int:pk>/cancel/", DeliveryDeed.as_view(deed="cancel"), name="cancel"),
        ]
