"""Answering, noting and writing to somebody new."""

from __future__ import annotations

import re
import secrets
from functools import partial

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from core import merge_fields
from core.limits import hit
from crm.organisation.models import User
from crm.service.models import Ticket
from inbox import queries
from inbox.models import Template
from inbox.services import replies
from inbox.services.submissions import once
from inbox.workspace import conversation, ways
from inbox.workspace.access import AgentRequest, desk, ticket_or_404
from inbox.workspace.deeds import Refused, _seen, refuse
from inbox.workspace.duty import colleagues
from inbox.workspace.tickets import ANSWERED_AS, changes

File = tuple[str, str, bytes]
TEXT_MOST = 200_000
FILES_MOST = 20
FILES_BYTES = 25 * 1024 * 1024
"""Together; more than most mail servers take."""
COPIES_MOST = 20
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)


def files_sent(request: AgentRequest) -> list[File]:
    """The files that stand in the composer. Raises Refused when they are too many or too large."""
    uploads = request.FILES.getlist("files")
    if len(uploads) > FILES_MOST or sum(upload.size or 0 for upload in uploads) > FILES_BYTES:
        raise Refused(_("At most %(count)d files, together 25 MB.") % {"count": FILES_MOST})
    return [(str(u.name), str(u.content_type or ""), u.read()) for u in uploads]


def _copies(text: str) -> list[str]:
    """Addresses set apart by commas, semicolons or spaces. Raises Refused for too many (S-52)."""
    found = list(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))
    if len(found) > COPIES_MOST:
        raise Refused(_("At most %(count)d recipients.") % {"count": COPIES_MOST})
    return found


def text_sent(request: AgentRequest) -> str:
    """What was written. Raises Refused for nothing, or too much."""
    text = request.POST.get("text", "").replace("\x00", "").replace("\r\n", "\n")
    if not text.strip():
        raise Refused(_("There is nothing to send yet."))
    if len(text) > TEXT_MOST:
        raise Refused(_("This is too long to be sent."))
    return text


def client_id(request: AgentRequest) -> str:
    """The browser's own id of what it sends; empty when it gives none."""
    given = request.POST.get("client_id", "")
    return given if _CLIENT_ID.fullmatch(given) else ""


@desk("POST")
def reply(request: AgentRequest, number: int) -> HttpResponse:
    """Send an answer. While there are messages that the page has not shown, it is held and they are shown (409)."""
    ticket = ticket_or_404(request, number)
    seen = _seen(request)
    status = request.POST.get("status", "")
    try:
        way = ways.asked_for(ticket, request.user, request.POST.get("channel", ""), request.POST.get("to", ""))
        answer = partial(
            replies.reply,
            ticket,
            author=request.user,
            text=text_sent(request),
            channel=way.channel if way else None,
            to=way.recipient if way else None,
            cc=_copies(request.POST.get("cc", "")),
            attached=files_sent(request),
            seen=seen,
            override=request.POST.get("override") == "1",
            status=status if status in ANSWERED_AS else None,
        )
        once(request.user, client_id(request), answer)
    except replies.UnseenMessages as held:
        response = changes(request, ticket_or_404(request, number), seen, unseen=len(held.messages))
        response.status_code = 409
        return response
    except (ValueError, ValidationError, replies.NoWayOut) as fault:
        return refuse(request, fault)
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(conversation.address(ticket))
    return changes(request, ticket_or_404(request, number), seen)


@desk("POST")
def note(request: AgentRequest, number: int) -> HttpResponse:
    """Keep an internal note; colleagues named in it with `@` are told."""
    ticket = ticket_or_404(request, number)
    try:
        text = text_sent(request)
        keys = {int(pk) for pk in request.POST.getlist("mention") if pk.isascii() and pk.isdigit() and len(pk) < 18}
        named = [user for user in colleagues() if user.pk in keys and f"@{user}" in text]
        files = files_sent(request)
        write = partial(replies.add_note, ticket, author=request.user, text=text, attached=files, mentions=named)
        once(request.user, client_id(request), write)
    except (ValueError, ValidationError, replies.NoWayOut) as fault:
        return refuse(request, fault)
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(conversation.address(ticket))
    return changes(request, ticket_or_404(request, number), _seen(request))


