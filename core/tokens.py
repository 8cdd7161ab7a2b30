"""Short signed tokens for mail headers and links: one derived key a purpose, several key versions at once."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

SIGNATURE_BYTES = 10
"""80 bits: an attacker has to be lucky 2^80 times over a mail server, and the local part stays under 64 (RFC 5321)."""


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"guichet {purpose}".encode()).derive(
        secret.encode()
    )


_keys: dict[tuple[str, str], bytes] = {}


def derived_key(secret: str, purpose: str) -> bytes:
    """The key of one purpose, derived from a secret of the ring."""
    found = _keys.get((secret, purpose))
    if found is None:
        found = _keys[secret, purpose] = _derive(secret, purpose)
    return found


def _signature(key: bytes, payload: str) -> str:
    digest = hmac.new(key, payload.encode(), hashlib.sha256).digest()[:SIGNATURE_BYTES]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def sign(purpose: str, payload: str) -> str:
    """`payload` (lower-case letters, digits and `-`) with its signature: `payload.signature`, safe in an address."""
    return f"{payload}.{_signature(derived_key(settings.TOKEN_KEYS[0], purpose), payload)}"


def verify(purpose: str, token: str) -> str | None:
    """The payload when the signature is ours for this purpose (case is ignored: mail servers change it), else None."""
    payload, dot, signature = token.lower().rpartition(".")
    if not dot:
        return None
    for secret in settings.TOKEN_KEYS:
        if hmac.compare_digest(_signature(derived_key(secret, purpose), payload), signature):
            return payload
    return None
