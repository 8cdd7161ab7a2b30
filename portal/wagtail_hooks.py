"""The staff shell, put together: its look, its menu and every screen of every package."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from wagtail import hooks

from crm.organisation.models import User
from portal.staff import GROUPS, MENU_NAMES, SINGLE

ICONS = [
    "at",
    "bell",
    "bolt",
    "book",
    "calendar",
    "chat",
    "check",
    "clock",
    "company",
    "download",
    "flag",
    "gear",
    "globe",
    "home",
    "inbox",
    "key",
    "list",
    "mail",
    "phone",
    "play",
    "queue",
    "send",
    "tag",
    "ticket",
    "user",
    "users",
]
STYLES = ("css/tokens.css", "css/components.css", "css/controls.css", "staff/shell.css", "staff/screens.css")


@hooks.register("insert_global_admin_css")
def styles() -> SafeString:
    """Our tokens and components after Wagtail's own."""
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(f"core/{name}"),) for name in STYLES))


@hooks.register("get_avatar_url")
def portrait(user: User, size: int) -> str | None:
    """The picture that visitors of the chat see too."""
    mark = getattr(user, "portrait_mark", "")
    return reverse("chat:agent", args=[mark]) if mark else None


@hooks.register("register_admin_viewset")
def screens() -> list[Any]:
    """The groups of the menu; each brings the screens below it."""
    return [*(group() for group in GROUPS), *(each() if isinstance(each, type) else each for each in SINGLE)]


@hooks.register("construct_main_menu", order=1000)
def only_ours(request: HttpRequest, items: list[Any]) -> None:
    """Take out what Wagtail offers and nobody here needs: explorer, reports, settings, help."""
    items[:] = [item for item in items if item.name in MENU_NAMES]


@hooks.register("register_icons")
def icons(known: list[str]) -> list[str]:
    """Our own icons beside Wagtail's, under names that begin with `g-`."""
    return known + [f"core/staff/icons/{name}.svg" for name in ICONS]
