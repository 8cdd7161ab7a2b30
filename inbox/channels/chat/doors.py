"""What is the same for every HTTP address of the chat: key, origin, token, JSON, problems in words and codes.

There is no cookie and so no CSRF: whoever has the bearer token is the visitor.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from core.limits import hit
from inbox.channels.chat import sites
from inbox.models import Channel, Visitor
from inbox.services import visitors
from inbox.services.utterances import NotYet, Refused

BODY_LIMIT = 64 * 1024
"""Bytes of a JSON body."""
STATUS = {
    "too-many": 429,
    "closed": 409,
    "token": 401,
    "invalid": 400,
    "too-large": 413,
    "origin": 403,
    "gone": 404,
    "later": 503,
}
PREFLIGHT_SECONDS = 3600


class ChatRequest(HttpRequest):
    """A request that passed the door."""

    channel: Channel
    visitor: Visitor
    token: str
    said: dict[str, Any]
    network: str


View = Callable[..., HttpResponse]


def problem(code: str, title: str, retry: int = 0) -> HttpResponse:
    """What went wrong, for the widget and for people (RFC 9457)."""
    body: dict[str, Any] = {"title": title, "code": code}
    if retry:
        body["retry"] = retry
    response = JsonResponse(body, status=STATUS[code], content_type="application/problem+json")
    if retry:
        response.headers["Retry-After"] = str(retry)
    return response


def origin_of(request: HttpRequest) -> str | None:
    """The origin of the page that asks. Browsers send none with a GET to their own site, but say that it is one."""
    given = request.headers.get("Origin")
    if given is not None or request.method not in ("GET", "HEAD"):
        return given
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return f"{request.scheme}://{request.get_host()}"
    parts = urlsplit(request.headers.get("Referer", ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def door(
    method: str, *also: str, token: bool = True, json_body: bool = True, a_minute: int = 120
) -> Callable[[View], View]:
    """Let a request in to `view(request, …)`: the key is ours, the page may speak, the token is a visitor's."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: ChatRequest, key: str, **kwargs: Any) -> HttpResponse:
            channel = sites.by_key(key)
            origin = origin_of(request)
            if channel is None:
                response = problem("gone", _("This chat does not exist (any more)."))
            elif not sites.may_speak(channel, origin):
                return problem("origin", _("This site may not use the chat."))
            elif request.method == "OPTIONS":
                response = HttpResponse(status=204)
                response.headers["Access-Control-Allow-Methods"] = ", ".join((method, *also))
                response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
                response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
            elif request.method not in (method, *also):
                response = HttpResponse(status=405, headers={"Allow": ", ".join((method, *also))})
            else:
                request.channel = channel
                response = _answer(request, view, kwargs)
            if channel is not None:
                # Without a credential in the browser's hands the origin may be named, and only this one.
                response.headers["Access-Control-Allow-Origin"] = origin or "*"
                response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            response.headers["Vary"] = "Origin"
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        def _answer(request: ChatRequest, view: View, kwargs: dict[str, Any]) -> HttpResponse:
            request.network = sites.network_of(request.META.get("REMOTE_ADDR", ""))
            scheme, _space, bearer = request.headers.get("Authorization", "").partition(" ")
            request.token = bearer.strip()[:200] if scheme.lower() == "bearer" else ""
            try:
                if token:
                    request.visitor = visitors.by_token(request.channel, request.token)
                with translation.override(request.visitor.locale if token else translation.get_language()):
                    return _within(request, view, kwargs)
            except visitors.TokenRefused:
                return problem("token", _("This chat is over. Please start a new one."))

        def _within(request: ChatRequest, view: View, kwargs: dict[str, Any]) -> HttpResponse:
            try:
                if token and a_minute and request.method != "GET":
                    key = f"chat-post:{request.visitor.pk}"
                    if not hit(key, limit=a_minute, seconds=60):
                        raise Refused("too-many", _("That was very fast. Please wait a moment."), 60)
                request.said = _body(request) if json_body and request.method == "POST" else {}
                return view(request, **kwargs)
            except Refused as why:
                return problem(why.code, str(why.words), why.retry)
            except NotYet:
                return problem("later", _("One moment, please."), 2)
            except (DatabaseError, OSError):
                raise  # the site's own answer to a fault; the widget tries again

        return guarded

    return decorate


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        if int(request.headers.get("Content-Length") or 0) > BODY_LIMIT:
            raise RequestDataTooBig
        raw = request.body
    except (RequestDataTooBig, ValueError):
        raise Refused("too-large", _("That is too much at once.")) from None
    if len(raw) > BODY_LIMIT:
        raise Refused("too-large", _("That is too much at once."))
    try:
        said = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise invalid()
    return said


def invalid() -> Refused:
    """What the widget sent is not what was agreed."""
    return Refused("invalid", _("This could not be understood."))


def text_of(said: dict[str, Any], name: str, limit: int, *, needed: bool = False) -> str:
    """A text out of the body, without NUL. Raises Refused for anything else, and when it is longer than `limit`."""
    value = said.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        raise invalid()
    if len(value) > limit:
        raise Refused("too-large", _("That is too long."))
    text = value.replace("\x00", "").encode("utf-8", "replace").decode()
    if needed and not text.strip():
        raise invalid()
    return text
