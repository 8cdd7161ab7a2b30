"""A changed address: the new one proves that it is the person's, and the old one agrees (S-45).

Whoever holds the browser of somebody else for a minute, or his password, gets no account by it.
"""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import verify_email
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

_SALT = "portal.address"
SECONDS = 24 * 3600
"""So long the old address can agree."""


def in_use(changed: EmailAddress) -> EmailAddress | None:
    """The proved address that `changed` would replace; None for somebody's first one."""
    known = EmailAddress.objects.filter(user_id=changed.user_id, verified=True, primary=True)
    return known.exclude(pk=changed.pk).first()


def agreement_link(changed: EmailAddress, old: EmailAddress) -> str:
    """What is mailed to the old address once the new one is proved: it needs both mailboxes to come to life."""
    token = signing.dumps([changed.pk, changed.email, old.email], salt=_SALT)
    return settings.BASE_URL + reverse("portal:agree", args=[token])


def _waiting(token: str) -> EmailAddress | None:
    try:
        pk, new, old = signing.loads(token, salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    changed = EmailAddress.objects.filter(pk=pk, email=new, verified=False, user__is_active=True).first()
    now = in_use(changed) if changed else None
    return changed if now and now.email == old else None


@never_cache
def agree(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail: looking changes nothing, because mail scanners look at every link; the button does."""
    changed = _waiting(token)
    done = bool(changed and request.method == "POST" and verify_email(request, changed))
    context = {"changed": changed, "done": done}
    return render(request, "portal/address_agree.html", context, status=200 if changed else 410)
