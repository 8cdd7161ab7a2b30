"""Is it alive, can it serve, how does it do: three addresses that tell nothing about anybody (S-34)."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.defaults import server_error
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from inbox.models import Channel, Delivery, RawMessage

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and files can be written, else 503. Why it is not is only in the log."""
    states = {"database": _good(_database), "storage": _good(_storage)}
    return JsonResponse(states, status=200 if all(states.values()) else 503)


def failed(request: HttpRequest) -> HttpResponse:
    """What is answered after a fault of ours. One of the database is soon over: 503, come again (R-33)."""
    answer = server_error(request)
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        answer.status_code, answer["Retry-After"] = 503, "10"
    return answer


def _good(check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as fault:
        log.warning("not ready: %s: %s", check.__name__, fault)
        return False
    return True


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _storage() -> None:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    probe = folder / f".ready-{secrets.token_hex(8)}"
    handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, b"ready")
    finally:
        os.close(handle)
        probe.unlink()


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for Prometheus. Whoever has METRICS_TOKEN reads them; to others they are not there."""
    if not _may_read_metrics(request):
        return HttpResponseNotFound()
    return HttpResponse(generate_latest(_numbers()), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    # Everybody may come through a proxy on this machine: only a try-out is open without the token.
    return settings.DEMO and request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")


def _numbers() -> CollectorRegistry:
    registry = CollectorRegistry()
    _queue(registry, "received", "Received messages", RawMessage.State, RawMessage, RawMessage.State.STORED)
    _queue(registry, "deliveries", "Deliveries", Delivery.State, Delivery, *Delivery.WAITING)
    health = Gauge(
        "guichet_channel_healthy",
        "1 while the channel's last contact with its server went well",
        ["channel", "direction"],
        registry=registry,
    )
    # By key: names of channels may tell who the customers are.
    for channel in Channel.objects.filter(active=True):
        for direction, state in (("in", channel.receiving_health), ("out", channel.sending_health)):
            if state != Channel.Health.UNKNOWN:
                health.labels(str(channel.pk), direction).set(state == Channel.Health.GOOD)
    return registry


def _queue(registry: CollectorRegistry, name: str, title: str, states: Any, model: Any, *waiting: str) -> None:
    depth = Gauge(f"guichet_{name}", f"{title} by state; finished ones are not counted", ["state"], registry=registry)
    open_states = [s for s in states if s not in ("done", "sent", "cancelled")]
    counts = dict(model.objects.filter(state__in=open_states).values_list("state").annotate(n=Count("pk")).order_by())
    for state in open_states:
        depth.labels(str(state)).set(counts.get(state, 0))
    oldest = model.objects.filter(Q(state__in=waiting)).aggregate(
        at=Min("received_at" if name == "received" else "created_at")
    )
    age = Gauge(f"guichet_{name}_oldest_seconds", f"Age of the oldest of them that waits: {title}", registry=registry)
    age.set(max(0.0, (timezone.now() - oldest["at"]).total_seconds()) if oldest["at"] else 0)
