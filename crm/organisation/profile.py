"""What a colleague settles for himself: name, language, time zone, signature, look of the shell."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from wagtail.users.models import UserProfile

from core.pictures import PictureUnreadable, redraw
from core.staff.forms import RecordForm, Section
from core.zones import known
from crm.organisation.models import User
from crm.organisation.services import set_portrait

PORTRAIT = 160
"""Pixels of the longer side."""


def time_zones() -> list[tuple[str, str]]:
    """The zones of places, for a select."""
    names = sorted(name for name in known() if "/" in name and not name.startswith("Etc/"))
    return [("", str(_("As the company"))), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(RecordForm):
    """The own profile. Roles, queues and address are not here: others decide them."""

    portrait = forms.FileField(
        label=_("Picture"),
        help_text=_("Visitors of the chat see it beside your name."),
        widget=forms.FileInput(attrs={"accept": "image/*"}),
        required=False,
    )
    no_portrait = forms.BooleanField(label=_("Take the picture away"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=time_zones, required=False)
    language = forms.ChoiceField(
        label=_("Language"), choices=[("", _("As the browser")), *settings.LANGUAGES], required=False
    )
    theme = forms.ChoiceField(
        label=_("Appearance"),
        choices=[("system", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
    )
    density = forms.ChoiceField(
        label=_("Density"), choices=[("default", _("Comfortable")), ("snug", _("Compact"))], widget=forms.RadioSelect
    )
    sections: ClassVar = (
        Section(
            _("Person"), ("name", "portrait", "no_portrait", "is_available", "chats_at_once", "extension", "signature")
        ),
        Section(_("Language and time"), ("language", "time_zone")),
        Section(_("Appearance"), ("theme", "density")),
    )

    class Meta:
        model = User
        fields = ("name", "is_available", "chats_at_once", "extension", "signature", "language", "time_zone")
        help_texts = {
            "signature": _("Appears below your answers."),
            "extension": _("Your line at the telephone system: its calls show on your screen, and it dials for you."),
            "is_available": _("Automatic assignment gives tickets only to people who take new ones."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        profile = UserProfile.objects.filter(user=self.instance).first()
        self.fields["theme"].initial = profile.theme if profile else "system"
        self.fields["density"].initial = profile.density if profile else "default"
        if not self.instance.portrait_mark:
            del self.fields["no_portrait"]

    def clean_portrait(self) -> tuple[str, bytes] | None:
        """The picture drawn anew; None when no file was chosen."""
        file = self.cleaned_data["portrait"]
        if not file:
            return None
        try:
            return redraw(file.read(), PORTRAIT)
        except PictureUnreadable:
            raise ValidationError(_("This is not a picture that can be read.")) from None


@transaction.atomic
def save_profile(form: ProfileForm) -> User:
    """Save the user, and what the shell keeps in a row of its own."""
    user = form.save()
    data = form.cleaned_data
    if data["portrait"] or data.get("no_portrait"):
        set_portrait(user, data["portrait"])
    UserProfile.objects.update_or_create(
        user=user,
        defaults={
            "theme": data["theme"],
            "density": data["density"],
            "preferred_language": user.language,
            "current_time_zone": user.time_zone,
        },
    )
    return user
