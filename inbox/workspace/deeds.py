"""What a click changes. Every deed is a service of the package that owns it; here are only its door and its answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.customers.models import Tag
from crm.organisation.models import User
from crm.service import access as ticket_access
from crm.service import services
from crm.service.changes import TicketMerged
from crm.service.models import NUMBER_OFFSET, Ticket, TicketMerge
from inbox import search
from inbox.models import Delivery, Message
from inbox.services import deliveries, macros, merging
from inbox.workspace import conversation
from inbox.workspace.access import AgentRequest, desk, key_in, ticket_or_404, visible
from inbox.workspace.duty import posts
from inbox.workspace.tickets import changes
from routing.engine import RuleInvalid
from routing.models import Macro, Queue


class Refused(ValueError):
    """The deed cannot be done; the message says why, to the person who asked."""


def number_in(text: str, most: int = 17) -> int:
    """A whole number out of a form. Raises Refused."""
    if not (text.isascii() and text.isdigit() and len(text) <= most):
        raise Refused(_("That is not a number."))
    return int(text)


def _status(ticket: Ticket, value: str, by: User) -> None:
    services.set_status(ticket, value, by=by)


def _priority(ticket: Ticket, value: str, by: User) -> None:
    services.set_priority(ticket, number_in(value), by=by)


def _assign(ticket: Ticket, value: str, by: User) -> None:
    if value in ("", "none"):
        services.assign(ticket, None, by=by)
        return
    user = by if value == "me" else User.objects.filter(pk=number_in(value), is_active=True).first()
    if user is None or not (user == by or ticket_access.may_be_assigned(user, ticket)):
        raise Refused(_("This colleague does not work the queue of the ticket."))
    services.assign(ticket, user, by=by)


def _move(ticket: Ticket, value: str, by: User) -> None:
    queue = Queue.objects.filter(pk=number_in(value), active=True).first()
    if queue is None:
        raise Refused(_("There is no such queue."))
    services.move(ticket, queue, by=by)


def _tag(ticket: Ticket, value: str, by: User) -> None:
    names = [" ".join(name.split())[:60] for name in value.split(",")]
    services.tag(ticket, add=[name for name in names if name][:20], by=by)


def _untag(ticket: Ticket, value: str, by: User) -> None:
    services.tag(ticket, remove=[value], by=by)


def _snooze(ticket: Ticket, value: str, by: User) -> None:
    services.snooze(ticket, wake_time(value), by=by)


def _macro(ticket: Ticket, value: str, by: User) -> None:
    macro = Macro.objects.filter(pk=number_in(value), active=True).first()
    if macro is None:
        raise Refused(_("There is no such macro."))
    macros.run_macro(macro, ticket, by=by)


def _rename(ticket: Ticket, value: str, by: User) -> None:
    if not value.strip():
        raise Refused(_("A ticket needs a subject."))
    services.set_subject(ticket, value, by=by)
    search.read_again([ticket.pk])


def _merge(ticket: Ticket, value: str, by: User) -> None:
    target = Ticket.objects.visible_to(by).numbered(value.strip().lstrip("#")).first()
    if target is None or target.pk == ticket.pk:
        raise Refused(_("There is no other ticket with this number."))
    if Ticket.Status.MERGED in (ticket.status, target.status):
        raise Refused(_("One of the two is merged already."))
    merging.merge(ticket, target, by=by)


DEEDS: dict[str, Callable[[Ticket, str, User], None]] = {
    "status": _status,
    "priority": _priority,
    "assign": _assign,
    "queue": _move,
    "tag": _tag,
    "untag": _untag,
    "snooze": _snooze,
    "macro": _macro,
    "subject": _rename,
    "merge": _merge,
}
"""What can be done to a ticket with one value; the only names that a URL may hold."""


def wake_time(value: str) -> datetime:
    """When a snoozed ticket comes back: one of the presets, or a local date and time. Raises Refused."""
    now = timezone.localtime()
    morning = now.replace(hour=9, minute=0, second=0, microsecond=0)
    presets = {
        "hour": now + timedelta(hours=1),
        "afternoon": now + timedelta(hours=3),
        "tomorrow": morning + timedelta(days=1),
        "monday": morning + timedelta(days=7 - now.weekday()),
        "week": morning + timedelta(days=7),
        "month": morning + timedelta(days=30),
    }
    try:
        until = presets.get(value) or timezone.make_aware(datetime.fromisoformat(value).replace(tzinfo=None))
    except ValueError as fault:
        raise Refused(_("That is not a date.")) from fault
    if not now < until < now + timedelta(days=366):
        raise Refused(_("Choose a time within the next year."))
    return until


def _seen(request: HttpRequest) -> int:
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def refuse(request: AgentRequest, fault: Exception) -> HttpResponse:
    """Say in words why it cannot be done (422); of a merged ticket also where it went, if the colleague may go there.

    Of a ticket that he may not see he is not told even the number (S-26).
    """
    if isinstance(fault, TicketMerged):
        target = visible(request).filter(pk=fault.into).first()
        text = str(fault) if target else _("This ticket was merged into another one.")
        response = render(request, "inbox/refused.html", {"text": text, "target": target}, status=422)
        if target:
            response.headers["X-Ticket"] = str(target.number)
        return response
    text = " ".join(getattr(fault, "messages", None) or [str(fault) or _("This cannot be done.")])
    return render(request, "inbox/refused.html", {"text": text}, status=422)


def answer(request: AgentRequest, ticket: Ticket, done: Callable[[], object]) -> HttpResponse:
    """Do it, and answer what changed; a refusal is said in words where the person is (status 422)."""
    try:
        done()
    except merging.MergeImpossible:
        text = _("This cannot be merged or taken apart: the ticket was merged further, or nothing would be left.")
        return render(request, "inbox/refused.html", {"text": text}, status=422)
    except (ValueError, RuleInvalid) as fault:
        return refuse(request, fault)
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(conversation.address(ticket))
    try:
        return changes(request, ticket_or_404(request, ticket.number), _seen(request))
    except Http404:
        return HttpResponse(status=204, headers={"X-Ticket": "gone"})


@desk("POST")
def do(request: AgentRequest, number: int, deed: str) -> HttpResponse:
    """One deed with one value."""
    ticket = ticket_or_404(request, number)
    act = DEEDS.get(deed)
    if act is None:
        raise Http404
    value = request.POST.get("value", "").replace("\x00", "")[:300]
    response = answer(request, ticket, lambda: act(ticket, value, request.user))
    if deed == "merge" and response.status_code == 200:
        target = Ticket.objects.visible_to(request.user).numbered(value.strip().lstrip("#")).get()
        response = HttpResponse(status=204)
        response.headers["X-Ticket"] = str(target.number)
        response.headers["X-Merge"] = str(ticket.merges_out.latest("id").pk)
    return response


@desk("POST")
def unmerge(request: AgentRequest, number: int, merge: int) -> HttpResponse:
    """Undo a merge into this ticket."""
    ticket = ticket_or_404(request, number)
    found = get_object_or_404(TicketMerge, pk=merge, target=ticket, undone_at=None)
    return answer(request, ticket, lambda: merging.undo_merge(found, by=request.user))


@desk("POST")
def split(request: AgentRequest, number: int) -> HttpResponse:
    """Make a ticket of its own of one message."""
    ticket = ticket_or_404(request, number)
    message = get_object_or_404(Message, ticket=ticket, pk=key_in(request.POST.get("message", "")))
    made: list[Ticket] = []
    response = answer(request, ticket, lambda: made.append(merging.split(ticket, [message], by=request.user)))
    if made:
        response.headers["X-Ticket"] = str(made[0].number)
    return response


@desk("POST")
def retry(request: AgentRequest, number: int, delivery: int) -> HttpResponse:
    """Send a failed or unclear delivery of this ticket again."""
    ticket = ticket_or_404(request, number)
    found = get_object_or_404(Delivery, pk=delivery, message__ticket=ticket)
    return answer(request, ticket, lambda: deliveries.retry(found, by=request.user))


@desk("POST")
def call_off(request: AgentRequest, number: int, delivery: int) -> HttpResponse:
    """Call a delivery of this ticket off, also where a fax server works on it."""
    ticket = ticket_or_404(request, number)
    found = get_object_or_404(Delivery, pk=delivery, message__ticket=ticket)

    def do() -> None:
        if not deliveries.cancel(found, by=request.user):
            raise Refused(_("It is too late: it has left already."))

    return answer(request, ticket, do)


@desk("GET")
def choices(request: AgentRequest, what: str) -> HttpResponse:
    """What can be chosen in a menu: colleagues, queues, macros, tags. `ticket` sorts the fitting ones first.

    `hand=over`: to whom it is given away, so neither to oneself nor to who has it.
    """
    number = request.GET.get("ticket", "")
    ticket = ticket_or_404(request, key_in(number)) if number else None
    rows: list[tuple[str, str, str]]
    match what:
        case "people":
            has_it = {request.user.pk, ticket.assignee_id} if ticket and request.GET.get("hand") else set()
            people = [post for post in posts(ticket) if post.user.pk not in has_it]
            return render(request, "inbox/choices.html", {"rows": people, "what": what})
        case "queues":
            rows = [(str(q.pk), q.name, "") for q in Queue.objects.filter(active=True)]
        case "macros":
            rows = [(str(m.pk), m.name, "") for m in Macro.objects.filter(active=True)]
        case "tags":
            rows = [(tag.name, tag.name, "") for tag in Tag.objects.order_by("name")[:500]]
        case _:
            raise Http404
    return render(request, "inbox/choices.html", {"rows": rows, "what": what, "ticket": ticket})


BULK = ("status", "priority", "assign", "queue", "tag", "snooze", "macro", "merge")
BULK_MOST = 100


@desk("POST")
def bulk(request: AgentRequest) -> HttpResponse:
    """One deed on several tickets, each in its own transaction; says how many could not be changed."""
    deed, value = request.POST.get("deed", ""), request.POST.get("value", "").replace("\x00", "")[:300]
    numbers = request.POST.getlist("ticket")[:BULK_MOST]
    if deed not in BULK or not all(n.isascii() and n.isdigit() and len(n) < 18 for n in numbers):
        raise Http404
    keys = {int(n) for n in numbers}
    visible = Ticket.objects.visible_to(request.user).select_related("queue")
    found = list(visible.filter(pk__in=[n - NUMBER_OFFSET for n in keys]))
    if len(found) != len(keys):
        raise Http404  # nothing is changed when one of them is not his
    refused: list[str] = []
    for ticket in found:
        try:
            DEEDS[deed](ticket, value, request.user)
        except (ValueError, RuleInvalid, PermissionDenied) as fault:
            refused.append(f"#{ticket.number}: {fault}")
    if not request.htmx:  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("inbox:list"))
    return render(request, "inbox/refused.html", {"text": " ".join(refused[:3])}, status=422 if refused else 200)
