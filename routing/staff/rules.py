"""Screens of rules and macros."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.log_actions import log

from core import audit
from core.staff.forms import RecordForm, Section
from core.staff.views import StaffRequired, StaffView
from core.staff.viewsets import RecordAdd, RecordEdit, RecordViewSet
from routing import services
from routing.engine import RuleInvalid
from routing.models import Macro, Rule, RuleRun
from routing.staff.columns import ActionsColumn, active_column
from routing.staff.draft import Draft
from routing.staff.editing import DraftForm, Editing
from routing.staff.trying import try_rule
from routing.words import Labels, actions, conditions

PAGE = 50
FAILURES = 200
"""Failed runs that the list looks at."""


class RuleForm(DraftForm):
    """One rule: when, if, then."""

    sections: ClassVar = (Section("", ("name", "event", "active", "stop")),)
    in_editor = ("idle_minutes",)

    class Meta:
        model = Rule
        fields = ("name", "event", "idle_minutes", "active", "stop")
        widgets: ClassVar = {"idle_minutes": forms.NumberInput(attrs={"min": 1})}
        help_texts: ClassVar = {
            "event": gettext_lazy("A ticket is opened also when a colleague writes first; nobody is answered then."),
            "name": gettext_lazy("Colleagues see it on each ticket that the rule touched."),
            "idle_minutes": gettext_lazy("It runs once; new activity, or an answer, starts the time again."),
            "stop": gettext_lazy("When this rule matches, the rules below it are not asked."),
        }

    def clean(self) -> dict[str, Any]:
        """Say at its field what is missing."""
        said = self.cleaned_data
        if said.get("event") in Rule.AFTER and not (said.get("idle_minutes") or self.errors.get("idle_minutes")):
            self.add_error("idle_minutes", _("Say after how many minutes the rule runs."))
        return super().clean()

    @property
    def takes_time(self) -> bool:
        """Whether the rule has to say after how many minutes it runs."""
        return self.event in Rule.AFTER


class RuleList(StaffView):
    """The rules of one event, in the order in which they run."""

    permissions = ("routing.view_rule",)
    template_name = "routing/staff/rules.html"
    page_title = gettext_lazy("Rules")
    header_icon = "g-bolt"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The events with their counts, and one page of rules in words."""
        asked = self.request.GET.get("event", "")
        event = asked if asked in Rule.Event.values else Rule.Event.MESSAGE_RECEIVED.value
        counts = dict(Rule.objects.order_by().values_list("event").annotate(Count("pk")))
        page = Paginator(Rule.objects.filter(event=event), PAGE).get_page(self.request.GET.get("p"))
        labels, failures = Labels(), _failures()
        rules = [
            {
                "rule": rule,
                "number": page.start_index() + place,
                "conditions": conditions(rule.conditions, labels, minutes=rule.minutes),
                "actions": actions(rule.actions, labels),
                "fault": _fault(rule, labels) or ("" if rule.paused_because else failures.get(rule.pk, "")),
            }
            for place, rule in enumerate(page)
        ]
        return super().get_context_data(
            rules=rules,
            page=page,
            event=event,
            events=[(value, label, counts.get(value, 0)) for value, label in Rule.Event.choices],
            may_add=self.request.user.has_perm("routing.add_rule"),
            may_change=self.request.user.has_perm("routing.change_rule"),
            **kwargs,
        )


def _fault(rule: Rule, labels: Labels) -> str:
    """Why an active rule cannot do what it says, such as a queue that is gone."""
    if not rule.active:
        return ""
    draft = Draft.of(rule.conditions, rule.actions)
    draft.check(rule.event, labels=labels)
    return next(iter(draft.faults()), "")


def _failures() -> dict[int, str]:
    """What went wrong last with each rule since it was saved, in the newest failed runs of a week."""
    since = timezone.now() - timedelta(days=7)
    saved = dict(Rule.objects.values_list("pk", "updated_at"))
    found: dict[int, str] = {}
    for at, errors in RuleRun.objects.filter(failed=True).values_list("at", "errors")[:FAILURES]:
        for error in errors:
            pk = error.get("rule")
            if pk in saved and at >= max(saved[pk], since):
                found.setdefault(pk, _("It failed lately: %(error)s") % {"error": error.get("error", "")})
    return found


