"""On which sites the widget may speak: an origin is scheme, host and port, and the list of a channel holds such."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

ANY = "*"
_PORTS = {"http": 80, "https": 443}


def normalise(text: str) -> str:
    """`text` as browsers write an origin (RFC 6454, 6.2): lower case, no default port. Raises ValueError.

    An address with a path, a user or a foreign scheme is none, nor is `null`.
    """
    parts = urlsplit(text.strip())
    host, port = parts.hostname, parts.port
    if parts.scheme not in _PORTS or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(text)
    if "@" in parts.netloc or any(not c.isalnum() and c not in "-._:" for c in host):
        raise ValueError(text)
    host = f"[{host}]" if ":" in host else host.encode("idna").decode().lower()
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


def listed(settings: Mapping[str, Any]) -> list[str]:
    """The allow-list of a channel; what cannot be an origin was refused when it was saved."""
    return [line.strip() for line in str(settings.get("origins") or "").split() if line.strip()]


def allowed(origin: str | None, origins: Iterable[str]) -> bool:
    """Whether a page of this origin may speak. A missing or opaque (`null`) one only where everybody may."""
    origins = list(origins)
    if ANY in origins:
        return True
    try:
        return origin is not None and normalise(origin) in origins
    except ValueError:
        return False
