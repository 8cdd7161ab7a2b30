"""Secrets at rest: encrypted with a key ring of their own, bound to the place they stand in."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class SecretUnreadable(Exception):
    """The stored secret was written with a key that is no longer in the ring, or was tampered with."""


def _key(secret: str) -> tuple[str, AESGCM]:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"guichet channel secrets").derive(
        secret.encode()
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(derived)
    return digest.finalize().hex()[:8], AESGCM(derived)


def _ring() -> dict[str, AESGCM]:
    return dict(_key(secret) for secret in settings.CHANNEL_KEYS)


def seal(value: dict[str, str], place: str) -> str:
    """Encrypt `value` for `place` (AES-256-GCM; the place is associated data, so a copied cell does not decrypt)."""
    key_id, cipher = next(iter(_ring().items()))
    nonce = os.urandom(12)
    sealed = cipher.encrypt(nonce, json.dumps(value).encode(), place.encode())
    return f"{key_id}${base64.b64encode(nonce + sealed).decode()}"


def unseal(text: str, place: str) -> dict[str, str]:
    """Decrypt what `seal` wrote. Raises SecretUnreadable."""
    if not text:
        return {}
    key_id, _, body = text.partition("$")
    cipher = _ring().get(key_id)
    if cipher is None:
        raise SecretUnreadable(f"no key {key_id} in CHANNEL_KEY or CHANNEL_KEY_FALLBACKS")
    data = base64.b64decode(body)
    try:
        return json.loads(cipher.decrypt(data[:12], data[12:], place.encode()))
    except InvalidTag as fault:
        raise SecretUnreadable("the stored secret does not fit its place") from fault


class SealedField(models.TextField):
    """Text as `seal` makes it. The model decides the place and when to unseal; forms never show it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
