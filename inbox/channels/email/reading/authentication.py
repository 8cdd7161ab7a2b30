"""What the server that receives for us found out about the sender (RFC 8601)."""

from __future__ import annotations

from collections.abc import Iterable

import authres

from inbox.channels.base import Authentication

LENGTH_LIMIT = 8000
"""Characters of one field that are looked at."""


def read(values: Iterable[str], trusted: str) -> Authentication:
    """The results that the server named `trusted` wrote; unknown for all others, whoever they claim to be.

    Only the topmost field of that name counts: the server puts its own above those that came in, which are forged.
    """
    for value in values:
        if value.partition(";")[0].lower().split()[:1] != [trusted.lower()]:  # a version may follow the name
            continue
        try:
            field = authres.AuthenticationResultsHeader.parse_value(value[:LENGTH_LIMIT])
        except Exception:  # the library raises more than its own error on input that it does not expect
            return Authentication()
        return _of(field)
    return Authentication()


def _of(field: authres.AuthenticationResultsHeader) -> Authentication:
    found: dict[str, str] = {}
    domain = ""
    for result in field.results:
        method = str(result.method or "").lower()
        verdict = str(result.result or "").lower()
        if method == "dkim" and found.get("dkim") != "pass":
            found["dkim"] = verdict
            domain = (
                str(getattr(result, "header_d", None) or getattr(result, "header_i", None) or "").lstrip("@").lower()
            )
        elif method in ("spf", "dmarc"):
            found.setdefault(method, verdict)
    return Authentication(
        found.get("spf", ""), found.get("dkim", ""), domain, found.get("dmarc", ""), str(field.authserv_id)
    )
