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
_PLANNING = tuple(f"planning.{verb}_{model}" for model in ("task", "appointment") for verb in ("view", "add", "change"))
_CALLS = (
    *(f"marketing.{verb}_callscript" for verb in ("view", "add", "change", "delete")),
    *(f"marketing.{verb}_calllist" for verb in ("view", "add", "change")),
    "marketing.view_calllistentry",
    *(f"customers.{verb}_refusednumber" for verb in ("view", "add", "delete")),
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
        *_PLANNING,
        *_CALLS,
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
    AGENT: (
        *_EVERYONE,
        *_SERVICE,
        *_PLANNING,
        "inbox.view_template",
        "marketing.view_callscript",
        "marketing.view_calllist",
        "customers.add_refusednumber",
    ),
    MARKETER: (*_EVERYONE, *_PLANNING, *_CALLS, "customers.view_customer", "customers.view_contact"),
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
