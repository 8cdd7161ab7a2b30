"""Customers, the people there, and how each is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.telephone import spaced
from crm.organisation import access

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.organisation.models import User


class Region(models.Model):
    """A part of the world as sales and service divide it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word to find things by, shared by customers, contacts and tickets."""

    name = models.CharField(_("name"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StaffOnlyQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Records that colleagues see and customers do not."""

    def visible_to(self, user: User | AnonymousUser | None) -> StaffOnlyQuerySet:
        """Everything for staff, nothing for anybody else."""
        return self.all() if access.is_staff(user) else self.none()


class Customer(models.Model):
    """A company or a private person we deal with, in whatever part."""

    class Kind(models.TextChoices):
        """What it is."""

        COMPANY = "company", _("Company")
        PERSON = "person", pgettext_lazy("customer", "Person")

    class Part(models.TextChoices):
        """What it is to us."""

        CUSTOMER = "customer", _("Customer")
        SUPPLIER = "supplier", _("Supplier")
        PARTNER = "partner", _("Partner")
        COMPETITOR = "competitor", _("Competitor")

    class Level(models.TextChoices):
        """How much service it gets."""

        STANDARD = "standard", _("Standard")
        SILVER = "silver", _("Silver")
        GOLD = "gold", _("Gold")
        VIP = "vip", _("VIP")

    class Status(models.TextChoices):
        """Where the relation stands."""

        PROSPECT = "prospect", _("Prospect")
        ACTIVE = "active", pgettext_lazy("customer", "Active")
        DORMANT = "dormant", _("Dormant")
        BLOCKED = "blocked", _("Blocked")

    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.COMPANY)
    part = models.CharField(_("part"), max_length=12, choices=Part.choices, default=Part.CUSTOMER)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices, default=Level.STANDARD)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name=_("region"))
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="+", verbose_name=_("tags"))
    website = models.URLField(_("website"), blank=True)
    address = models.TextField(_("address"), blank=True)
    notes = models.TextField(_("notes"), blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StaffOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["name", "id"], name="customer_name"),
            models.Index(fields=["level", "name"], name="customer_level"),
            models.Index(fields=["status", "name"], name="customer_status"),
        ]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person at a customer, or a person alone. `user` is set once the person proved an address of the contact."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    customer = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("customer")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="contact", editable=False
    )
    title = models.CharField(_("job title"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="+", verbose_name=_("tags"))
    notes = models.TextField(_("notes"), blank=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StaffOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["name", "id"], name="contact_name")]

    def __str__(self) -> str:
        return self.name or spaced(self.address)

    @property
    def address(self) -> str:
        """The first e-mail address, or any other point; empty when there is none."""
        points = list(self.points.all())
        mail = next((p.value for p in points if p.kind == ContactPoint.Kind.EMAIL), "")
        return mail or (points[0].value if points else "")


class ContactPoint(models.Model):
    """One address a contact is reached at. `value` is normalised, so one address is one contact."""

    class Kind(models.TextChoices):
        """What kind of address it is."""

        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        FAX = "fax", _("Fax")

    NUMBERS = (Kind.PHONE, Kind.FAX)
    """One line may be both: a number is one person's, whatever it is noted as."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="points")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    value = models.CharField(_("address"), max_length=320)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    undeliverable_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="contact_point_once")]

    def __str__(self) -> str:
        return self.value


class RefusedNumber(models.Model):
    """A number that must not be called. It stands alone: it holds whatever becomes of the contact, and before one is.

    Written by `crm.customers.consent`; what was marked and taken back stands on the contact's timeline.
    """

    number = models.CharField(_("number"), max_length=32, unique=True)
    """E.164."""
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("refused number")
        verbose_name_plural = _("refused numbers")
        ordering = ["-id"]

    def __str__(self) -> str:
        return spaced(self.number)


class TimelineEntry(models.Model):
    """One thing that happened with a contact, whatever room it happened in."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="timeline", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30)
    """What happened: `ticket.opened`, `message.in`, `message.out`, `contact.linked` …"""
    title = models.CharField(max_length=300)
    reference = models.CharField(max_length=60, blank=True)
    """What it was about: `ticket:123`."""
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    words = ""
    """What `kind` means, in the reader's language; set by `crm.customers.timeline`."""
    url = ""
    """Where the record is that `reference` names; set by `crm.customers.timeline`."""

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["contact", "-at", "-id"], name="timeline_contact")]

    def __str__(self) -> str:
        return self.title


class ContactLink(models.Model):
    """Two contacts found to be one person: what moved, so that it can be undone."""

    kept = models.ForeignKey(Contact, models.CASCADE, related_name="links_in")
    merged = models.ForeignKey(Contact, models.CASCADE, related_name="links_out")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    moved = models.JSONField(default=dict)
    """Primary keys that moved, by table name."""
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("contact link")
        verbose_name_plural = _("contact links")

    def __str__(self) -> str:
        return f"{self.merged} → {self.kept}"
