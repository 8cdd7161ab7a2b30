"""The form of one channel's settings: what is stored in the clear, and secrets that can be written but never read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise

from crm.customers.identity import AddressInvalid, normalise
from crm.customers.models import ContactPoint


class ChannelSettingsForm(forms.Form):
    """Base of every adapter's form. Fields named in `secrets` are shown empty; left empty they stay as they are."""

    secrets: ClassVar[frozenset[str]] = frozenset()
    without: ClassVar[frozenset[str]] = frozenset()
    """Fields of every channel that mean nothing here: they are not asked."""
    helps: ClassVar[Mapping[str, str | Promise]] = {}
    """What stands below fields of every channel instead of the words about mail."""

    parts: ClassVar[tuple[tuple[str | Promise, tuple[str, ...]], ...]] = ()
    """Headings of this kind alone, each with how the names of its fields begin; the usual ones hold the rest."""

    def __init__(self, *args: Any, stored: Collection[str] = (), **kwargs: Any) -> None:
        """`stored` names the secrets that the channel has already."""
        self.stored = frozenset(stored)
        super().__init__(*args, **kwargs)

    def has_secret(self, name: str) -> bool:
        """Whether the secret is stored, or given now."""
        return name in self.stored or bool(self.cleaned_data.get(name))

    def own_address(self, text: str) -> str:
        """One spelling of an address of our own; a number stays as it is. Raises ValidationError."""
        if "@" not in text:
            return text.strip()
        try:
            return normalise(ContactPoint.Kind.EMAIL, text)
        except AddressInvalid as fault:
            raise ValidationError(str(fault)) from fault

    def settings(self) -> dict[str, Any]:
        """The valid values for `Channel.settings`."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.secrets}

    def changed_secrets(self) -> dict[str, str]:
        """The secrets that were given now, for `Channel.set_secrets`."""
        return {name: self.cleaned_data[name] for name in self.secrets if self.cleaned_data.get(name)}
