"""What staff fill in for a fax number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from inbox.channels.email.mailbox_form import AUTH, MailboxSettingsForm, secret_field
from inbox.channels.fax import numbers

OCR = [
    ("all", _("English and Chinese, simplified and traditional")),
    ("eng", _("English")),
    ("eng+chi_sim", _("English and simplified Chinese")),
    ("eng+chi_tra", _("English and traditional Chinese")),
    ("off", _("Do not read")),
]
AFTER = [("keep", _("Leave it where it is")), ("move", _("Move it into the folder “done” beside it"))]
NUMBER_IN = [("subject", _("The subject")), ("from", _("The sender's address")), ("name", _("The sender's name"))]
WAYS = [
    ("", _("This number does not send")),
    ("hfaxd", _("HylaFAX (hfaxd)")),
    ("mail", _("A mail-to-fax gateway")),
]
DIAL = [
    ("international", _("Always with 00 and the country")),
    ("national", _("Within the country without its code, else with 00")),
    ("plus", _("With + and the country")),
]
DOCUMENT = [("tiff", _("TIFF (the pages exactly as shown)")), ("pdf", _("PDF"))]
STANDARD, NO_COVER = "standard", "none"
_WORD = re.compile(r"[^\x00-\x1f\x7f\"]*")
_GATEWAY = re.compile(r"[^\s@<>,;\"]{1,60}@[A-Za-z0-9.\-]{1,200}")


def covers() -> list[tuple[str, Any]]:
    """The built-in cover, none, and those that staff wrote."""
    from inbox.models import Template

    written = Template.objects.filter(purpose=Template.Purpose.COVER).values_list("name", flat=True)
    return [(STANDARD, _("Standard cover page")), (NO_COVER, _("No cover page")), *((n, n) for n in written)]


class FaxSettingsForm(MailboxSettingsForm):
    """How faxes come, how they are read, and how ours leave. A gateway's mails may be fetched from a mailbox."""

    secrets: ClassVar[frozenset[str]] = MailboxSettingsForm.secrets | {"out_password"}
    field_order = ("region", "in_folder", "in_after", "in_queues", "in_gateway", "in_number")
    parts: ClassVar = (
        (_("Mailbox of the gateway"), ("auth", "imap_", "import_", "after_", "move_", "oauth_", "tls_ca")),
    )
    helps: ClassVar = {
        "address": _("The fax number, such as +49 40 555199."),
        "aliases": _("One a line: more fax numbers of this line, and the mail address of a gateway."),
        "display_name": _("Who sends, as the cover page names us."),
    }

    auth = forms.ChoiceField(label=_("Log in with"), choices=AUTH, initial="password", required=False)
    region = forms.CharField(
        label=_("Country of the line"),
        max_length=2,
        initial="DE",
        help_text=_("Two letters, such as DE or CN. Numbers without a country code are of this country."),
    )
    in_folder = forms.CharField(
        label=_("Watched folder"),
        max_length=500,
        required=False,
        help_text=_("TIFF and PDF files that are put here become faxes, as soon as they are complete."),
    )
    in_after = forms.ChoiceField(label=_("After a file was taken"), choices=AFTER, initial="move", required=False)
    in_queues = forms.CharField(
        label=_("Queues of called numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, “number = queue”. Other numbers go to the channel's queue."),
    )
    in_gateway = forms.CharField(
        label=_("Senders of the fax-to-mail gateway"),
        max_length=500,
        required=False,
        help_text=_(
            "Addresses or domains. Only their mails, in the mailbox below or by the mail server, are believed."
        ),
    )
    in_number = forms.ChoiceField(
        label=_("The gateway writes the caller's number into"), choices=NUMBER_IN, initial="subject", required=False
    )
    in_ocr = forms.ChoiceField(
        label=_("Read the words on the pages"),
        choices=OCR,
        initial="all",
        required=False,
        help_text=_("With Tesseract, when it is installed on the server: then rules and search see them."),
    )
    in_ocr_pages = forms.IntegerField(
        label=_("Pages that are read"), min_value=1, max_value=100, initial=10, required=False
    )
    in_ocr_wait = forms.IntegerField(
        label=_("Seconds that a fax waits to be read"),
        min_value=0,
        max_value=600,
        initial=60,
        required=False,
        help_text=_("Rules see its words when they are there in time; later they are added for search only."),
    )

    out_by = forms.ChoiceField(label=_("Send by"), choices=WAYS, initial="", required=False)
    out_host = forms.CharField(label=_("HylaFAX server"), max_length=253, required=False)
    out_port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, initial=4559, required=False)
    out_user = forms.CharField(label=_("User"), max_length=60, initial="guichet", required=False)
    out_password = secret_field(_("Password"))
    out_dial = forms.ChoiceField(label=_("Numbers are dialled"), choices=DIAL, initial="international", required=False)
    out_prefix = forms.CharField(
        label=_("Digits for an outside line"), max_length=10, required=False, help_text=_("Such as “0,”.")
    )
    out_dials = forms.IntegerField(label=_("Calls at most"), min_value=1, max_value=30, initial=6, required=False)
    out_document = forms.ChoiceField(label=_("Hand over as"), choices=DOCUMENT, initial="tiff", required=False)
    out_channel = forms.CharField(
        label=_("Gateway: e-mail channel that sends"), max_length=100, required=False, help_text=_("Its name.")
    )
    out_address = forms.CharField(
        label=_("Gateway: address"),
        max_length=260,
        required=False,
        help_text=_("Such as {number}@fax.example.com; also {plus} and {national}."),
    )
    cover = forms.ChoiceField(label=_("Cover page"), choices=covers, initial=STANDARD, required=False)

    def own_address(self, text: str) -> str:
        """A number in E.164, or the mail address of a gateway. Raises ValidationError."""
        if "@" in text:
            return super().own_address(text)
        number = numbers.spelled(text, self.cleaned_data.get("region", ""))
        if not number:
            raise ValidationError(now("“%(text)s” is not one fax number.") % {"text": text.strip()[:80]})
        return number

    def clean_region(self) -> str:
        """A country that has telephones."""
        region = self.cleaned_data["region"].strip().upper()
        if not phonenumbers.country_code_for_region(region):
            raise ValidationError(_("This is not a country's code."))
        return region

    def clean_in_folder(self) -> str:
        """An absolute path. Whether it is there shows the test of the connection."""
        path = self.cleaned_data["in_folder"].strip()
        if path and (not Path(path).is_absolute() or "\x00" in path or ".." in Path(path).parts):
            raise ValidationError(_("Write the whole path, beginning with a slash."))
        return path

    def clean_out_host(self) -> str:
        """A host name or address."""
        return self.clean_host_field("out_host")

    def clean_in_queues(self) -> str:
        """Numbers of one spelling, and queues that are there."""
        from routing.models import Queue

        names = set(Queue.objects.values_list("name", flat=True))
        lines = []
        for line in self.cleaned_data["in_queues"].splitlines():
            if not line.strip():
                continue
            number, _sign, queue = (part.strip() for part in line.partition("="))
            spelled = numbers.spelled(number, self.cleaned_data.get("region", ""))
            if not spelled:
                raise ValidationError(_("“%(text)s” is not a number.") % {"text": number[:40]})
            if queue not in names:
                raise ValidationError(_("There is no queue “%(text)s”.") % {"text": queue[:100]})
            lines.append(f"{spelled} = {queue}")
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        """Check what belongs together."""
        data = super().clean()
        for name in ("out_user", "out_prefix", "out_channel"):
            if not _WORD.fullmatch(data.get(name) or ""):
                self.add_error(name, _("Quotation marks and control characters are not allowed here."))
        if data.get("imap_host"):
            self.need(data, "in_gateway")
        if data.get("out_by") == "hfaxd":
            self.need(data, "out_host")
        if data.get("out_by") == "mail":
            self._check_gateway(data)
        return data

    def _check_gateway(self, data: dict[str, Any]) -> None:
        from inbox.models import Channel

        if not Channel.objects.filter(kind="email", name=data.get("out_channel") or "").exists():
            self.add_error("out_channel", _("There is no e-mail channel of this name."))
        address = data.get("out_address") or ""
        if not any(mark in address for mark in ("{number}", "{plus}", "{national}")):
            self.add_error("out_address", _("The number has to stand in the address, as {number}."))
        elif not _GATEWAY.fullmatch(numbers.in_address("+4940123456", address, "DE")):
            self.add_error("out_address", _("This is not one e-mail address."))


def queues(settings: Any) -> dict[str, str]:
    """Names of queues by called number."""
    pairs = (line.partition(" = ") for line in str(settings.get("in_queues", "")).splitlines())
    return {number: queue for number, _sign, queue in pairs if queue}
