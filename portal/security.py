"""What every answer of the site carries, and what of a request is believed."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from channels.db import database_sync_to_async
from channels.security.websocket import WebsocketDenier
from csp.constants import NONCE, SELF
from django.conf import settings
from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.cache import has_vary_header
from django.utils.translation import gettext as _

from core import audit, proof
from core.logs import request_id
from core.zones import known
from crm.organisation import access
from inbox.services.files import StorageFull

log = logging.getLogger(__name__)

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
        token, client = request_id.set(name), audit.client.set(meta["REMOTE_ADDR"])
        try:
            response = get_response(request)
        finally:
            request_id.reset(token)
            audit.client.reset(client)
        response.headers["X-Request-ID"] = name
        return response

    return serve


def header_middleware(get_response: Handler) -> Handler:
    """Security headers by area. A view that set its own Content-Security-Policy keeps it."""

    def serve(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(DESK):
            response._csp_replace = DESK_POLICY  # type: ignore[attr-defined]
        if hasattr(response, "varies"):
            # The same for everybody: what the layers below looked at (session, language) makes no difference.
            response.headers["Vary"] = response.varies
        elif has_vary_header(response, "Cookie"):
            # What one person was shown is not found behind the Back button by the next one at this machine.
            response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "/key/" in request.path or "/confirm" in request.path:
            # The address itself is the secret: no page it leads to may learn it. Not `no-referrer`: with that, browsers
            # send `Origin: null` with the form on the page, and the CSRF check refuses it.
            response.headers["Referrer-Policy"] = "strict-origin"
        return response

    return serve


class Peer:
    """For sockets what `peer_middleware` is for pages: `scope["client"]` is who really asks."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Pass the connection on under its true address."""
        client = scope.get("client")
        if client:
            forwarded = [value for name, value in scope.get("headers", []) if name == b"x-forwarded-for"]
            address = client_address(client[0], ",".join(value.decode("latin-1") for value in forwarded))
            scope = {**scope, "client": (address, client[1])}
        return await self.inner(scope, receive, send)


_PORTS = {"http": ":80", "https": ":443"}


def is_own(origin: str, host: str) -> bool:
    """Whether a page of `origin` stands where the request came to, by the rule that forms are checked by, or is listed.

    Browsers send cookies to every port of a host: a page of another port, or without TLS, is a stranger's (S-73).
    """
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    scheme, _sign, place = origin.partition("://")
    if scheme not in (("https",) if settings.HTTPS else ("http", "https")):
        return False
    return place.lower() == host.lower().removesuffix(_PORTS[scheme])


class OwnPages:
    """Opens sockets to pages of this site alone; one that does not say where it stands is refused."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Pass the connection on, or refuse it."""
        told = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        open_to = self.inner if len(told) == 1 and is_own(told[0], host) else WebsocketDenier()
        return await open_to(scope, receive, send)


class Refusals:
    """Sockets that were not let in stand in the audit log, whoever refused them (S-88).

    Who refuses may leave in `scope["refusal"]` the `user` and `why`; else it was the origin.
    """

    def __init__(self, inner: Callable[..., Any]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Pass the connection on, and see what becomes of it."""
        told: dict[str, Any] = {}
        opened = False
        audit.client.set((scope.get("client") or ("",))[0])

        async def noting(message: dict[str, Any]) -> None:
            nonlocal opened
            if message["type"] == "websocket.close" and not opened:
                await self._note(scope, told)
            opened = True
            await send(message)

        return await self.inner({**scope, "refusal": told}, receive, noting)

    async def _note(self, scope: dict[str, Any], told: dict[str, Any]) -> None:
        origin = next((value for name, value in scope.get("headers", []) if name == b"origin"), b"-")
        why = told.get("why") or f"origin {origin.decode('latin-1')}"
        try:
            await database_sync_to_async(audit.denied)(told.get("user"), scope["path"], why)
        except DatabaseError:
            log.exception("a refused socket could not be noted")


def denial_middleware(get_response: Handler) -> Handler:
    """Keep it when somebody with a login asks for what does not exist for him."""

    def serve(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code in (403, 404) and request.user.is_authenticated:
            audit.denied(request.user, request.path, request.method or "")
        return response

    return serve


class StorageMiddleware:
    """An upload for which there is no room is refused in words, and is not our fault in the logs (S-22)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """507 for storage that is full."""
        if not isinstance(exception, StorageFull):
            return None
        said = _("There is no room for files at the moment. Nothing was sent; please try again later.")
        return HttpResponse(said, status=507, content_type="text/plain; charset=utf-8", headers={"Retry-After": "600"})


def staff_middleware(get_response: Handler) -> Handler:
    """Customers do not learn that there is a desk, and a colleague's forgotten session ends."""

    def serve(request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            if access.is_staff(user):
                if _is_stale(request):
                    logout(request)
                elif proof.second_factor_missing(request.session) and not _may_without(request):
                    return _to_second_factor(request)
            elif request.path.startswith(DESK):
                raise Http404
        return get_response(request)

    return serve


SETTING_UP = frozenset({"mfa_index", "mfa_activate_totp", "account_reauthenticate", "account_confirm_email"})
"""Names of addresses that a colleague without a second factor may see, to get one."""
SHOWING = frozenset({"mfa_reauthenticate"})
"""What is left when he has one and this session did not show it: a password alone must not reach the settings of it."""
ALWAYS = frozenset({"account_logout", "portal:language", "portal:theme", "healthz", "readyz", "metrics"})


def _has_second_factor(request: HttpRequest) -> bool:
    return is_mfa_enabled(request.user, [Authenticator.Type.TOTP])


def _may_without(request: HttpRequest) -> bool:
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return False
    return name in ALWAYS or name in (SHOWING if _has_second_factor(request) else SETTING_UP)


def _to_second_factor(request: HttpRequest) -> HttpResponse:
    """Pages lead to where the factor is shown or set up; what is not asked by a person is refused in words."""
    page = request.method == "GET" and "text/html" in request.META.get("HTTP_ACCEPT", "*/*").replace("*/*", "text/html")
    if not page or "HTTP_HX_REQUEST" in request.META:
        said = _("Please sign in with your second factor first.")
        return HttpResponse(said, status=403, content_type="text/plain; charset=utf-8")
    if not _has_second_factor(request):
        return redirect("mfa_index")
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")


def _is_stale(request: HttpRequest) -> bool:
    now = int(timezone.now().timestamp())
    seen = request.session.get("seen_at", now)
    if now - seen > IDLE_SECONDS:
        return True
    if now - seen > 300 or "seen_at" not in request.session:
        request.session["seen_at"] = now
    return False


def personal_middleware(get_response: Handler) -> Handler:
    """Pages speak the language and tell the time that their reader chose; without a choice his browser's time.

    The cookie is written by core/js/zone.js.
    """

    def serve(request: HttpRequest) -> HttpResponse:
        user = request.user
        language, chosen = (user.language, user.time_zone) if user.is_authenticated else ("", "")
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        zone = next((name for name in (chosen, request.COOKIES.get("zone", "")) if name in known()), "")
        with timezone.override(zoneinfo.ZoneInfo(zone) if zone else timezone.get_default_timezone()):
            return get_response(request)

    return serve
