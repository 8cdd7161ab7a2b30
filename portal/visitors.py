"""What a limit counts a visitor by, and where he may be sent on."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from core import limits


def network_of(request: HttpRequest) -> str:
    """The visitor's IPv4 address, or his /64 of IPv6: one visitor has 2^64 addresses there.

    `portal.security` has made REMOTE_ADDR the true address.
    """
    return limits.network(request.META.get("REMOTE_ADDR", ""))


def safe_next(url: str, fallback: str) -> str:
    """`url` when it is a path of this site, else `fallback`; another host never counts, not even an own one (S-59)."""
    return url if url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else fallback
