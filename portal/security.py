"""What every answer of the site carries, and what of a request is believed."""

from __future__ import annotations

import ipaddress
import re
import secrets
import zoneinfo
from collections.abc import Callable
from functools import cache

from csp.constants import NONCE, SELF
from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation

from core.logs import request_id
from crm.organisation import access

DESK = "/desk/"
IDLE_SECONDS = 8 * 3600
"""A colleague who did nothing for so long logs in again; a session ends after SESSION_COOKIE_AGE in any case."""
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)
DESK_POLICY = {
    "script-src": [SELF, NONCE],
    # Wagtail positions its menus and dialogs with style attributes.
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:", "blob:", *([settings.USERCONTENT_URL] if settings.USERCONTENT_URL else [])],
    "connect-src": [SELF],
    "frame-ancestors": [SELF],
}
"""What the Wagtail admin needs beyond the policy of all other pages."""

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@cache
def _trusted() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(each, strict=False) for each in settings.TRUSTED_PROXIES)


def _is_trusted(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in _trusted())


def client_address(peer: str, forwarded: str) -> str:
    """Who really asks: the last address in X-Forwarded-For that no proxy of ours wrote.

    A peer that is no proxy of ours is taken at its word for nothing: its own address counts (S-62).
    """
    if not _is_trusted(peer):
        return peer
    for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        try:
            ipaddress.ip_address(hop)
        except ValueError:
            return peer
        if not _is_trusted(hop):
            return hop
        peer = hop
    return peer


Handler = Callable[[HttpRequest], HttpResponse]
CLAIMS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED", "HTTP_CF_CONNECTING_IP")
"""Headers by which a peer says who it is, or where we are. None of them survives this middleware."""
IDENTITIES = ("HTTP_REMOTE_USER", "HTTP_X_REMOTE_USER", "HTTP_X_FORWARDED_USER", "HTTP_X_AUTHENTICATED_USER")


def peer_middleware(get_response: Handler) -> Handler:
    """Put the true client address into REMOTE_ADDR, take out all claims about it, and name the request."""

    def serve(request: HttpRequest) -> HttpResponse:
        meta = request.META
        peer = meta.get("REMOTE_ADDR", "") or ""
        trusted = _is_trusted(peer)
        meta["REMOTE_ADDR"] = client_address(peer, meta.get("HTTP_X_FORWARDED_FOR", ""))
        for name in (*CLAIMS, *IDENTITIES):
            meta.pop(name, None)
        if not trusted:
            meta.pop("HTTP_X_FORWARDED_PROTO", None)
        given = meta.get("HTTP_X_REQUEST_ID", "")
        name = given if trusted and _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        token = request_id.set(name)
        try:
            response = get_response(request)
        finally:
            request_id.reset(token)
        response.headers["X-Request-ID"] = name
        return response

    return serve


def header_middleware(get_response: Handler) -> Handler:
    """Security headers by area. A view that set its own Content-Security-Policy keeps it."""

    def serve(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(DESK):
            response._csp_replace = DESK_POLICY  # type: ignore[attr-defined]
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "/key/" in request.path or "/confirm" in request.path:
            # The address itself is the secret: no page it leads to may learn it. Not `no-referrer`: with that, browsers
            # send `Origin: null` with the form on the page, and the CSRF check refuses it.
            response.headers["Referrer-Policy"] = "strict-origin"
        return response

    return serve


def staff_middleware(get_response: Handler) -> Handler:
    """Customers do not learn that there is a desk, and a colleague's forgotten session ends."""

    def serve(request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            if access.is_staff(user):
                if _is_stale(request):
                    logout(request)
            elif request.path.startswith(DESK):
                raise Http404
        return get_response(request)

    return serve


def _is_stale(request: HttpRequest) -> bool:
    now = int(timezone.now().timestamp())
    seen = request.session.get("seen_at", now)
    if now - seen > IDLE_SECONDS:
        return True
    if now - seen > 300 or "seen_at" not in request.session:
        request.session["seen_at"] = now
    return False


def personal_middleware(get_response: Handler) -> Handler:
    """Pages speak the language and tell the time of whoever is logged in, where he chose them."""

    def serve(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return get_response(request)
        if user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
            request.LANGUAGE_CODE = user.language  # type: ignore[attr-defined]
        try:
            zone = zoneinfo.ZoneInfo(user.time_zone) if user.time_zone else None
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            zone = None
        with timezone.override(zone or timezone.get_default_timezone()):
            return get_response(request)

    return serve
