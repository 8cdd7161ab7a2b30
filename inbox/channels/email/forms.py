"""What staff fill in for a mailbox."""

from __future__ import annotations

import ipaddress
import re
import ssl
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from inbox.channels.settings_form import ChannelSettingsForm

SECURITY = [("tls", _("TLS from the start")), ("starttls", _("STARTTLS")), ("none", _("None (this machine only)"))]
AUTH = [
    ("password", _("Password")),
    ("microsoft", _("OAuth 2, Microsoft 365")),
    ("google", _("OAuth 2, Google")),
]
AFTER_IMPORT = [
    ("nothing", _("Leave it as it is")),
    ("seen", _("Mark it as seen")),
    ("move", _("Move it to a folder")),
]
SIDES = [("right", _("After the subject")), ("left", _("Before the subject"))]
_HOST = re.compile(r"[A-Za-z0-9_.:\-]{1,253}")
_HOOK = re.compile(r"[^\[\]\x00-\x1f\x7f]{1,30}")
_ONE_LINE = ("imap_user", "imap_folder", "move_to", "smtp_user", "authserv_id", "oauth_client_id", "oauth_tenant")
_LONE_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_this_machine(host: str) -> bool:
    """Whether the name means the loopback interface: the only place where mail may travel without TLS."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=253, required=False)


def _port(label: Any, initial: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=65535, initial=initial, required=False)


def _secret(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=4000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. Leave empty to keep what is stored."),
    )


class EmailSettingsForm(ChannelSettingsForm):
    """Where mail is fetched and handed over, and how ours looks."""

    secrets: ClassVar[frozenset[str]] = frozenset(
        {"imap_password", "smtp_password", "oauth_client_secret", "oauth_refresh_token"}
    )

    auth = forms.ChoiceField(label=_("Log in with"), choices=AUTH, initial="password", required=False)

    imap_host = _host(_("IMAP server"))
    imap_port = _port(_("IMAP port"), 993)
    imap_security = forms.ChoiceField(label=_("IMAP security"), choices=SECURITY, initial="tls", required=False)
    imap_user = forms.CharField(label=_("IMAP user"), max_length=320, required=False)
    imap_password = _secret(_("IMAP password"))
    imap_folder = forms.CharField(label=_("Folder"), max_length=200, initial="INBOX", required=False)
    import_existing = forms.BooleanField(
        label=_("Also take what is in the folder already"), initial=True, required=False
    )
    after_import = forms.ChoiceField(
        label=_("After a mail was taken"), choices=AFTER_IMPORT, initial="seen", required=False
    )
    move_to = forms.CharField(label=_("Move to folder"), max_length=200, required=False)
    authserv_id = forms.CharField(
        label=_("Trusted authentication server"),
        max_length=253,
        required=False,
        help_text=_("The name your own mail server writes first into Authentication-Results. Empty trusts none."),
    )

    smtp_host = _host(_("SMTP server"))
    smtp_port = _port(_("SMTP port"), 587)
    smtp_security = forms.ChoiceField(label=_("SMTP security"), choices=SECURITY, initial="starttls", required=False)
    smtp_user = forms.CharField(label=_("SMTP user"), max_length=320, required=False)
    smtp_password = _secret(_("SMTP password"))
    smtp_connections = forms.IntegerField(
        label=_("Connections at once"), min_value=1, max_value=20, initial=2, required=False
    )

    oauth_tenant = forms.CharField(label=_("Microsoft tenant"), max_length=100, required=False)
    oauth_client_id = forms.CharField(label=_("OAuth client id"), max_length=200, required=False)
    oauth_client_secret = _secret(_("OAuth client secret"))
    oauth_refresh_token = _secret(_("OAuth refresh token"))

    plus_addressing = forms.BooleanField(
        label=_("The server delivers name+anything@domain to this mailbox"),
        required=False,
        help_text=_("Answers and bounces then find their ticket even when a mail program drops the thread."),
    )
    subject_hook = forms.CharField(
        label=_("Mark in the subject"),
        max_length=30,
        initial="Ticket#",
        required=False,
        help_text=_("Give each installation its own, so that two help desks that write to each other do not clash."),
    )
    subject_side = forms.ChoiceField(label=_("Place of the mark"), choices=SIDES, initial="right", required=False)
    signature = forms.CharField(label=_("Signature"), max_length=2000, required=False, widget=forms.Textarea)
    tls_ca = forms.CharField(
        label=_("Own certificate authority (PEM)"),
        max_length=40_000,
        required=False,
        widget=forms.Textarea,
        help_text=_("Only when the server's certificate is signed by an authority of your company."),
    )

    def _clean_host(self, name: str) -> str:
        host = self.cleaned_data[name].strip()
        if host and not _HOST.fullmatch(host):
            raise ValidationError(_("This is not the name of a server."))
        return host

    def clean_imap_host(self) -> str:
        """A host name or address."""
        return self._clean_host("imap_host")

    def clean_smtp_host(self) -> str:
        """A host name or address."""
        return self._clean_host("smtp_host")

    def clean_subject_hook(self) -> str:
        """Text without brackets: they enclose the mark."""
        hook = self.cleaned_data["subject_hook"] or "Ticket#"
        if not _HOOK.fullmatch(hook):
            raise ValidationError(_("The mark may not contain brackets or control characters."))
        return hook

    def clean_tls_ca(self) -> str:
        """One or more certificates."""
        pem = self.cleaned_data["tls_ca"].strip()
        if pem:
            try:
                ssl.create_default_context(cadata=pem)
            except (ssl.SSLError, ValueError):
                raise ValidationError(_("This is no certificate in PEM form.")) from None
        return pem

    def clean(self) -> dict[str, Any]:
        """Fill in what was left empty, and check what belongs together."""
        data = super().clean() or self.cleaned_data
        for name, initial in self.initial_values().items():
            if data.get(name) in (None, ""):
                data[name] = initial
        for name in (
            "imap_user",
            "imap_folder",
            "move_to",
            "smtp_user",
            "authserv_id",
            "oauth_client_id",
            "oauth_tenant",
        ):
            if _LONE_CONTROL.search(data.get(name) or ""):
                self.add_error(name, _("Control characters are not allowed here."))
        for side in ("imap", "smtp"):
            host = data.get(f"{side}_host")
            if host and data.get(f"{side}_security") == "none" and not is_this_machine(host):
                self.add_error(f"{side}_security", _("Without TLS the password could be read on the way."))
        if data.get("imap_host"):
            self._need(data, "imap_user")
            if data.get("auth") == "password":
                self._need_secret("imap_password")
        if data.get("auth") != "password" and (data.get("imap_host") or data.get("smtp_host")):
            self._need(data, "oauth_client_id")
            self._need_secret("oauth_refresh_token")
            if data.get("auth") == "microsoft":
                self._need(data, "oauth_tenant")
        elif data.get("smtp_user"):
            self._need_secret("smtp_password")
        if data.get("after_import") == "move":
            self._need(data, "move_to")
            if data.get("move_to") == data.get("imap_folder"):
                self.add_error("move_to", _("This is the folder that is read."))
        return data

    def initial_values(self) -> dict[str, Any]:
        """The defaults of fields that may not stay empty."""
        return {
            name: field.initial
            for name, field in self.fields.items()
            if field.initial is not None and not isinstance(field, forms.BooleanField)
        }

    def _need(self, data: dict[str, Any], name: str) -> None:
        if not data.get(name) and name not in self.errors:
            self.add_error(name, _("This is needed."))

    def _need_secret(self, name: str) -> None:
        if not self.has_secret(name) and name not in self.errors:
            self.add_error(name, _("This is needed."))
