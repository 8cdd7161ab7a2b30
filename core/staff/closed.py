"""What Wagtail brings and this shell does not offer."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from wagtail.admin.viewsets.base import ViewSet


class Closed(ViewSet):
    """A viewset without addresses, in the place of one whose work own screens do (Wagtail's users and groups)."""


def not_here(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    """Raise Http404, for addresses of Wagtail that have no place here."""
    raise Http404
