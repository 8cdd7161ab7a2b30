"""People with a login, and the departments of the company."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from core.composed import Composed


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with this address. Raises User.DoesNotExist."""
        return self.get(email__iexact=(username or "").strip())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user without a role: a customer."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user who may do everything."""
        return self.create_user(email, password, is_superuser=True, is_staff=True, **fields)


_roles_of = Composed(lambda user: Group.objects.filter(user=user).values_list("name", flat=True))


class User(AbstractBaseUser, PermissionsMixin):
    """One person who can log in. Staff have roles (groups named after them); customers have none."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    department = models.ForeignKey(
        "Department", models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("department")
    )
    is_staff = models.BooleanField(_("works here"), default=False)
    is_active = models.BooleanField(_("active"), default=True)  # type: ignore[misc]
    is_available = models.BooleanField(_("takes new tickets"), default=True)
    capacity = models.PositiveSmallIntegerField(_("tickets at once"), default=20)
    chats_at_once = models.PositiveSmallIntegerField(_("chats at once"), default=4)
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    extension = models.CharField(_("telephone extension"), max_length=40, blank=True)
    signature = models.TextField(_("signature"), blank=True)
    portrait_mark = models.CharField(max_length=32, blank=True, editable=False)
    """Names the picture in addresses; empty without one. Cannot be guessed, and is another for each picture."""
    shortcuts = models.JSONField(_("shortcuts"), default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    _user_perm_cache: ClassVar[frozenset[str]] = frozenset()
    """Rights come with roles. Django's backends look here first, and ask no table for rights of one person alone."""

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["name", "email"]

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def roles(self) -> frozenset[str]:
        """Names out of `roles.ROLES`; empty for a customer and for whoever is deactivated."""
        if not self.is_active:
            return frozenset()
        if self.is_superuser:
            return frozenset({"administrator"})
        return frozenset(_roles_of(self.pk))

    def get_full_name(self) -> str:
        """The name, or the address when there is none."""
        return str(self)

    def get_short_name(self) -> str:
        """As `get_full_name`: many cultures have no first name to cut out."""
        return str(self)

    # Wagtail's user screens ask for these two.
    @property
    def first_name(self) -> str:
        """The whole name."""
        return self.name

    @property
    def last_name(self) -> str:
        """Empty: names are kept whole."""
        return ""


class Portrait(models.Model):
    """The picture of a colleague that visitors of the chat see beside the name, drawn anew and small."""

    user = models.OneToOneField(User, models.CASCADE, related_name="portrait")
    kind = models.CharField(max_length=20)
    """`image/png` or `image/jpeg`."""
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.user)


class Department(models.Model):
    """A part of the company."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    lead = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("lead"))

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """Something a colleague should know; `url` leads there, and the reader's access is checked there again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="notification_user")]

    def __str__(self) -> str:
        return self.text
