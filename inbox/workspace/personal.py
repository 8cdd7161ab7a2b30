"""What colleagues keep for themselves: saved views and shortcuts."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.organisation import access
from inbox import queries
from inbox.models import SavedView
from inbox.workspace.access import AgentRequest, desk
from inbox.workspace.keys import SHORTCUTS, shortcuts_of
from inbox.workspace.lists import Listing


@desk("GET", "POST")
def shortcuts(request: AgentRequest) -> HttpResponse:
    """The sheet of shortcuts, and changing them."""
    refused = ""
    now = shortcuts_of(request.user.shortcuts)
    if request.method == "POST":
        given = {} if "reset" in request.POST else {name: request.POST.get(name, "").strip() for name in SHORTCUTS}
        now = shortcuts_of(given)
        if len(set(now.values())) == len(now):
            request.user.shortcuts = {name: key for name, key in now.items() if key != SHORTCUTS[name][0]}
            request.user.save(update_fields=["shortcuts"])
            return JsonResponse(now)
        refused = _("Two actions cannot have the same key.")
    rows = [(name, now[name], label) for name, (_key, label) in SHORTCUTS.items()]
    status = 422 if refused else 200
    return render(request, "inbox/shortcuts.html", {"rows": rows, "refused": refused}, status=status)


@desk("POST")
def save_view(request: AgentRequest) -> HttpResponse:
    """Keep the filter that is shown under a name; supervisors may share it with everybody."""
    name = " ".join(request.POST.get("name", "").split())[:80]
    if not name:
        return render(request, "inbox/refused.html", {"text": _("A view needs a name.")}, status=422)
    asked = QueryDict(request.POST.get("query", "")[:2000])
    shown = AgentRequest()
    shown.GET, shown.user = asked, request.user
    filters = Listing.of(shown).filters
    queries.narrow(queries.Ticket.objects.visible_to(request.user), filters, request.user)
    shared = request.POST.get("shared") == "1" and access.sees_all_tickets(request.user)
    view = SavedView.objects.create(name=name, user=None if shared else request.user, filters=filters)
    return HttpResponseRedirect(f"{reverse('inbox:list')}?view=saved-{view.pk}")


@desk("POST")
def delete_view(request: AgentRequest, pk: int) -> HttpResponse:
    """Forget a view: one's own, or as supervisor a shared one."""
    mine = Q(user=request.user)
    if access.sees_all_tickets(request.user):
        mine |= Q(user=None)
    get_object_or_404(SavedView.objects.filter(mine), pk=pk).delete()
    return HttpResponseRedirect(reverse("inbox:list"))