class RuleOrder(StaffRequired):
    """Moves a rule, or switches it on or off."""

    permissions = ("routing.change_rule",)
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Do what the pressed button says and go back to the list."""
        rule = self.visible_or_404(Rule, pk=pk)
        match request.POST.get("do"):
            case "up":
                services.move_rule(rule, -1)
            case "down":
                services.move_rule(rule, 1)
            case "off":
                services.switch_rule(rule, False)
                log(instance=rule, action="wagtail.edit", user=request.user, content_changed=True)
                audit.record("changed", by=request.user, about=f"rule {rule}", detail="off")
            case "on":
                try:
                    rule.full_clean()
                except ValidationError as fault:
                    messages.error(request, " ".join(fault.messages))
                else:
                    services.switch_rule(rule, True)
                    log(instance=rule, action="wagtail.edit", user=request.user, content_changed=True)
                    audit.record("changed", by=request.user, about=f"rule {rule}", detail="on")
        page = request.POST.get("p", "")
        paging = f"&p={page}" if page.isdecimal() else ""
        return redirect(f"{reverse('routing_rules:index')}?event={rule.event}{paging}#rule-{rule.pk}")


class _RuleEditing(Editing):
    def try_out(self, form: RuleForm, what: str) -> dict[str, Any]:
        """The newest cases, put to the rule as it stands in the form."""
        if what != "try":
            return {}
        rule = Rule(
            name=form["name"].value() or "",
            event=form.event,
            conditions=form.draft.stored_conditions(),
            actions=form.draft.stored_actions(),
            stop=True,  # so that a rule without actions can be tried too
        )
        minutes = str(form["idle_minutes"].value() or "")
        rule.idle_minutes = int(minutes) if minutes.isdecimal() and len(minutes) < 8 else None
        if not form.draft.check(form.event):
            return {"trial_fault": _("Finish the marked rows first.")}
        try:
            return {"trial": try_rule(rule, self.request.user)}  # type: ignore[attr-defined]
        except RuleInvalid as fault:
            return {"trial_fault": str(fault)}


class RuleAdd(_RuleEditing, RecordAdd):
    """The editor, empty."""

    def get_initial(self) -> dict[str, Any]:
        """The event of the list that one comes from."""
        event = self.request.GET.get("event", "")
        return {"event": event} if event in Rule.Event.values else {}


class RuleEdit(_RuleEditing, RecordEdit):
    """The editor."""


class RuleViewSet(RecordViewSet):
    """What happens by itself."""

    name = "routing_rules"
    url_prefix = "rules"
    model = Rule
    icon = "g-bolt"
    menu_label = gettext_lazy("Rules")
    menu_name = "rules"
    add_view_class = RuleAdd
    edit_view_class = RuleEdit
    create_template_name = edit_template_name = "routing/staff/rule_form.html"
    save_service = staticmethod(lambda form, by: services.save_rule(form.save(commit=False)))

    @property
    def index_view(self) -> Any:
        """The list in words."""
        return RuleList.as_view()

    @property
    def index_results_view(self) -> Any:
        """The same."""
        return RuleList.as_view()

    def get_form_class(self, for_update: bool = False) -> type[BaseModelForm[Any]]:
        """The same for new and known rules."""
        return RuleForm

    def url_after_save(self, record: Any) -> str:
        """The list of its event."""
        return f"{reverse('routing_rules:index')}?event={record.event}#rule-{record.pk}"

    def get_urlpatterns(self) -> list[URLPattern]:
        """With the buttons of the list; that has no separate results."""
        patterns = [pattern for pattern in super().get_urlpatterns() if pattern.name != "index_results"]
        return [*patterns, path("<int:pk>/order/", RuleOrder.as_view(), name="order")]


class MacroForm(DraftForm):
    """Several actions under one name."""

    macro = True
    sections: ClassVar = (Section("", ("name", "position", "active")),)

    class Meta:
        model = Macro
        fields = ("name", "position", "active")
        help_texts: ClassVar = {"position": gettext_lazy("Lower numbers come first in the menu of a ticket.")}


class MacroAdd(Editing, RecordAdd):
    """The form, empty."""


class MacroEdit(Editing, RecordEdit):
    """The form."""


class MacroViewSet(RecordViewSet):
    """Actions that a colleague starts with one click."""

    name = "routing_macros"
    url_prefix = "macros"
    model = Macro
    icon = "g-play"
    menu_label = gettext_lazy("Macros")
    menu_name = "macros"
    add_view_class = MacroAdd
    edit_view_class = MacroEdit
    create_template_name = edit_template_name = "routing/staff/macro_form.html"
    list_display: ClassVar = [
        "name",
        ActionsColumn("does", label=gettext_lazy("What it does")),
        active_column(),
    ]
    search_fields: ClassVar = ["name"]
    list_filter: ClassVar = ["active"]
    ordering: ClassVar = ["position", "name"]

    def get_form_class(self, for_update: bool = False) -> type[RecordForm]:
        """The same for new and known macros."""
        return MacroForm
