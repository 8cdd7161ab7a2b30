"""What can be set for one telephone channel, and what the settings mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumbers import SUPPORTED_REGIONS

from core import outbound
from crm.customers import numbers
from inbox.channels.settings_form import ChannelSettingsForm

LINK_SCHEMES = frozenset({"https", "http", "tel", "sip", "callto"})
"""Where a click may lead; a program of the colleague's own machine takes the last three."""
PLACES = frozenset({"from", "to"})


def pairs(text: str) -> dict[str, str]:
    """`name = value`, one a line; what the left side means is asked in lower case."""
    found = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip().lower(): value.strip() for name, _equals, value in found if name.strip() and value.strip()}


def words(text: str) -> frozenset[str]:
    """Host names, apart by spaces, commas or lines."""
    return frozenset(text.lower().replace(",", " ").split())


def recording_allowed(url: str, settings: Mapping[str, Any]) -> bool:
    """Whether a recording may be linked: https, and a host that an administrator named."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme == "https" and not parts.username and host in words(str(settings.get("recording_hosts", "")))


class PhoneSettings(ChannelSettingsForm):
    """The form of a telephone channel."""

    secrets: ClassVar[frozenset[str]] = frozenset({"hmac_secret"})
    without = frozenset({"aliases", "display_name"})
    helps: ClassVar = {"address": gettext_lazy("The number that customers call, such as +49 40 555100.")}

    region = forms.ChoiceField(
        label=gettext_lazy("Country of numbers without a country code"),
        choices=[("", "—"), *((code, code) for code in sorted(SUPPORTED_REGIONS))],
        required=False,
    )
    people = forms.CharField(
        label=gettext_lazy("Names of colleagues at the telephone system"),
        help_text=gettext_lazy(
            "One a line: “name = e-mail address”. Needed only where the system's name is neither the extension in the "
            "colleague's profile, nor his name, nor his address."
        ),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )
    queues = forms.CharField(
        label=gettext_lazy("Queues of called numbers and of the telephone system's queues"),
        help_text=gettext_lazy(
            "One a line: “+49 40 555 100 = Sales” or “hotline = Support”. Everything else goes to the channel's queue."
        ),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )
    callback_minutes = forms.IntegerField(
        label=gettext_lazy("A missed call is called back within (minutes of business time)"),
        min_value=1,
        max_value=10_000,
        initial=60,
    )
    callback_slot = forms.IntegerField(
        label=gettext_lazy("Length of a call-back agreed on the web (minutes)"), min_value=5, max_value=240, initial=15
    )
    callback_parallel = forms.IntegerField(
        label=gettext_lazy("Call-backs at the same time"), min_value=1, max_value=100, initial=2
    )
    click_url = forms.CharField(
        label=gettext_lazy("Click to call: address"),
        help_text=gettext_lazy(
            "With {from} for the colleague's extension and {to} for the number, such as "
            "https://pbx.example.com/call?from={from}&to={to}. Empty: the link tel:… of the number."
        ),
        max_length=500,
        required=False,
    )
    click_how = forms.ChoiceField(
        label=gettext_lazy("Click to call: how"),
        choices=[
            ("open", gettext_lazy("The colleague's browser opens the address")),
            ("call", gettext_lazy("Our server calls the address (https only)")),
        ],
        initial="open",
        required=False,
    )
    recording_hosts = forms.CharField(
        label=gettext_lazy("Hosts that keep recordings"),
        help_text=gettext_lazy("Links to recordings anywhere else are dropped."),
        required=False,
    )
    hmac_secret = forms.CharField(
        label=gettext_lazy("Signing secret"),
        help_text=gettext_lazy(
            "When set, every event must carry X-Guichet-Signature. Leave it empty for systems that cannot sign."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        min_length=16,
        max_length=200,
        required=False,
    )

    def own_address(self, text: str) -> str:
        """A number in E.164. Raises ValidationError."""
        number = numbers.one(text, self.cleaned_data.get("region", ""))
        if not number:
            raise ValidationError(_("“%(text)s” is not a telephone number.") % {"text": text.strip()[:60]})
        return number

    def clean_click_url(self) -> str:
        """A scheme that is allowed, and no places but ours."""
        url = self.cleaned_data["click_url"].strip()
        if not url:
            return ""
        try:
            filled = url.format_map({"from": "1", "to": "1"})
        except (KeyError, ValueError, IndexError, AttributeError) as fault:
            raise ValidationError(_("Only {from} and {to} may appear in braces.")) from fault
        if urlsplit(filled).scheme not in LINK_SCHEMES:
            raise ValidationError(_("The address must begin with https, http, tel, sip or callto."))
        return url

    def clean(self) -> dict[str, Any]:
        """Our server calls nothing but https, and nothing in a private network."""
        data = super().clean() or self.cleaned_data
        url = str(data.get("click_url", ""))
        if data.get("click_how") == "call" and not url.startswith("https://"):
            self.add_error("click_url", _("Our server calls https addresses only."))
        elif data.get("click_how") == "call" and outbound.never_called(host := urlsplit(url).hostname or ""):
            self.add_error("click_url", outbound.PRIVATE % {"host": host})
        return data
