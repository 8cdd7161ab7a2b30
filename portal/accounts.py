"""How people sign up and log in: one login for customers and colleagues."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core.secrets import seal, unseal
from crm.customers import identity
from crm.organisation import access
from crm.organisation.models import User
from inbox.services.mail_look import as_html
from portal import addresses
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

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """A first address is proved by its link; one that replaces another waits until that one agrees."""
        old = addresses.in_use(email_address)
        if old is None or not email_address.can_set_verified():
            return super().confirm_email(request, email_address)
        link = addresses.agreement_link(email_address, old)
        context = {"user": email_address.user, "new": email_address.email, "agree_url": link}
        self.send_mail("account/email/address_agree", old.email, context)
        said = _("Nearly done. We have written to your old address, %(old)s: it has to agree.") % {"old": old.email}
        messages.info(request, said)
        return False

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


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted, and colleagues who must have one keep it."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong, or its time is over."),
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return seal({"secret": text}, "mfa")

    def decrypt(self, encrypted_text: str) -> str:
        """Unseal it; one that was stored before secrets were sealed is as it is. Raises SecretUnreadable."""
        return unseal(encrypted_text, "mfa")["secret"] if "$" in encrypted_text else encrypted_text

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not where the company demands it: an administrator takes it away when the phone is lost."""
        return settings.STAFF_SECOND_FACTOR != "required" or not access.is_staff(authenticator.user)


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