@desk("GET", "POST")
def compose(request: AgentRequest) -> HttpResponse:
    """A new ticket that begins with our message to somebody."""
    channels = ways.channels_of(request.user)
    # A page without scripts sends twice what is clicked twice.
    context = {"channels": channels, "asked": request.POST, "client_id": client_id(request) or secrets.token_hex(16)}
    if request.method == "GET":
        return render(request, "inbox/compose.html", {**context, "asked": request.GET})
    try:
        chosen = [c for c in channels if str(c.pk) == request.POST.get("channel", "")]
        if not chosen:
            raise Refused(_("Choose a channel to send it by."))
        subject = " ".join(request.POST.get("subject", "").split())
        if not subject:
            raise Refused(_("A ticket needs a subject."))
        write = partial(
            replies.open_outgoing,
            author=request.user,
            channel=chosen[0],
            to=request.POST.get("to", "").replace("\x00", "").strip()[: ways.TYPED_MOST],
            cc=_copies(request.POST.get("cc", "")),
            subject=subject[:200],
            text=text_sent(request),
            attached=files_sent(request),
        )
        message = once(request.user, client_id(request), write)
    except (ValueError, ValidationError, replies.NoWayOut) as fault:
        text = " ".join(getattr(fault, "messages", [str(fault)]))
        return render(request, "inbox/compose.html", {**context, "refused": text}, status=422)
    return HttpResponseRedirect(conversation.address(message.ticket))


def merge_values(ticket: Ticket, user: User) -> dict[str, str]:
    """What merge fields of canned texts stand for on this ticket."""
    return {
        "ticket.number": str(ticket.number),
        "ticket.subject": ticket.subject,
        "contact.name": ticket.contact.name,
        "contact.address": ticket.contact.address,
        "customer.name": ticket.customer.name if ticket.customer else "",
        "agent.name": str(user),
        "agent.signature": user.signature,
        "queue.name": ticket.queue.name,
    }


@desk("GET")
def texts(request: AgentRequest, number: int, purpose: str) -> HttpResponse:
    """Canned replies or text modules for this ticket, filled in, in the language of the contact where there is one."""
    ticket = ticket_or_404(request, number)
    if purpose not in (Template.Purpose.CANNED, Template.Purpose.MODULE):
        raise Http404
    asked = request.GET.get("q", "").casefold()[:60]
    values = merge_values(ticket, request.user)
    wanted = [ticket.language, ticket.contact.language, "en"]
    found = []
    for template in Template.objects.filter(purpose=purpose).prefetch_related("texts"):
        if asked and asked not in template.name.casefold() and asked not in template.shortcut.casefold():
            continue
        versions = {text.language: text for text in template.texts.all()}
        text = next((versions[code] for code in wanted if code in versions), next(iter(versions.values()), None))
        if text:
            body = merge_fields.render(text.body, values)
            found.append({"name": template.name, "shortcut": template.shortcut, "text": body})
    return JsonResponse({"items": found[:20]})


@desk("GET")
def people(request: AgentRequest) -> HttpResponse:
    """Colleagues whose name or address holds `q`."""
    asked = request.GET.get("q", "").casefold()[:60]
    found = [u for u in colleagues() if asked in str(u).casefold() or asked in u.email.casefold()]
    return JsonResponse({"items": [{"id": u.pk, "name": str(u), "email": u.email} for u in found[:10]]})


@desk("GET")
def find(request: AgentRequest) -> HttpResponse:
    """Tickets for the palette and the merge dialog, by number or words."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    if text and not hit(f"desk-find:{request.user.pk}", limit=240, seconds=60):
        return JsonResponse({"items": []}, status=429)
    tickets = Ticket.objects.visible_to(request.user)
    if number := queries.search.number_in(text):
        rows = queries.page(tickets.numbered(number), request.user, size=1).tickets
    else:
        narrowed = queries.narrow(tickets, {}, request.user)
        rows = queries.page(narrowed, request.user, text=text, size=8).tickets
    items = [
        {
            "number": t.number,
            "subject": conversation.on_one_line(t.subject) or _("(no subject)"),
            "contact": conversation.on_one_line(str(t.contact)),
            "status": t.get_status_display(),
            "url": conversation.address(t),
        }
        for t in rows
    ]
    return JsonResponse({"items": items})
