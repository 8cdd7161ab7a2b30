"""What staff fill in for an e-mail channel."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from inbox.channels.email import hooks
from inbox.channels.email.mailbox_form import SECURITY, MailboxSettingsForm, host_field, port_field, secret_field

SIDES = [("right", _("After the subject")), ("left", _("Before the subject"))]
_HOOK = re.compile(r"[^\[\]\x00-\x1f\x7f]{1,30}")


class EmailSettingsForm(MailboxSettingsForm):
    """Where mail is fetched and handed over, and how ours looks."""

    secrets: ClassVar[frozenset[str]] = MailboxSettingsForm.secrets | {"smtp_password"}

    smtp_host = host_field(_("SMTP server"))
    smtp_port = port_field(_("SMTP port"), 587)
    smtp_security = forms.ChoiceField(label=_("SMTP security"), choices=SECURITY, initial="starttls", required=False)
    smtp_user = forms.CharField(label=_("SMTP user"), max_length=320, required=False)
    smtp_password = secret_field(_("SMTP password"))
    smtp_connections = forms.IntegerField(
        label=_("Connections at once"), min_value=1, max_value=20, initial=2, required=False
    )

    plus_addressing = forms.BooleanField(
        label=_("The server delivers name+anything@domain to this mailbox"),
        required=False,
        help_text=_("Answers and bounces then find their ticket even when a mail program drops the thread."),
    )
    subject_hook = forms.CharField(
        label=_("Mark in the subject"),
        max_length=30,
        initial=hooks.DEFAULT,
        required=False,
        help_text=_("Give each installation its own, so that two help desks that write to each other do not clash."),
    )
    subject_side = forms.ChoiceField(label=_("Place of the mark"), choices=SIDES, initial="right", required=False)
    signature = forms.CharField(label=_("Signature"), max_length=2000, required=False, widget=forms.Textarea)

    def clean_smtp_host(self) -> str:
        """A host name or address."""
        return self.clean_host_field("smtp_host")

    def clean_subject_hook(self) -> str:
        """Text without brackets: they enclose the mark."""
        hook = self.cleaned_data["subject_hook"] or hooks.DEFAULT
        if not _HOOK.fullmatch(hook):
            raise ValidationError(_("The mark may not contain brackets or control characters."))
        return hook

    def clean(self) -> dict[str, Any]:
        """As for the mailbox, for the other side."""
        data = super().clean()
        self.check_one_line(data, "smtp_user")
        self.check_security(data, "smtp")
        if data.get("auth") == "password" and data.get("smtp_user"):
            self.need_secret("smtp_password")
        return data
