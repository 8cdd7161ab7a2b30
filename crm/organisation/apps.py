"""The people who work here."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OrganisationConfig(AppConfig):
    """Users, departments, roles and what a role may see."""

    name = "crm.organisation"
    label = "organisation"
    verbose_name = _("Organisation")

    def ready(self) -> None:
        """Connect the one foreign signal: permissions exist only after migrations, and roles are made of them."""
        from crm.organisation.roles import sync_roles

        post_migrate.connect(sync_roles, sender=self, dispatch_uid="organisation.sync_roles")
