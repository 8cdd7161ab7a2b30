"""Screens of channels: connect one, see how it does, try it, stop and start it."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django import forms
from django.forms import BaseModelForm, BoundField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail.admin import messages

from core import limits
from core.secrets import SecretUnreadable
from core.staff.columns import LinkColumn, MomentColumn, StatusColumn
from core.staff.forms import RecordForm, Section, Words
from core.staff.panels import panels_of
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from crm.organisation.models import User
from inbox.channels.registry import UnknownChannelKind, adapter, adapters
from inbox.channels.settings_form import ChannelSettingsForm
from inbox.models import Channel, Template
from inbox.services import channel_setup

PARTS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    (gettext_lazy("Receiving"), ("imap_", "import_", "after_", "move_", "authserv_", "in_")),
    (gettext_lazy("Sending"), ("smtp_", "out_", "cover")),
    (gettext_lazy("OAuth 2"), ("oauth_",)),
    (gettext_lazy("Words"), ("title_", "welcome_", "launcher_")),
    (gettext_lazy("Calling back"), ("callback_",)),
    (gettext_lazy("Click to call"), ("click_",)),
)
"""Where an adapter's field stands, by the beginning of its name; all others stand under the kind's own name."""


def stored_secrets(channel: Channel) -> frozenset[str]:
    """Names of the secrets that the channel has. A secret that cannot be read any more counts as missing."""
    if not channel.pk:
        return frozenset()
    try:
        return frozenset(name for name, value in channel.secrets().items() if value)
    except SecretUnreadable:
        return frozenset()


class ChannelForm(RecordForm):
    """What all channels have, and below it what the adapter of this kind asks."""

    kind = forms.CharField(widget=forms.HiddenInput)
    aliases = forms.CharField(
        label=gettext_lazy("Further addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line. Mail to any of them belongs to this channel."),
    )
    sections: ClassVar = (
        Section(
            gettext_lazy("Channel"),
            ("name", "address", "aliases", "display_name", "queue", "language", "acknowledge", "active"),
        ),
    )

    class Meta:
        model = Channel
        fields = ("name", "kind", "address", "display_name", "queue", "language", "acknowledge", "active")
        help_texts = {
            "address": gettext_lazy("What customers write to."),
            "display_name": gettext_lazy("The name they see on our messages."),
            "queue": gettext_lazy("Where new tickets wait when no rule says otherwise."),
            "language": gettext_lazy("For automatic answers when the customer's language is not known."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind_name = self.instance.kind or self.data.get("kind") or self.initial.get("kind") or adapters()[0].kind
        try:
            self.adapter = adapter(self.kind_name)
        except UnknownChannelKind:
            raise Http404 from None
        self.fields["kind"].initial = self.kind_name
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            choices=Channel._meta.get_field("language").choices or languages(),
            help_text=self.fields["language"].help_text,
            initial=get_language() or "en",
        )
        self.fields["acknowledge"].queryset = Template.objects.filter(purpose=Template.Purpose.AUTOMATIC)
        if not self.is_bound:
            self.initial["aliases"] = "\n".join(self.instance.aliases or [])
        form = cast("type[ChannelSettingsForm]", self.adapter.form)
        self.settings_form = form(
            *((self.data, self.files) if self.is_bound else ()),
            prefix="settings",
            stored=stored_secrets(self.instance),
            initial=self.instance.settings or None,
        )
        for name in form.without:
            del self.fields[name]
        for name, words in form.helps.items():
            self.fields[name].help_text = words

    def clean_kind(self) -> str:
        """A channel stays of the kind it was made as."""
        return self.kind_name

    def clean_address(self) -> str:
        """One spelling, and no other channel's."""
        return self._address(self.cleaned_data["address"])

    def clean_aliases(self) -> list[str]:
        """The same for each line."""
        return [self._address(line) for line in self.cleaned_data["aliases"].splitlines() if line.strip()]

    def _address(self, text: str) -> str:
        if not text.strip():
            return ""
        self.settings_form.is_valid()  # its country says what a number without one means
        address = self.settings_form.own_address(text)
        channel_setup.check_free(address, self.instance)
        return address

    def is_valid(self) -> bool:
        """Both parts."""
        valid = [super().is_valid(), self.settings_form.is_valid()]
        return all(valid)

    def has_changed(self) -> bool:
        """Either part."""
        return super().has_changed() or self.settings_form.has_changed()

    def layout(self) -> Any:
        """The common part, then the adapter's fields by what they are about. Stored secrets are told, never shown."""
        yield from super().layout()
        stored = self.settings_form.stored
        groups: dict[Words, list[BoundField]] = {}
        for bound in self.settings_form.visible_fields():
            parts = (*self.settings_form.parts, *PARTS)
            title = next((t for t, starts in parts if bound.name.startswith(starts)), self.adapter.label)
            if bound.name in self.settings_form.secrets:
                bound.label = f"{bound.label} ({_('set') if bound.name in stored else _('not set')})"
            groups.setdefault(title, []).append(bound)
        for title, bounds in groups.items():
            yield title, "", bounds


