"""Forms of the portal."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from core.zones import known
from crm.customers.identity import normalise_email
from crm.organisation.models import User
from inbox.models import Channel
from portal.my.files import GUEST_MAX_FILES, GUEST_MAX_TOTAL, FilesField
from portal.my.wording import SCORES

TEXT_LIMIT = 20_000
SECONDS_TO_FILL = 3
"""Nobody writes a request faster; scripts do."""
SECONDS_TO_KEEP = 24 * 3600
_opened = signing.TimestampSigner(salt="portal.request.opened")


class AnswerForm(forms.Form):
    """A further message on a ticket."""

    text = forms.CharField(label=_("Your message"), max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": 5}))
    files = FilesField(  # type: ignore[assignment]  # the metaclass takes it out of the class
        label=_("Files"), required=False, help_text=_("Up to 5 files of 20 MB each.")
    )


class RequestForm(forms.Form):
    """A new request of somebody who is signed in."""

    topic = forms.ChoiceField(label=_("Topic"), required=False)
    subject = forms.CharField(label=_("Subject"), max_length=200, help_text=_("What is it about, in a few words?"))
    text = forms.CharField(
        label=_("Your message"),
        max_length=TEXT_LIMIT,
        help_text=_("The more we know, the faster we can help: order numbers, dates, what you have tried."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    files = FilesField(  # type: ignore[assignment]  # the metaclass takes it out of the class
        label=_("Files"), required=False, help_text=_("Up to 5 files of 20 MB each.")
    )

    def __init__(self, *args: Any, channel: Channel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topics = [line.strip() for line in str(channel.settings.get("topics") or "").splitlines() if line.strip()]
        if topics:
            cast(forms.ChoiceField, self.fields["topic"]).choices = [
                ("", _("Please choose")),
                *((topic, topic) for topic in topics),
            ]
        else:
            del self.fields["topic"]


class GuestRequestForm(RequestForm):
    """A new request of somebody we do not know: asks who it is, and whether it is a person at all."""

    name = forms.CharField(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    files = FilesField(  # type: ignore[assignment]  # as above
        label=_("Files"),
        required=False,
        most=GUEST_MAX_FILES,
        total=GUEST_MAX_TOTAL,
        help_text=_("Up to 3 files, together 10 MB."),
    )
    website = forms.CharField(required=False)
    """Seen by scripts only; whoever fills it in is one."""
    opened = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("name", "email", "topic", "subject", "text", "files")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {})["opened"] = _opened.sign("form")
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        """The address in its one spelling. Raises ValidationError."""
        address = normalise_email(self.cleaned_data["email"])
        if not address:
            raise ValidationError(_("This is not an e-mail address we can write to."))
        return address

    def clean_opened(self) -> str:
        """Raises ValidationError when the form was filled in faster than a person can, or is a day old."""
        given = self.cleaned_data["opened"]
        try:
            _opened.unsign(given, max_age=SECONDS_TO_KEEP)
        except signing.BadSignature as error:
            self.renew()
            raise ValidationError(_("This page was open for too long. Please send it once more.")) from error
        try:
            _opened.unsign(given, max_age=SECONDS_TO_FILL)
        except signing.SignatureExpired:
            return given
        raise ValidationError(_("That was very fast. Please wait a moment and send it once more."))

    def renew(self) -> None:
        """Give the page that is shown again a fresh time of opening; what was typed stays."""
        given = QueryDict(mutable=True)
        given.update(self.data)
        given["opened"] = _opened.sign("form")
        self.data = given

    @property
    def is_machine(self) -> bool:
        """True when the field that nobody sees was filled in."""
        return bool(self.data.get("website"))


class RatingForm(forms.Form):
    """How the customer liked our answer."""

    score = forms.TypedChoiceField(label=_("How did we do?"), choices=SCORES, coerce=int)
    comment = forms.CharField(
        label=_("What could we do better?"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


def _zones() -> list[tuple[str, Any]]:
    names = sorted(z for z in known() if "/" in z and not z.startswith(("Etc/", "SystemV/")))
    return [("", _("Like this site")), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):
    """What a person says of himself; the fields are named, so nothing else can be set (S-31)."""

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, required=False)

    class Meta:
        model = User
        fields = ("name", "language", "time_zone")
        labels = {"name": _("Your name")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}
