"""Pages of the person who is signed in: tickets, answers, files, account. Every view starts from what he may see."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from core import html, limits
from crm.customers import identity
from crm.customers.models import Contact
from crm.service import services
from crm.service.models import Satisfaction, Ticket
from inbox import downloads, usercontent
from inbox.models import Attachment, Message
from inbox.services import replies
from portal.my import queries
from portal.my.access import OwnRequest, signed_in
from portal.my.files import MEGABYTE, as_sent
from portal.my.forms import AnswerForm, ProfileForm, RatingForm
from portal.my.wording import SCORES

MESSAGES_AN_HOUR, FILES_AN_HOUR, MEGABYTES_A_DAY = 60, 60, 200
PICTURES_MOST = 200
"""Pictures inside one mail that its frame shows."""


def ticket_or_404(request: OwnRequest, number: int) -> Ticket:
    """The person's own ticket; somebody else's is as unknown as one that never was."""
    ticket = queries.numbered(request.user, number).select_related("contact").first()
    if ticket is None:
        raise Http404
    return ticket


@signed_in("GET")
def ticket_list(request: OwnRequest) -> HttpResponse:
    """My tickets, open or closed, or what a search finds in them."""
    closed, words = request.GET.get("state") == "closed", request.GET.get("q", "").strip()
    page = queries.page_of(request.user, closed=closed, words=words, before=request.GET.get("before", ""))
    context = {"page": page, "closed": closed, "words": words, "paged": bool(request.GET.get("before"))}
    return render(request, "portal/my/tickets.html", context)


@signed_in("GET")
def ticket_page(request: OwnRequest, number: int) -> HttpResponse:
    """One ticket with its conversation; of a merged one the way to where it went."""
    if moved := queries.merged_into(request.user, number):
        return redirect("portal:ticket", number=moved.number)
    return _show(request, ticket_or_404(request, number))


def _show(
    request: OwnRequest,
    ticket: Ticket,
    answer: AnswerForm | None = None,
    rating: RatingForm | None = None,
    status: int = 0,
) -> HttpResponse:
    said, given = queries.conversation(ticket), Satisfaction.objects.filter(ticket=ticket).first()
    wrong = bool((answer and answer.errors) or (rating and rating.errors))
    context = {
        "ticket": ticket,
        "conversation": said[-queries.LONGEST :],
        "shortened": len(said) > queries.LONGEST,
        "longest": queries.LONGEST,
        "me": Contact.objects.filter(user=request.user).first(),
        "answer": answer or AnswerForm(),
        "rating": rating or RatingForm(initial={"comment": given.comment} if given else None),
        "given": given,
        "scores": SCORES,
        "crumbs": [{"label": _("My tickets"), "url": "/my/tickets/"}, {"label": f"#{ticket.number}"}],
    }
    return render(request, "portal/my/ticket.html", context, status=status or (400 if wrong else 200))


@signed_in("POST")
def answer(request: OwnRequest, number: int) -> HttpResponse:
    """Add a message to the ticket; a finished ticket opens again by it, and of a merged one it goes where that went."""
    ticket = queries.merged_into(request.user, number) or ticket_or_404(request, number)
    form = AnswerForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, ticket, answer=form)
    if why := too_much(request, form.cleaned_data["files"]):
        form.add_error(None, why)
        return _show(request, ticket, answer=form, status=429)
    contact = contact_of(request)
    if contact is None:
        raise Http404
    try:
        replies.customer_reply(
            ticket, user=request.user, text=form.cleaned_data["text"], attached=as_sent(form.cleaned_data["files"])
        )
    except replies.NoWayOut as error:
        form.add_error(None, str(error))
        return _show(request, ticket, answer=form)
    messages.success(request, _("Thank you. Your message has reached us."))
    return redirect("portal:ticket", number=ticket.number)


def contact_of(request: OwnRequest) -> Contact | None:
    """The contact of whoever is signed in; None while no address of his is proved (S-45)."""
    found = Contact.objects.filter(user=request.user).first()
    if (
        found is None
        and EmailAddress.objects.filter(user=request.user, email=request.user.email, verified=True).exists()
    ):
        return identity.claim_for_user(request.user, request.user.email)
    return found


def too_much(request: OwnRequest, files: list[UploadedFile]) -> str:
    """Why this person has to wait before he writes again; empty when he need not (S-22)."""
    who = request.user.pk
    megabytes = sum(-(-(file.size or 0) // MEGABYTE) for file in files)
    fits = limits.hit(f"portal-message:{who}", limit=MESSAGES_AN_HOUR, seconds=3600)
    if files:
        fits &= limits.hit(f"portal-files:{who}", limit=FILES_AN_HOUR, seconds=3600, amount=len(files))
        fits &= limits.hit(f"portal-megabytes:{who}", limit=MEGABYTES_A_DAY, seconds=24 * 3600, amount=megabytes)
    return "" if fits else _("You sent a lot in a short time. Please try again later.")


@signed_in("POST")
def close(request: OwnRequest, number: int) -> HttpResponse:
    """The customer is done with it."""
    ticket = ticket_or_404(request, number)
    if not ticket.is_finished:
        services.close(ticket, by=request.user)
        messages.success(request, _("The ticket is closed. You can open it again at any time."))
    return redirect("portal:ticket", number=ticket.number)


@signed_in("POST")
def reopen(request: OwnRequest, number: int) -> HttpResponse:
    """It is not done after all."""
    ticket = ticket_or_404(request, number)
    if ticket.is_finished:
        services.reopen(ticket, by=request.user)
        messages.success(request, _("The ticket is open again. We will look at it."))
    return redirect("portal:ticket", number=ticket.number)


@signed_in("POST")
def rate(request: OwnRequest, number: int) -> HttpResponse:
    """Say how the answer was; a later rating replaces the earlier one."""
    ticket = ticket_or_404(request, number)
    contact = contact_of(request)
    if contact is None or not ticket.is_finished:
        raise Http404
    form = RatingForm(request.POST)
    if not form.is_valid():
        return _show(request, ticket, rating=form)
    services.rate(ticket, contact, form.cleaned_data["score"], form.cleaned_data["comment"])
    messages.success(request, _("Thank you for your rating."))
    return redirect("portal:ticket", number=ticket.number)


@signed_in("GET")
def attachment(request: OwnRequest, key: int) -> HttpResponse:
    """A file of a ticket, always as a download (S-16)."""
    mine = Attachment.objects.visible_to(request.user).filter(message__ticket__in=queries.tickets_of(request.user))
    found = mine.filter(pk=key, message__kind__in=Message.PUBLIC, message__hidden=False).first()
    if found is None:
        raise Http404
    if settings.USERCONTENT_URL:
        return redirect(usercontent.file_of(found, request.user))
    try:
        return downloads.download(found)
    except FileNotFoundError as error:
        raise Http404 from error


@signed_in("GET")
def original(request: OwnRequest, key: int) -> HttpResponse:
    """A mail as it was written, cleaned, for a frame that may neither run nor ask anybody for anything (S-01, S-07).

    With `pictures=1` those from elsewhere are fetched by us: the reader asked for them.
    """
    message = queries.message_for(request.user, key)
    if message is None:
        raise Http404
    own = {
        file.content_id.strip("<> "): usercontent.picture_of(file, request.user)
        for file in message.attachments.exclude(content_id="")[:PICTURES_MOST]
    }
    wanted = request.GET.get("pictures") == "1"

    def fetched(url: str) -> str:
        return usercontent.remote_picture(url, message, request.user)

    text = message.text or message.reply_text
    body = html.clean(message.html, own, fetched if wanted else "block") if message.html else html.linkify(text)
    response = render(request, "portal/my/original.html", {"body": body, "message": message})
    source = settings.USERCONTENT_URL or "'self'"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src {source}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    response._csp_exempt = True  # type: ignore[attr-defined]  # the policy of pages would replace the stricter one
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@signed_in("GET", "POST")
def profile(request: OwnRequest) -> HttpResponse:
    """Name, language and time zone."""
    start = {"language": request.user.language or translation.get_language()}
    form = ProfileForm(request.POST or None, instance=request.user, initial=start)
    if request.method == "POST" and form.is_valid():
        form.save()
        translation.activate(request.user.language)
        messages.success(request, _("Your account was saved."))
        return redirect("portal:profile")
    return render(request, "portal/my/profile.html", {"form": form}, status=400 if form.errors else 200)
