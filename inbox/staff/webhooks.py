"""Screens of webhooks: make one, see its secret once, see what became of the calls, try it, start it again."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from core import limits, outbound
from core.staff.columns import LinkColumn, MomentColumn, StatusColumn
from core.staff.forms import RecordForm, Section
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordAdd, RecordViewSet
from crm.organisation.models import User
from inbox.models import Webhook
from inbox.services import webhooks

HEALTH = {
    "good": gettext_lazy("Working"),
    "trouble": gettext_lazy("Failing"),
    "dead": gettext_lazy("Given up"),
    "paused": gettext_lazy("Switched off"),
}
FAULTS = {
    "gaierror": gettext_lazy("There is no server of this name."),
    "TimeoutError": gettext_lazy("No answer in time."),
    "ConnectionRefusedError": gettext_lazy("The server takes no connection there."),
    "ConnectionResetError": gettext_lazy("The server ended the connection."),
    "RemoteDisconnected": gettext_lazy("The server ended the connection."),
    "SSLCertVerificationError": gettext_lazy("The server’s certificate is not valid."),
    "SSLError": gettext_lazy("No encrypted connection could be made."),
}
"""Faults by the name that their stored text begins with."""


def in_words(error: str) -> str:
    """What went wrong at a call, for people; what is not known stays as it was written."""
    return str(FAULTS.get(error.partition(":")[0], error))


class WebhookForm(RecordForm):
    """Where, and how much is told."""

    url = forms.URLField(
        label=gettext_lazy("Address"),
        assume_scheme="https",
        max_length=500,
        help_text=gettext_lazy("Begins with https:// and is on the public internet."),
    )
    sections: ClassVar = (
        Section(
            gettext_lazy("Webhook"),
            ("name", "url", "with_text", "active"),
            gettext_lazy("Rules call it by the action “call a webhook”. Internal notes are never sent."),
        ),
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "with_text", "active")
        help_texts = {
            "with_text": gettext_lazy("Without it, only who, which ticket and what happened."),
        }

    def clean_url(self) -> str:
        """Only what the outbound client would call."""
        parts = urlsplit(self.cleaned_data["url"])
        if parts.scheme != "https" or parts.username:
            raise ValidationError(_("The address must begin with https:// and contain no password."))
        if outbound.never_called(parts.hostname or ""):
            raise ValidationError(outbound.PRIVATE % {"host": parts.hostname})
        return self.cleaned_data["url"]


def _told_once(request: HttpRequest, webhook: Webhook, secret: str) -> None:
    request.session[f"webhook-{webhook.pk}"] = secret


def save_webhook(form: WebhookForm, by: User) -> Webhook:
    """The form as a webhook; a new one's secret waits on it to be shown once."""
    webhook = form.save(commit=False)
    webhook.fresh_secret = webhooks.save_webhook(webhook, by=by)
    return webhook


class WebhookAdd(RecordAdd):
    """The form of a new webhook; its page shows the secret, this once."""

    def save_instance(self) -> Webhook:
        """Save, and keep the secret for the page that follows."""
        webhook = super().save_instance()
        _told_once(self.request, webhook, webhook.fresh_secret)
        return webhook


class WebhookPage(StaffView):
    """How a webhook does: the last calls and what was answered, and the secret right after it was made."""

    permissions = ("inbox.change_webhook",)
    template_name = "inbox/staff/webhook.html"
    header_icon = "g-bolt"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The webhook and its last calls."""
        self.record = self.visible_or_404(Webhook, pk=self.kwargs["pk"])
        return super().get_context_data(
            webhook=self.record,
            secret=self.request.session.pop(f"webhook-{self.record.pk}", ""),
            health_words=HEALTH[self.record.health],
            calls=[
                (call, in_words(call.error), json.dumps(call.data, ensure_ascii=False, indent=2))
                for call in self.record.calls.order_by("-id")[:30]
            ],
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("webhooks:index"), "label": _("Webhooks")}]

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


class WebhookDeed(StaffRequired):
    """The buttons of the page."""

    permissions = ("inbox.change_webhook",)
    deed: ClassVar[str] = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it and say so."""
        webhook = self.visible_or_404(Webhook, pk=pk)
        if self.deed == "test":
            if limits.hit(f"webhook-test:{request.user.pk}", limit=20, seconds=300):
                webhooks.send_test(webhook, by=request.user)
                messages.success(request, _("A test is on its way. Reload this page to see what came of it."))
            else:
                messages.error(request, _("Please wait a little before you test again."))
        elif self.deed == "secret":
            _told_once(request, webhook, webhooks.renew_secret(webhook, by=request.user))
        else:
            webhooks.start_again(webhook, by=request.user)
            messages.success(request, _("“%(name)s” is called again, including what was waiting.") % {"name": webhook})
        return redirect("webhooks:record", pk)


class WebhookViewSet(RecordViewSet):
    """Programs of others that are told what happens here."""

    name = "webhooks"
    url_prefix = "webhooks"
    model = Webhook
    icon = "g-bolt"
    menu_name = "webhooks"
    add_view_class = WebhookAdd
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            sort_key="name",
            classname="title",
            url=lambda webhook: reverse("webhooks:record", args=[webhook.pk]),
            note=lambda webhook: webhook.url,
        ),
        StatusColumn("health", label=gettext_lazy("State"), words=HEALTH),
        MomentColumn("failing_since", label=gettext_lazy("Failing since")),
    ]
    search_fields: ClassVar = ["name", "url"]
    save_service = staticmethod(save_webhook)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return WebhookForm

    def url_after_save(self, record: Any) -> str:
        """Its page."""
        return reverse("webhooks:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page and its buttons beside the generic ones."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", WebhookPage.as_view(), name="record"),
            path("<int:pk>/test/", WebhookDeed.as_view(deed="test"), name="test"),
            path("<int:pk>/secret/", WebhookDeed.as_view(deed="secret"), name="secret"),
            path("<int:pk>/start/", WebhookDeed.as_view(deed="start"), name="start"),
        ]
