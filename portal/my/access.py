"""The gate of pages that belong to whoever is signed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from crm.organisation.models import User


class OwnRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User  # type: ignore[assignment]


View = Callable[..., HttpResponseBase]


def signed_in(*methods: str) -> Callable[[View], View]:
    """For the signed-in alone, others are asked to sign in; only these methods; never kept by a cache."""

    def gate(view: View) -> View:
        guarded: Any = require_http_methods([*methods, *(["HEAD"] if "GET" in methods else [])])(view)
        return login_required(never_cache(guarded))

    return gate
