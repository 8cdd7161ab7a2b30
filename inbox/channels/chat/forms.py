"""What staff set for one chat: where it may stand, how it looks, what it says."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar

from django import forms
from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.channels.chat import origins
from inbox.channels.settings_form import ChannelSettingsForm

COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
DEFAULT_COLOUR = "#0b5cad"
WORDS = (("title", 60), ("welcome", 300), ("launcher", 40))
"""Texts that staff write in each language, and their longest length."""


def new_key() -> str:
    """A public key: names the channel in the snippet, opens nothing by itself."""
    return secrets.token_urlsafe(12).replace("-", "a").replace("_", "b")


def word_field(name: str, language: str) -> str:
    """Name of the setting that holds this text in this language."""
    return f"{name}_{language.replace('-', '_')}"


class ChatSettings(ChannelSettingsForm):
    """See `ChannelSettingsForm`. The texts of every language of the site are added below."""

    secrets: ClassVar[frozenset[str]] = frozenset({"identity_secret"})
    without = frozenset({"address", "aliases", "display_name"})

    origins = forms.CharField(
        label=gettext_lazy("Sites that may show it"),
        help_text=gettext_lazy(
            "One a line, such as https://www.example.com. A single * allows every site: then anybody can put your chat"
            " on his pages."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    colour = forms.CharField(label=gettext_lazy("Colour"), initial=DEFAULT_COLOUR, required=False, max_length=7)
    position = forms.ChoiceField(
        label=gettext_lazy("Position"),
        choices=[("right", gettext_lazy("Bottom right")), ("left", gettext_lazy("Bottom left"))],
        initial="right",
        required=False,
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Appearance"),
        choices=[
            ("auto", gettext_lazy("As the visitor’s system")),
            ("light", gettext_lazy("Light")),
            ("dark", gettext_lazy("Dark")),
        ],
        initial="auto",
        required=False,
    )
    files = forms.BooleanField(  # type: ignore[assignment]  # the metaclass takes it out of the class
        label=gettext_lazy("Visitors may send files"), required=False, initial=True
    )
    rating = forms.BooleanField(label=gettext_lazy("Ask for a rating at the end"), required=False, initial=True)
    transcript = forms.BooleanField(
        label=gettext_lazy("Visitors may have the chat sent to them by e-mail"), required=False, initial=True
    )
    identity_secret = forms.CharField(
        label=gettext_lazy("Identity secret"),
        help_text=gettext_lazy(
            "With it your site proves who is logged in there. Never put it into a page; leave empty to keep it."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        required=False,
        min_length=24,
        max_length=200,
    )

    def clean_origins(self) -> str:
        """Each line an origin in its one spelling."""
        found = []
        for line in self.cleaned_data["origins"].split():
            if line == origins.ANY:
                found.append(line)
                continue
            try:
                found.append(origins.normalise(line))
            except ValueError:
                raise ValidationError(
                    _("“%(line)s” is not a site. Write it like https://www.example.com, without a path.")
                    % {"line": line[:100]}
                ) from None
        return "\n".join(dict.fromkeys(found))

    def clean_colour(self) -> str:
        """`#rrggbb` (S-13)."""
        colour = (self.cleaned_data["colour"] or DEFAULT_COLOUR).lower()
        if not COLOUR.fullmatch(colour):
            raise ValidationError(_("Write a colour as #rrggbb."))
        return colour

    def clean_position(self) -> str:
        """Right unless chosen."""
        return self.cleaned_data["position"] or "right"

    def clean_theme(self) -> str:
        """As the system unless chosen."""
        return self.cleaned_data["theme"] or "auto"

    def settings(self) -> dict[str, Any]:
        """With the public key, which is made once."""
        return {**super().settings(), "key": self.initial.get("key") or new_key()}


def _labels() -> dict[str, Any]:
    return {
        "title": gettext_lazy("Title"),
        "welcome": gettext_lazy("Welcome"),
        "launcher": gettext_lazy("Words on the button"),
    }


def _add_words() -> None:
    """One field a text and language; the names of languages stand in their own words."""
    for name, longest in WORDS:
        for language, called in site.LANGUAGES:
            field = forms.CharField(max_length=longest, required=False, label=_labels()[name], help_text=called)
            ChatSettings.base_fields[word_field(name, language)] = field
            ChatSettings.declared_fields[word_field(name, language)] = field


_add_words()


def look(settings: dict[str, Any], language: str) -> dict[str, str]:
    """How the widget looks and what it is called, in `language`; where nothing was written, in any language."""
    colour = str(settings.get("colour") or DEFAULT_COLOUR)
    found = {
        "colour": colour if COLOUR.fullmatch(colour) else DEFAULT_COLOUR,
        "position": "left" if settings.get("position") == "left" else "right",
        "theme": str(settings.get("theme")) if settings.get("theme") in ("light", "dark") else "auto",
    }
    for name, _longest in WORDS:
        texts = [settings.get(word_field(name, code)) for code in (language, site.LANGUAGE_CODE, "en")]
        found[name] = str(next((text for text in texts if text), ""))
    return found
