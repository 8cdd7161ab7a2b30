"""Which chat a request is for, and whether its page may speak."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

from core import limits
from inbox.channels.chat import origins
from inbox.models import Channel


def by_key(key: str) -> Channel | None:
    """The active chat with this public key."""
    if not key or len(key) > 60:
        return None
    rows = Channel.objects.select_related("queue__hours").filter(kind="chat", active=True, settings__key=key)
    return rows.first()


def may_speak(channel: Channel, origin: str | None) -> bool:
    """Whether a page of this origin is on the channel's list."""
    return origins.allowed(origin, origins.listed(channel.settings))


@cache
def _unlimited(networks: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(ip_network(each, strict=False) for each in networks)


def network_of(address: str) -> str:
    """What limits count this address by; empty for networks that the operator has exempted."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "unknown"
    if any(ip in each for each in _unlimited(tuple(settings.CHAT_UNLIMITED_NETWORKS))):
        return ""
    return limits.network(address)