def languages() -> list[tuple[str, str]]:
    """Languages of automatic answers."""
    from django.conf import settings

    return list(settings.LANGUAGES)


def save_channel(form: ChannelForm, by: User) -> Channel:
    """Both parts of the form as one channel."""
    channel = form.save(commit=False)
    channel.aliases = form.cleaned_data.get("aliases", [])
    return channel_setup.save_channel(
        channel, form.settings_form.settings(), form.settings_form.changed_secrets(), by=by
    )


class ChannelAdd(RecordAdd):
    """Asks for the kind first, when there are several."""

    template_name = "inbox/staff/channel_form.html"

    def get_initial(self) -> dict[str, Any]:
        """The kind out of the address of the page."""
        return {"kind": self.request.GET.get("kind", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The kinds to choose from."""
        return super().get_context_data(kinds=[(each.kind, each.label) for each in adapters()], **kwargs)


class ChannelEdit(RecordEdit):
    """The same form."""

    template_name = "inbox/staff/channel_form.html"


class ChannelPage(StaffView):
    """How a channel does: health both ways, how far it was read, the last messages."""

    permissions = ("inbox.view_channel",)
    template_name = "inbox/staff/channel.html"
    header_icon = "g-at"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The channel and what came and went through it."""
        self.record = self.visible_or_404(Channel.objects.select_related("queue").model, pk=self.kwargs["pk"])
        channel, user = self.record, self.request.user
        return super().get_context_data(
            channel=channel,
            kind=_label(channel.kind),
            language=dict(languages()).get(channel.language, channel.language),
            can_fetch=can(channel.kind, "fetch"),
            can_send=can(channel.kind, "send"),
            cursors=channel.cursors.all(),
            received=channel.raw_messages.select_related("ticket").order_by("-id")[:10]
            if user.has_perm("inbox.view_rawmessage")
            else [],
            sent=channel.deliveries.order_by("-id")[:10] if user.has_perm("inbox.view_delivery") else [],
            findings=self.request.session.pop(f"probe-{channel.pk}", None),
            may_change=user.has_perm("inbox.change_channel"),
            **_card(channel),
            panels=[panel.render(self.request) for panel in panels_of("channel", self.request, channel)],
            **kwargs,
        )

    def get_trail(self) -> list[dict[str, Any]]:
        """The list."""
        return [{"url": reverse("channels:index"), "label": _("Channels")}]

    def get_page_title(self) -> str:
        """The name."""
        return str(self.record)


class ChannelDeed(StaffRequired):
    """Stops or starts a channel."""

    permissions = ("inbox.change_channel",)
    deed: ClassVar[str] = ""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it and say so."""
        channel = self.visible_or_404(Channel, pk=pk)
        if self.deed == "pause":
            channel_setup.pause(channel, by=self.request.user)
            messages.success(request, _("“%(channel)s” neither fetches nor sends now.") % {"channel": channel})
        else:
            channel_setup.resume(channel, by=self.request.user)
            messages.success(request, _("“%(channel)s” works again.") % {"channel": channel})
        return redirect("channels:record", pk)


class ChannelOwnDeed(StaffRequired):
    """A button that the channel's adapter adds to its page."""

    permissions = ("inbox.change_channel",)

    def post(self, request: HttpRequest, pk: int, deed: str) -> HttpResponse:
        """Do it and say what came of it. Raises Http404 for a deed that the adapter does not have."""
        channel = self.visible_or_404(Channel, pk=pk)
        done = getattr(adapter(channel.kind), "deeds", {}).get(deed)
        if done is None:
            raise Http404
        messages.success(request, done(channel, request.user))
        return redirect("channels:record", pk)


class ChannelTest(StaffRequired):
    """Connects for real, as the channel would, and says what happened in words."""

    permissions = ("inbox.change_channel",)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Try it; what was found is shown on the channel's page."""
        channel = self.visible_or_404(Channel, pk=pk)
        if not limits.hit(f"probe:{request.user.pk}", limit=20, seconds=300):
            messages.error(request, _("Please wait a little before you test again."))
            return redirect("channels:record", pk)
        probe = getattr(adapter(channel.kind), "probe", None)
        if probe is None:
            messages.info(request, _("There is nothing to connect to: this kind of channel works by itself."))
            return redirect("channels:record", pk)
        try:
            found = probe(channel)
        except SecretUnreadable:
            messages.error(request, _("The stored password cannot be read with the present key. Enter it again."))
            return redirect("channels:record", pk)
        request.session[f"probe-{pk}"] = [
            {"what": str(what), "good": finding.good, "words": str(finding.text)}
            for what, finding in ((_("Receiving"), found.receiving), (_("Sending"), found.sending))
        ]
        return redirect("channels:record", pk)


def _card(channel: Channel) -> dict[str, Any]:
    try:
        own = adapter(channel.kind)
    except UnknownChannelKind:
        return {}
    card = getattr(own, "card", "")
    return {"card_template": card, "card": own.card_of(channel)} if card else {}  # type: ignore[attr-defined]


def _label(kind: str) -> Words:
    try:
        return adapter(kind).label
    except UnknownChannelKind:
        return kind


def can(kind: str, what: str) -> bool:
    """Whether channels of this kind do that (`ChannelAdapter.can`)."""
    try:
        return what in adapter(kind).can
    except UnknownChannelKind:
        return False


class SendingColumn(StatusColumn):
    """Empty for channels that only receive."""

    def get_value(self, instance: Any) -> Any:
        """The stored word."""
        return super().get_value(instance) if can(instance.kind, "send") else ""


class ChannelViewSet(RecordViewSet):
    """Where we are reached."""

    name = "channels"
    url_prefix = "channels"
    sensitive = True
    model = Channel
    icon = "g-at"
    menu_name = "channels"
    add_view_class = ChannelAdd
    edit_view_class = ChannelEdit
    create_template_name = edit_template_name = "inbox/staff/channel_form.html"
    list_display: ClassVar = [
        LinkColumn(
            "name",
            label=gettext_lazy("Name"),
            sort_key="name",
            classname="title",
            url=lambda channel: reverse("channels:record", args=[channel.pk]),
        ),
        LinkColumn(
            "kind", label=gettext_lazy("Kind"), accessor=lambda channel: _label(channel.kind), url=lambda _c: None
        ),
        "address",
        "queue",
        StatusColumn("receiving_health", label=gettext_lazy("Receiving")),
        SendingColumn("sending_health", label=gettext_lazy("Sending")),
        MomentColumn("receiving_at", label=gettext_lazy("Last contact")),
    ]
    search_fields: ClassVar = ["name", "address"]
    select_related = ("queue",)
    save_service = staticmethod(save_channel)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return ChannelForm

    def url_after_save(self, record: Any) -> str:
        """The channel's page, where it can be tried."""
        return reverse("channels:record", args=[record.pk])

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page and its buttons beside the generic ones."""
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", ChannelPage.as_view(), name="record"),
            path("<int:pk>/test/", ChannelTest.as_view(), name="test"),
            path("<int:pk>/do/<slug:deed>/", ChannelOwnDeed.as_view(), name="own_deed"),
            path("<int:pk>/pause/", ChannelDeed.as_view(deed="pause"), name="pause"),
            path("<int:pk>/resume/", ChannelDeed.as_view(deed="resume"), name="resume"),
        ]
