"""Pages for everybody: the front door, a new request, what a guest confirms, and how the site is shown."""

from __future__ import annotations

import secrets
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from crm.organisation import access
from inbox.channels.webform.adapter import pack
from inbox.models import Channel
from inbox.services import callbacks, chat_addresses, guests, transcripts
from inbox.services.accept import accept
from inbox.services.processing import see_through
from portal.my import queries
from portal.my.access import OwnRequest
from portal.my.files import as_sent
from portal.my.forms import GuestRequestForm, RequestForm
from portal.my.views import contact_of, too_much
from portal.visitors import network_of, safe_next

THEMES = ("light", "dark", "system")


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """What browsers ask for when a page, such as a file shown raw, names no icon."""
    return redirect(static("core/favicon.svg"))


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The front door."""
    mailboxes = Channel.objects.filter(kind="email", active=True).exclude(address="").order_by("id")
    context = {
        "recent": queries.recent(request.user) if access.is_person(request.user) else [],
        "mailboxes": mailboxes[:3],
        "call_back": callbacks.channel() is not None,
    }
    return render(request, "portal/start.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_request(request: HttpRequest) -> HttpResponse:
    """Write to us: with an account at once, as a guest after confirming the address."""
    channel = guests.form_channel()
    if channel is None:
        return render(request, "portal/new_closed.html", status=503)
    if access.is_person(request.user):
        return _own_request(cast(OwnRequest, request), channel)
    if not channel.settings.get("guests", True):
        return redirect(f"{reverse('account_login')}?next={reverse('portal:new')}")
    return _guest_request(request, channel)


def _own_request(request: OwnRequest, channel: Channel) -> HttpResponse:
    contact = contact_of(request)
    if contact is None:
        messages.warning(request, _("Please confirm your e-mail address first."))
        return redirect("account_email")
    form = RequestForm(request.POST or None, request.FILES or None, channel=channel)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if why := too_much(request, given["files"]):
            form.add_error(None, why)
            return _form_page(request, form, status=429)
        content = pack(
            name=str(request.user),
            email=request.user.email,
            subject=given["subject"],
            text=given["text"],
            topic=given.get("topic", ""),
            language=get_language() or "",
            files=as_sent(given["files"]),
        )
        facts = {"contact": contact.pk, "user": request.user.pk}
        raw = see_through(accept(channel, content, external_id=f"portal-{secrets.token_hex(12)}", facts=facts))
        messages.success(request, _("Thank you. Your request has reached us."))
        return redirect("portal:ticket", number=raw.ticket.number) if raw.ticket else redirect("portal:tickets")
    return _form_page(request, form)


def _guest_request(request: HttpRequest, channel: Channel) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, GuestRequestForm(channel=channel))
    form = GuestRequestForm(request.POST, request.FILES, channel=channel)
    if form.is_machine:
        return redirect("portal:guest_sent")
    if form.is_valid():
        given = form.cleaned_data
        try:
            guests.hold(
                channel,
                visitor=network_of(request),
                name=given["name"],
                email=given["email"],
                subject=given["subject"],
                text=given["text"],
                topic=given.get("topic", ""),
                sent=as_sent(given["files"]),
            )
        except guests.TooMany as error:
            form.add_error(None, error.why)
            return _form_page(request, form, status=429)
        return redirect("portal:guest_sent")
    return _form_page(request, form)


def _form_page(request: HttpRequest, form: RequestForm, status: int = 0) -> HttpResponse:
    context = {"form": form, "guest": isinstance(form, GuestRequestForm)}
    return render(request, "portal/new.html", context, status=status or (400 if form.errors else 200))


@require_safe
def guest_sent(request: HttpRequest) -> HttpResponse:
    """What happens next. The same for every address."""
    return render(request, "portal/guest_sent.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the mail: looking changes nothing, because mail scanners look at every link; the button does."""
    if request.method == "POST":
        raw = guests.confirm(token)
        done = raw is not None or transcripts.confirm(token)
        context = {"ticket": raw.ticket if raw else None, "done": done, "chat": raw is None}
        return render(request, "portal/guest_confirmed.html", context, status=200 if done else 410)
    chat = chat_addresses.waiting(token) is not None
    waits = chat or guests.waiting(token) is not None
    return render(request, "portal/guest_confirm.html", {"waits": waits, "chat": chat}, status=200 if waits else 410)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it."""
    response = HttpResponseRedirect(safe_next(request.POST.get("next", ""), reverse("portal:start")))
    chosen = request.POST.get("theme", "")
    if chosen in ("light", "dark"):
        year = 365 * 24 * 3600
        response.set_cookie("theme", chosen, max_age=year, httponly=True, samesite="Lax", secure=settings.HTTPS)
    elif chosen == "system":
        response.delete_cookie("theme", samesite="Lax")
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """The language of this browser, and of the mails to whoever is signed in."""
    chosen = request.POST.get("language", "")
    response = set_language(request)
    response["Location"] = safe_next(request.POST.get("next", ""), reverse("portal:start"))
    if access.is_person(request.user) and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return response
