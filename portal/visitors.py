"""What a limit counts a visitor by, and where he may be sent on."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def network_of(request: HttpRequest) -> str:
    """The visitor's IPv4 address, or his /64 of IPv6: one visitor has 2^64 addresses there.

    `portal.security` has made REMOTE_ADDR the true address.
    """
    try:
        ip = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return "unknown"
    return str(ip_network(f"{ip}/64", strict=False)) if ip.version == 6 else str(ip)


def safe_next(url: str, fallback: str) -> str:
    """`url` when it is a path of this site, else `fallback`; another host never counts, not even an own one (S-59)."""
    return url if url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else fallback
