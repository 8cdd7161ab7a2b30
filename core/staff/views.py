"""The base of own screens in the staff shell.

A view registered through a plain `ViewSet` has no permission check of its own, and one that is not registered there
not even a login: `StaffView` brings both, whatever way it is reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from core import proof

HOME = {"url": reverse_lazy("wagtailadmin_home"), "label": _("Start")}
"""First breadcrumb of every screen."""


def visible(model: type[Model], user: Any) -> QuerySet[Any]:
    """Rows of `model` that `user` may see; all rows of models without a predicate of their own (reference data)."""
    manager = model._default_manager
    scope = getattr(manager, "visible_to", None)
    return scope(user) if scope else manager.all()


def proof_asked(request: HttpRequest, seconds: float) -> HttpResponseBase | None:
    """Where whoever did not prove himself within `seconds` is sent; None when he did (S-82).

    What he wrote into a form is not kept on the way: it may hold passwords.
    """
    if proof.is_recent(request.session, seconds):
        return None
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")


class Sensitive:
    """A page on which somebody with a colleague's open browser could do much harm: asks who is there.

    Only where `sensitive` of the viewset says so. Wagtail's view has checked the permission by then.
    """

    viewset: Any = None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The form, after a recent proof."""
        asked = proof_asked(request, proof.RECENT_SECONDS) if self.viewset.sensitive else None
        return asked or super().get(request, *args, **kwargs)  # type: ignore[misc]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The deed, when the form was opened with one."""
        asked = proof_asked(request, proof.FORM_SECONDS) if self.viewset.sensitive else None
        return asked or super().post(request, *args, **kwargs)  # type: ignore[misc]


class StaffRequired(View):
    """Lets in active colleagues who have all of `permissions`; customers get a 404, strangers the login page.

    `permissions` has no default on purpose: a view says `()` when every colleague may see it.
    """

    permissions: tuple[str, ...] | None = None
    request: Any
    """A request of a colleague: Django's own type cannot say that `user` is one of ours."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Check before anything of the view runs. Raises Http404 and PermissionDenied."""
        if self.permissions is None:
            raise ImproperlyConfigured(f"{type(self).__name__} must name its permissions")
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
        if not (user.is_active and user.is_staff and user.has_perm("wagtailadmin.access_admin")):
            raise Http404
        if not user.has_perms(self.permissions):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def visible_or_404(self, model: type[Model], **lookup: Any) -> Any:
        """The one row of `model` that this colleague may see. Raises Http404 for a foreign one as for a missing one."""
        return get_object_or_404(visible(model, self.request.user), **lookup)


class StaffView(StaffRequired, WagtailAdminTemplateMixin, TemplateView):
    """A page in the shell: `template_name` extends `core/staff/page.html`."""

    template_name = "core/staff/page.html"
    trail: ClassVar[Iterable[dict[str, Any]]] = ()
    """Breadcrumbs between the start and this page: `{"url": …, "label": …}`."""

    def get_trail(self) -> list[dict[str, Any]]:
        """The breadcrumbs between the start and this page."""
        return list(self.trail)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """The whole way to this page, which comes last and has no address."""
        return [HOME, *self.get_trail(), {"url": "", "label": self.get_page_title()}]
