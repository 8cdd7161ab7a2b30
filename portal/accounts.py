"""How people sign up and log in: one login for customers and colleagues."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from crm.customers import identity
from crm.organisation import access
from crm.organisation.models import User
from portal.mails import as_html
from portal.visitors import safe_next


class AccountAdapter(DefaultAccountAdapter):
    """Accounts of allauth with our mails, our addresses and our idea of where to go afterwards."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Colleagues go to their desk, customers to their tickets."""
        if access.works_tickets(request.user):
            return "/desk/inbox/"
        return "/desk/" if access.is_staff(request.user) else reverse("portal:tickets")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """As after a login."""
        return self.get_login_redirect_url(request)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The front door."""
        return reverse("portal:start")

    def is_safe_url(self, url: str) -> bool:
        """Only a path of this site (S-59): an own host may be a forgotten alias, or a stranger's Host header."""
        return bool(safe_next(url, ""))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's address, which `portal.security` has put there (S-62)."""
        return request.META.get("REMOTE_ADDR") or "unknown"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send in the person's language, with links to the configured address whatever Host was asked for (S-61)."""
        person = context.get("user")
        language = (person.language if isinstance(person, User) else "") or translation.get_language()
        with translation.override(language):
            known = {key: own_link(value) for key, value in context.items()}
            site = SimpleNamespace(name=settings.WAGTAIL_SITE_NAME, domain=urlsplit(settings.BASE_URL).netloc)
            self.render_mail(template_prefix, email, {"email": email, **known, "current_site": site}).send()

    def render_mail(
        self,
        template_prefix: str,
        email: str | list[str],
        context: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> EmailMessage:
        """The text that allauth wrote, and the same text as HTML in our look."""
        mail = super().render_mail(template_prefix, email, context, headers)
        if isinstance(mail, EmailMultiAlternatives) and not mail.alternatives:
            mail.attach_alternative(as_html(str(mail.subject), str(mail.body)), "text/html")
        return mail


class SignupForm(forms.Form):
    """What we ask beyond address and password."""

    name = forms.CharField(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ("name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Keep the name, and the language the person reads."""
        user.name = identity.display_name(self.cleaned_data["name"])
        user.language = translation.get_language() or ""
        user.save(update_fields=["name", "language"])


def own_link(value: Any) -> Any:
    """A web address moved to BASE_URL, path and query kept; anything else as it is."""
    if not (isinstance(value, str) and value.startswith(("http://", "https://"))):
        return value
    parts, base = urlsplit(value), urlsplit(settings.BASE_URL)
    return urlunsplit((base.scheme, base.netloc, base.path + parts.path, parts.query, parts.fragment))


def address_proved(request: HttpRequest, email_address: EmailAddress, **_kwargs: Any) -> None:
    """The person owns the address: what was written with it is his, and not before (S-45)."""
    identity.claim_for_user(email_address.user, email_address.email)
