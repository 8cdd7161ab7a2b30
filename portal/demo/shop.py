"""A page of the demo company's shop that carries the chat, for whoever tries Guichet out."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from inbox.models import Channel
from portal.demo import people


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Three products, the chat, and how it got there. Only in a try-out: elsewhere there is no such page."""
    if not settings.DEMO:
        raise Http404
    chat = Channel.objects.filter(kind="chat", active=True).order_by("pk").first()
    return render(
        request,
        "portal/demo/widget.html",
        {
            "key": chat.settings.get("key", "") if chat else "",
            "host": settings.BASE_URL,
            "products": _products(),
            "colours": [("#8f2f1f", "red"), ("#1f6f4a", "green"), ("#f2c14e", "yellow")],
            "colleague": f"{people.COLLEAGUES[2].address}@{people.DOMAIN}",
            "password": people.PASSWORD,
        },
    )


def _products() -> list[tuple[str, str, str, str]]:
    return [
        ("Aroma 300", _("Espresso machine with two circuits"), "649 €", "portal/demo/machine.svg"),
        ("Mola 2", _("Quiet grinder with forty steps"), "189 €", "portal/demo/grinder.svg"),
        ("Kessel 1.2", _("Kettle that keeps the degree you choose"), "119 €", "portal/demo/kettle.svg"),
    ]
