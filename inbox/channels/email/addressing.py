"""One recipient a field: a list or a line break would let whoever fills in a form mail whomever he likes (S-52)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.customers.identity import normalise_email
from inbox.channels.email.outgoing_headers import ADDRESS


def one_address(text: str) -> str:
    """The address in its one spelling, when `text` is exactly one. Raises ValidationError."""
    address = normalise_email(text)
    # Normalising would cut a line break at the end; whoever sends one is up to something (S-51).
    if not ADDRESS.fullmatch(address) or len(text.splitlines()) != 1 or not text.isprintable():
        raise ValidationError(_("“%(text)s” is not one e-mail address.") % {"text": text[:80]})
    return address
