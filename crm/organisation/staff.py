"""Screens of people and departments, and each colleague's own profile and notifications."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.forms import ResetPasswordForm
from allauth.core import context
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.viewsets.base import ViewSet

from core.staff import filters
from core.staff.columns import BadgesColumn, MomentColumn, PersonColumn, StatusColumn
from core.staff.forms import RecordForm, Section
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordAdd, RecordViewSet
from crm.organisation import people
from crm.organisation.models import Department, Notification, User
from crm.organisation.profile import ProfileForm, save_profile
from crm.organisation.roles import LABELS
from routing.models import Queue


class ColleagueForm(RecordForm):
    """One colleague: who, what he may do, and how much work he gets."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        choices=tuple(LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("What this person may see and do. Several add up."),
    )
    queues = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Works these queues"),
        queryset=Queue.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    invite = forms.BooleanField(
        label=gettext_lazy("Send a mail with a link to set a password"), required=False, initial=True
    )
    forget = forms.BooleanField(
        label=gettext_lazy("Take away the second factor"),
        required=False,
        help_text=gettext_lazy("For a lost phone. The person is logged out everywhere and sets up another one."),
    )
    sections: ClassVar = (
        Section(gettext_lazy("Person"), ("name", "email", "department", "is_active", "invite", "forget")),
        Section(gettext_lazy("Roles"), ("roles",)),
        Section(gettext_lazy("Work"), ("queues", "is_available", "capacity", "chats_at_once", "extension")),
    )

    class Meta:
        model = User
        fields = ("name", "email", "department", "is_active", "is_available", "capacity", "chats_at_once", "extension")
        help_texts = {
            "is_active": gettext_lazy(
                "Without this the person is logged out at once, everywhere, and cannot come back."
            ),
            "is_available": gettext_lazy("Automatic assignment gives tickets only to people who take new ones."),
            "extension": gettext_lazy("The line at the telephone system, as it names it."),
            "capacity": gettext_lazy("Automatic assignment gives this person at most this many open tickets."),
            "chats_at_once": gettext_lazy("This person is given at most this many chats at the same time; 0: none."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["chats_at_once"].required = False
        if self.instance.pk:
            self.fields["roles"].initial = sorted(self.instance.roles)
            self.fields["queues"].initial = [m.queue_id for m in self.instance.queue_memberships.all()]
            self.fields["invite"].initial = False
        else:
            del self.fields["is_active"]
        if not (self.instance.pk and Authenticator.objects.filter(user=self.instance).exists()):
            del self.fields["forget"]
        if self.for_user:
            allowed = people.grantable(self.for_user) | (self.instance.roles if self.instance.pk else frozenset())
            self.fields["roles"].choices = [(role, label) for role, label in LABELS.items() if role in allowed]

    def clean_email(self) -> str:
        """Lower case, and nobody else's, whatever its case."""
        email = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Somebody has a login with this address already."))
        return email

    def clean_chats_at_once(self) -> int:
        """As it was, when nothing is written."""
        wanted = self.cleaned_data["chats_at_once"]
        return self.instance.chats_at_once if wanted is None else wanted

    def clean(self) -> dict[str, Any]:
        """What would lock people out is said here, beside the field."""
        data = super().clean() or self.cleaned_data
        if self.for_user and "roles" in data:
            stored = User.objects.filter(pk=self.instance.pk).first() or User()
            try:
                people.check_change(stored, data["roles"], data.get("is_active", True), by=self.for_user)
            except ValidationError as fault:
                self.add_error("roles", fault)
        return data


def save_colleague(form: ColleagueForm, by: User) -> User:
    """Save what the form says, and invite when asked to."""
    data = form.cleaned_data
    user = people.save_colleague(form.save(commit=False), data["roles"], data["queues"], by=by)
    if data.get("forget"):
        people.forget_second_factor(user, by=by)
    if data.get("invite") and user.is_active:
        request = context.request
        transaction.on_commit(lambda: invite(user, request))
    return user


def invite(user: User, request: HttpRequest) -> None:
    """Mail a link by which `user` sets his password."""
    form = ResetPasswordForm({"email": user.email})
    if form.is_valid():
        with context.request_context(request):
            form.save(request=request)


class ColleagueFilter(filters.WagtailFilterSet):
    """Who works here, by role and department."""

    role = filters.records("groups", gettext_lazy("Role"), lambda _request: _role_groups(), distinct=True)
    department = filters.records("department", gettext_lazy("Department"), lambda _request: Department.objects.all())

    class Meta:
        model = User
        fields = ("is_active", "is_available")


def _role_groups() -> QuerySet[Any]:
    return Group.objects.filter(name__in=LABELS)


def role_labels(user: User) -> list[str]:
    """The roles in words, from prefetched groups."""
    names = {group.name for group in user.groups.all()} | ({"administrator"} if user.is_superuser else set())
    return [str(label) for role, label in LABELS.items() if role in names]


class ColleagueAdd(RecordAdd):
    """Says what happens next."""

    def get_success_message(self, instance: User) -> str:
        """The name, and that a mail is on its way."""
        return _("%(name)s can work here now.") % {"name": instance}


class ColleagueViewSet(RecordViewSet):
    """People who work here. Logins of customers are not shown."""

    name = "people"
    url_prefix = "people"
    sensitive = True
    model = User
    icon = "g-user"
    menu_label = gettext_lazy("Users")
    menu_name = "people"
    add_view_class = ColleagueAdd
    delete_enabled = False
    list_display: ClassVar = [
        "name",
        "email",
        BadgesColumn("roles", label=gettext_lazy("Roles"), accessor=role_labels),
        "department",
        StatusColumn(
            "state",
            label=gettext_lazy("Login"),
            accessor=lambda user: "good" if user.is_active else "paused",
            words={"good": gettext_lazy("Active"), "paused": gettext_lazy("Deactivated")},
        ),
        MomentColumn("last_login", label=gettext_lazy("Last login"), sort_key="last_login"),
    ]
    list_export: ClassVar = ["name", "email", "department", "is_active", "last_login"]
    search_fields: ClassVar = ["name", "email"]
    filterset_class = ColleagueFilter
    ordering: ClassVar = ["name", "email"]
    select_related = ("department",)
    prefetch_related = ("groups",)
    save_service = staticmethod(save_colleague)

    def rows(self, user: User) -> QuerySet[User]:
        """Staff only."""
        return User.objects.filter(is_staff=True)

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known people."""
        return ColleagueForm


class DepartmentForm(RecordForm):
    """A part of the company; nothing can be part of itself."""

    class Meta:
        model = Department
        fields = ("name", "parent", "lead")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lead"].queryset = User.objects.filter(is_staff=True, is_active=True)
        if self.instance.pk:
            self.fields["parent"].queryset = Department.objects.exclude(pk=self.instance.pk)

    def clean_parent(self) -> Department | None:
        """Refuse a circle."""
        parent = above = self.cleaned_data["parent"]
        while above is not None:
            if above.pk == self.instance.pk:
                raise ValidationError(_("This would make the department part of itself."))
            above = above.parent
        return parent


class DepartmentViewSet(RecordViewSet):
    """Departments."""

    name = "departments"
    url_prefix = "departments"
    model = Department
    icon = "g-company"
    menu_name = "departments"
    list_display: ClassVar = ["name", "parent", PersonColumn("lead", label=gettext_lazy("Lead"))]
    search_fields: ClassVar = ["name"]
    select_related = ("parent", "lead")

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The form."""
        return DepartmentForm


class ProfileView(StaffView):
    """A colleague's own settings."""

    permissions = ()
    template_name = "organisation/staff/profile.html"
    page_title = gettext_lazy("My profile")
    header_icon = "g-user"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The form."""
        kwargs.setdefault("form", ProfileForm(instance=self.request.user))
        return super().get_context_data(**kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save it."""
        form = ProfileForm(request.POST, request.FILES, instance=request.user)
        if form.is_valid():
            save_profile(form)
            messages.success(request, _("Your profile is saved."))
            return redirect("profile:index")
        return self.render_to_response(self.get_context_data(form=form))


class ProfileViewSet(ViewSet):
    """The own profile at /desk/profile/."""

    name = "profile"
    icon = "g-user"

    def get_urlpatterns(self) -> list[URLPattern]:
        """One page."""
        return [path("", ProfileView.as_view(), name="index")]


class NotificationsView(StaffView):
    """What a colleague was told. Opening the page marks nothing; a button does."""

    permissions = ()
    template_name = "organisation/staff/notifications.html"
    page_title = gettext_lazy("Notifications")
    header_icon = "g-bell"
    shown = 50

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The newest."""
        mine = Notification.objects.filter(user=self.request.user)
        unread = mine.filter(read_at=None).count()
        return super().get_context_data(notifications=mine[: self.shown], unread=unread, **kwargs)


class NotificationsRead(StaffRequired):
    """Marks all as read, or follows one to what it is about."""

    permissions = ()

    def post(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Only the reader's own."""
        mine = Notification.objects.filter(user=self.request.user, read_at=None)
        if pk is None:
            mine.update(read_at=timezone.now())
            return redirect("notifications:index")
        notification = get_object_or_404(Notification, user=self.request.user, pk=pk)
        mine.filter(pk=pk).update(read_at=timezone.now())
        local = url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None)
        return redirect(notification.url if local else reverse("notifications:index"))


class NotificationsViewSet(ViewSet):
    """Notifications at /desk/notifications/."""

    name = "notifications"
    icon = "g-bell"
    menu_label = gettext_lazy("Notifications")
    menu_name = "notifications"
    menu_order = 900
    add_to_admin_menu = True

    def get_urlpatterns(self) -> list[URLPattern]:
        """The page and its two buttons."""
        return [
            path("", NotificationsView.as_view(), name="index"),
            path("read/", NotificationsRead.as_view(), name="read"),
            path("<int:pk>/open/", NotificationsRead.as_view(), name="open"),
        ]
