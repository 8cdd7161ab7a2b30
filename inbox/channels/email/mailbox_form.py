"""What staff fill in for a mailbox that is read, whatever kind of channel it belongs to."""

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
_HOST = re.compile(r"[A-Za-z0-9_.:\-]{1,253}")
_LONE_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_this_machine(host: str) -> bool:
    """Whether the name means the loopback interface: the only place where mail may travel without TLS."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_field(label: Any) -> forms.CharField:
    """For the name of a server; `MailboxSettingsForm.clean_host_field` checks it."""
    return forms.CharField(label=label, max_length=253, required=False)


def port_field(label: Any, initial: int) -> forms.IntegerField:
    """For a TCP port."""
    return forms.IntegerField(label=label, min_value=1, max_value=65535, initial=initial, required=False)


def secret_field(label: Any) -> forms.CharField:
    """For what is written and never shown."""
    return forms.CharField(
        label=label,
        max_length=4000,
        required=False,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown again. Leave empty to keep what is stored."),
    )


class MailboxSettingsForm(ChannelSettingsForm):
    """Where mail is fetched, and how one logs in there."""

    secrets: ClassVar[frozenset[str]] = frozenset({"imap_password", "oauth_client_secret", "oauth_refresh_token"})

    auth = forms.ChoiceField(label=_("Log in with"), choices=AUTH, initial="password", required=False)

    imap_host = host_field(_("IMAP server"))
    imap_port = port_field(_("IMAP port"), 993)
    imap_security = forms.ChoiceField(label=_("IMAP security"), choices=SECURITY, initial="tls", required=False)
    imap_user = forms.CharField(label=_("IMAP user"), max_length=320, required=False)
    imap_password = secret_field(_("IMAP password"))
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
        help_text=_("The name your own mail server writes first into Authentication-Results. Empty: none is trusted."),
    )

    oauth_tenant = forms.CharField(label=_("Microsoft tenant"), max_length=100, required=False)
    oauth_client_id = forms.CharField(label=_("OAuth client ID"), max_length=200, required=False)
    oauth_client_secret = secret_field(_("OAuth client secret"))
    oauth_refresh_token = secret_field(_("OAuth refresh token"))
    tls_ca = forms.CharField(
        label=_("Own certificate authority (PEM)"),
        max_length=40_000,
        required=False,
        widget=forms.Textarea,
        help_text=_("Only when the server's certificate is signed by an authority of your company."),
    )

    def clean_host_field(self, name: str) -> str:
        """A host name or address."""
        host = self.cleaned_data[name].strip()
        if host and not _HOST.fullmatch(host):
            raise ValidationError(_("This is not the name of a server."))
        return host

    def clean_imap_host(self) -> str:
        """A host name or address."""
        return self.clean_host_field("imap_host")

    def clean_tls_ca(self) -> str:
        """One or more certificates."""
        pem = self.cleaned_data["tls_ca"].strip()
        if pem:
            try:
                ssl.create_default_context(cadata=pem)
            except (ssl.SSLError, ValueError):
                raise ValidationError(_("This is not a certificate in PEM format.")) from None
        return pem

    def clean(self) -> dict[str, Any]:
        """Fill in what was left empty, and check what belongs together."""
        data = super().clean() or self.cleaned_data
        for name, initial in self.initial_values().items():
            if data.get(name) in (None, ""):
                data[name] = initial
        for name in ("imap_user", "imap_folder", "move_to", "authserv_id", "oauth_client_id", "oauth_tenant"):
            self.check_one_line(data, name)
        self.check_security(data, "imap")
        if data.get("imap_host"):
            self.need(data, "imap_user")
            if data.get("auth") == "password":
                self.need_secret("imap_password")
        if data.get("auth") != "password" and (data.get("imap_host") or data.get("smtp_host")):
            self.need(data, "oauth_client_id")
            self.need_secret("oauth_refresh_token")
            if data.get("auth") == "microsoft":
                self.need(data, "oauth_tenant")
        if data.get("after_import") == "move":
            self.need(data, "move_to")
            if data.get("move_to") == data.get("imap_folder"):
                self.add_error("move_to", _("This is the folder that is read."))
        return data

    def check_one_line(self, data: dict[str, Any], name: str) -> None:
        """What goes over the wire as one line holds no other one."""
        if _LONE_CONTROL.search(data.get(name) or ""):
            self.add_error(name, _("Control characters are not allowed here."))

    def check_security(self, data: dict[str, Any], side: str) -> None:
        """Nothing leaves this machine in plain text. `side` is `imap` or `smtp`."""
        host = data.get(f"{side}_host")
        if host and data.get(f"{side}_security") == "none" and not is_this_machine(host):
            self.add_error(f"{side}_security", _("Without TLS the password could be read on the way."))

    def initial_values(self) -> dict[str, Any]:
        """The defaults of fields that may not stay empty."""
        return {
            name: field.initial
            for name, field in self.fields.items()
            if field.initial is not None and not isinstance(field, forms.BooleanField)
        }

    def need(self, data: dict[str, Any], name: str) -> None:
        """This field has to be filled in."""
        if not data.get(name) and name not in self.errors:
            self.add_error(name, _("This is required."))

    def need_secret(self, name: str) -> None:
        """This secret has to be given now or stored already."""
        if not self.has_secret(name) and name not in self.errors:
            self.add_error(name, _("This is required."))
