"""Where telephone systems report: `POST /api/v1/cti/TOKEN`, Zammad's generic CTI interface.

The token is the key, so an answer never says which part of a request was wrong with it. What is refused leaves nothing
behind but a number in a counter (S-89).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from core import limits
from core.secrets import SecretUnreadable
from inbox.channels.phone.events import Event, EventInvalid, of_fields, of_json
from inbox.models import Channel
from inbox.services import call_tokens, calls, channel_health

log = logging.getLogger(__name__)

BODY_MOST = 1_000_000
PER_SECOND = 100
REFUSED_PER_MINUTE = 300
"""Wrong tokens from one network; more are not even looked at."""
SIGNED_WITHIN = 300
"""Seconds that a signature is good for."""
JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


@csrf_exempt
def cti(request: HttpRequest, token: str) -> HttpResponse:
    """Take one event in. 200 with `{}` once it is in the database; the reason in `error` otherwise."""
    if request.method != "POST":
        return _refuse(405, "Only POST.", Allow="POST")
    network = str(request.META.get("REMOTE_ADDR", ""))
    channel = call_tokens.channel_of(token)
    if channel is None:
        if not limits.hit(f"cti-refused:{network}", limit=REFUSED_PER_MINUTE, seconds=60):
            return _refuse(429, "Too many requests.", **{"Retry-After": "60"})
        return _refuse(401, "Invalid token, please contact your admin!")
    if not limits.hit(f"cti:{channel.pk}", limit=PER_SECOND, seconds=1):
        return _refuse(429, "Too many events.", **{"Retry-After": "1"})
    body = _body(request)
    if body is None:
        call_tokens.count_refusal(channel)
        return _refuse(413, "The body is too large.")
    if fault := _unsigned(channel, request, body):
        call_tokens.count_refusal(channel)
        return _refuse(401, fault)
    try:
        event = _event(request, body)
    except EventInvalid as fault:
        call_tokens.count_refusal(channel)
        return _refuse(422, str(fault))
    except _WrongType:
        call_tokens.count_refusal(channel)
        return _refuse(400, f"The body must be {JSON}, {FORM} or {PARTS}.")
    calls.report(channel, event)
    channel_health.heard(channel)
    return JsonResponse({})


class _WrongType(Exception):
    pass


def _refuse(status: int, error: str, **headers: str) -> HttpResponse:
    return JsonResponse({"error": error}, status=status, headers=headers)


def _body(request: HttpRequest) -> bytes | None:
    """The bytes, or None when they are too many: nothing of those is read."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if length > BODY_MOST:
        return None
    return request.body if len(request.body) <= BODY_MOST else None


def _event(request: HttpRequest, body: bytes) -> Event:
    kind = (request.content_type or "").lower()
    if kind == JSON:
        return of_json(body)
    if kind in (FORM, PARTS):
        return of_fields(_fields(request.POST))
    raise _WrongType


def _fields(form: QueryDict) -> dict[str, Any]:
    return {name: form.getlist(name) for name in form}


def signature(secret: str, stamp: int, body: bytes) -> str:
    """The value of X-Guichet-Signature: HMAC-SHA256 over the time (seconds since 1970), a dot, and the raw body."""
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def _unsigned(channel: Channel, request: HttpRequest, body: bytes) -> str:
    """Why the signature does not count; empty when it does, or when the channel asks for none."""
    try:
        secret = channel.secrets().get("hmac_secret", "")
    except SecretUnreadable:
        log.warning("the signature secret of channel %s cannot be read", channel.pk)
        return "The signature cannot be checked at the moment."
    if not secret:
        return ""
    given = request.headers.get("X-Guichet-Signature", "")
    stamp = given.partition(",")[0].removeprefix("t=")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        return "The signature is missing or wrong."
    if not constant_time_compare(given, signature(secret, int(stamp), body)):
        return "The signature is missing or wrong."
    if abs(time.time() - int(stamp)) > SIGNED_WITHIN:
        return "The signature is too old."
    return ""
