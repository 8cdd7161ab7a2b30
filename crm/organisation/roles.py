"""The five roles of staff and what each may do. A role is a Django group; this table is its only source."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

ADMINISTRATOR, SUPERVISOR, AGENT, MARKETER, EDITOR = "administrator", "supervisor", "agent", "marketer", "editor"

LABELS = {
    ADMINISTRATOR: _("Administrator"),
    SUPERVISOR: _("Supervisor"),
    AGENT: _("Agent"),
    MARKETER: _("Marketer"),
    EDITOR: _("Content editor"),
}

_EVERYONE = ("wagtailadmin.access_admin",)
_SERVICE = (
    "service.view_ticket",
    "service.change_ticket",
    "service.add_ticket",
    "customers.view_customer",
    "customers.add_customer",
    "customers.change_customer",
    "customers.view_contact",
    "customers.add_contact",
    "customers.change_contact",
)
_ROUTING_MODELS = ("queue", "businesshours", "slapolicy", "rule", "macro", "keywordset")
_SETUP = tuple(
    f"routing.{verb}_{model}" for model in _ROUTING_MODELS for verb in ("view", "add", "change", "delete")
) + tuple(f"inbox.{verb}_{model}" for model in ("template",) for verb in ("view", "add", "change", "delete"))

ROLES: dict[str, tuple[str, ...] | None] = {
    ADMINISTRATOR: None,
    SUPERVISOR: (
        *_EVERYONE,
        *_SERVICE,
        *_SETUP,
        "service.delete_ticket",
        "customers.delete_customer",
        "customers.delete_contact",
        *(f"customers.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("tag", "region")),
        "organisation.view_user",
        "organisation.view_department",
        "inbox.view_channel",
        "inbox.view_rawmessage",
        "inbox.change_rawmessage",
        "inbox.view_delivery",
        "inbox.change_delivery",
    ),
    AGENT: (*_EVERYONE, *_SERVICE, "inbox.view_template"),
    MARKETER: (*_EVERYONE, "customers.view_customer", "customers.view_contact"),
    EDITOR: (
        *_EVERYONE,
        "wagtailimages.add_image",
        "wagtailimages.change_image",
        "wagtailimages.choose_image",
        "wagtaildocs.add_document",
        "wagtaildocs.change_document",
        "wagtaildocs.choose_document",
    ),
}
"""Permissions a role has; None means every permission there is."""


def sync_roles(**_kwargs: Any) -> None:
    """Make the groups and give each exactly its permissions (also those of apps installed later)."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0)
    known = {f"{p.content_type.app_label}.{p.codename}": p for p in Permission.objects.select_related("content_type")}
    for role, names in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set(known.values() if names is None else [known[n] for n in names if n in known])
