"""Markup in every text that the database holds is text on every page (S-03, S-11, S-88's log of changes)."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from crm.customers.models import RefusedNumber, Region, Tag, TimelineEntry
from crm.marketing.models import CallListImport
from crm.organisation.models import Notification
from crm.service.models import Satisfaction, TicketEvent, TicketLink, TicketMerge
from inbox.models import Call, Conversation, Mention, SavedView, Visitor
from routing.models import RuleRun
from tests import factories
from tests.portal.test_access_matrix import addresses, entry_of, path_of

TRICK = "\"'><img src=x onerror=__xss=1>"
STRUCTURE = {
    # What is not text of people, but a key, a state or a place.
    "blob", "digest", "fingerprint", "lease_token", "kind", "state", "outcome", "what", "reference", "event", "origin",
    "language", "time_zone", "password", "url", "address", "value", "email", "subject:rulerun", "opens", "closes",
    "receiving_health", "sending_health", "mail_id", "purpose", "recipient", "duty", "holder", "words:keywordset", "key",
}  # fmt: skip


class Page(HTMLParser):
    """Finds the planted element, and script that runs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.shown = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("src") == "x" or any(name.startswith("on") for name in given):
            self.faults.append(f"<{tag} {attrs}>")
        if (given.get("href") or "").strip().lower().startswith(("javascript:", "data:text")):
            self.faults.append(f"<{tag} href={given['href']}>")
        self.shown = self.shown or any("onerror=__xss" in (value or "") for value in given.values())

    def handle_data(self, data: str) -> None:
        self.shown = self.shown or "onerror=__xss" in data


def looked_at(content: bytes) -> Page:
    page = Page()
    page.feed(content.decode("utf-8", "replace"))
    page.close()
    return page


def plant() -> int:
    """Put the trick into every text of every record of ours; how many fields that were."""
    planted = 0
    for model in apps.get_models():
        if model._meta.app_config.name.split(".")[0] not in ("core", "crm", "inbox", "routing"):
            continue
        names = [
            field
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
            and not field.choices
            and field.name not in STRUCTURE
            and f"{field.name}:{model._meta.model_name}" not in STRUCTURE
        ]
        for row in model._base_manager.all():
            for field in names:
                unique = f"{row.pk}" if field.unique or model._meta.total_unique_constraints else ""
                text = f"{unique}{TRICK}"[: field.max_length]
                if field.max_length is None or field.max_length > 40:
                    model._base_manager.filter(pk=row.pk).update(**{field.name: text})
                    planted += 1
    return planted


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    """One record of each kind."""
    queue = factories.QueueFactory(name="Support")
    people = {
        role: factories.StaffFactory(email=f"{role}@guichet.test", role=role) for role in ("administrator", "agent")
    }
    factories.QueueMemberFactory(queue=queue, user=people["agent"])
    user = factories.UserFactory(email="anna@customer.test", language="en")
    people["customer"] = user
    company = factories.CustomerFactory(name="Company")
    contact = factories.ContactFactory(name="Anna", customer=company, user=user)
    factories.PointFactory(contact=contact, value="anna@customer.test", verified=True)
    other = factories.ContactFactory(name="Ben", customer=company)
    template = factories.TemplateFactory()
    channel = factories.ChannelFactory(queue=queue, acknowledge=template, aliases=["help@example.com"])
    factories.ChannelFactory(kind="webform", name="Form", address="", queue=queue, settings={"topics": TRICK})
    ticket = factories.TicketFactory(
        queue=queue, contact=contact, tags=["late"], status="resolved", participants=[other]
    )
    ticket.assignee = people["agent"]
    type(ticket).objects.filter(pk=ticket.pk).update(assignee=people["agent"])
    message = factories.MessageFactory(
        ticket=ticket, contact=contact, html="<p>x</p>", automatic="header", unverified=True
    )
    type(message).objects.filter(pk=message.pk).update(
        to=[["a@x.test", TRICK]], cc=[[TRICK, TRICK]], facts={"errors": [TRICK], "topic": TRICK}
    )
    sent = factories.MessageFactory(ticket=ticket, kind="outbound", author=people["agent"])
    factories.MessageFactory(ticket=ticket, kind="note", author=people["agent"])
    attachment = factories.AttachmentFactory(message=message, name="a.txt", content=TRICK.encode())
    raw = factories.RawMessageFactory(channel=channel, state="dead", ticket=ticket, content=_raw_mail())
    TicketEvent.objects.bulk_create(
        TicketEvent(ticket=ticket, seq=90 + n, what=what, old=TRICK, new=TRICK, why=TRICK, actor_name=f"rule: {TRICK}")
        for n, what in enumerate(
            ("queue", "tags", "subject", "assignee", "status", "undelivered", "nonsense", "merged")
        )
    )
    claimed = factories.TicketFactory(queue=queue, contact=other)
    TicketLink.objects.create(ticket=ticket, other=claimed, kind=TicketLink.Kind.UNVERIFIED)
    source = factories.TicketFactory(queue=queue, contact=other, status="merged", merged_into=ticket)
    merge = TicketMerge.objects.create(
        source=source, target=ticket, moved={"messages": [], "status": "open", "participants": []}
    )
    Satisfaction.objects.create(ticket=ticket, contact=contact, score=3, comment=TRICK)
    TimelineEntry.objects.create(contact=contact, kind="message.in", title=TRICK, reference=f"ticket:{ticket.pk}")
    RuleRun.objects.create(
        event="message.received",
        subject=f"ticket:{ticket.pk}",
        matched=[{"rule": 1, "name": TRICK, "because": [["subject", "contains", TRICK, [TRICK]]], "did": [TRICK]}],
        errors=[{"rule": 1, "name": TRICK, "error": TRICK}],
    )
    Mention.objects.create(ticket=ticket, user=people["agent"], message=sent)
    rule = factories.RuleFactory(
        conditions={"match": "all", "items": [{"fact": "subject", "operator": "contains", "value": TRICK}]},
        actions=[{"action": "add_note", "text": TRICK}, {"action": "add_tags", "tags": [TRICK]}],
    )
    lists = factories.CallListFactory(queue=queue)
    site = factories.ChannelFactory(kind="chat", name="Website", address="", queue=queue)
    chat = factories.TicketFactory(queue=queue, origin="chat")
    visitor = Visitor.objects.create(channel=site, contact=chat.contact, attributes={TRICK: TRICK})
    Conversation.objects.create(visitor=visitor, ticket=chat)
    factories.MessageFactory(ticket=chat, contact=chat.contact, channel=site, from_address=visitor.address)
    line = factories.ChannelFactory(kind="fax", name="Fax", address="+49404321560", queue=queue)
    fax = factories.MessageFactory(ticket=ticket, contact=contact, channel=line)
    phone = factories.ChannelFactory(kind="phone", name="Phone", address="", queue=queue)
    factories.MessageFactory(ticket=ticket, contact=contact, channel=phone, kind="call")
    return {
        "people": people,
        "chat_number": chat.number,
        "fax_message": fax.pk,
        "fax_page": factories.FaxPageFactory(document__message=fax).pk,
        "phone": phone.pk,
        "call": Call.objects.create(channel=phone, call_id="1", queue=queue, contact=contact).pk,
        "webhook": factories.WebhookFactory().pk,
        "task": factories.TaskFactory(queue=queue, contact=contact).pk,
        "appointment": factories.AppointmentFactory(queue=queue, contact=contact).pk,
        "call_list": lists.pk,
        "call_entry": factories.CallListEntryFactory(call_list=lists, contact=contact).pk,
        "call_import": CallListImport.objects.create(call_list=lists, name="people.csv").pk,
        "call_state": "paused",
        "call_script": factories.CallScriptFactory().pk,
        "refused_number": RefusedNumber.objects.create(number="+49301111111").pk,
        "ticket": ticket.pk,
        "ticket_number": ticket.number,
        "message": message.pk,
        "attachment": attachment.pk,
        "customer": company.pk,
        "contact": contact.pk,
        "region": Region.objects.create(name="North").pk,
        "tag": Tag.objects.get().pk,
        "queue": queue.pk,
        "hours": factories.BusinessHoursFactory().pk,
        "sla": factories.SLAPolicyFactory().pk,
        "rule": rule.pk,
        "macro": factories.MacroFactory(actions=[{"action": "add_note", "text": TRICK}]).pk,
        "keywords": factories.KeywordSetFactory(words=TRICK).pk,
        "channel": channel.pk,
        "template": template.pk,
        "raw": raw.pk,
        "delivery": factories.DeliveryFactory(message=sent, channel=channel, state="failed", error=TRICK).pk,
        "colleague": people["agent"].pk,
        "department": factories.DepartmentFactory().pk,
        "notification": Notification.objects.create(user=people["agent"], text=TRICK).pk,
        "view": SavedView.objects.create(user=None, name="Shared").pk,
        "merge": merge.pk,
        "zero": 0,
        "nonsense": "nonsense-0",
        "what": "tags",
        "deed": "tag",
        "purpose": "canned",
        "language": "en",
    }


def _raw_mail() -> bytes:
    head = f"From: {TRICK} <anna@customer.test>\r\nTo: a@x.test\r\nSubject: {TRICK}\r\nX-Odd: {TRICK}\r\n"
    return (head + f"Message-ID: <{TRICK}@x>\r\nIn-Reply-To: <{TRICK}@y>\r\n\r\n{TRICK}\r\n").encode()


def enter(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="crm.organisation.backends.PasswordBackend")
    return client


SHOWS = {
    "administrator": {
        "inbox:list", "inbox:rows", "inbox:panes", "inbox:ticket", "inbox:after", "inbox:about", "inbox:why", "inbox:choices",
        "inbox:look", "customers:index", "customers:record", "customers:edit", "contacts:index", "contacts:record",
        "contacts:edit", "regions:index", "tags:index", "routing_rules:index", "routing_rules:edit", "routing_queues:index",
        "routing_queues:edit", "routing_hours:index", "routing_sla:index", "routing_macros:index", "routing_keywords:index",
        "channels:index", "channels:record", "templates:index", "templates:edit", "journal:index", "journal:record",
        "deliveries:index", "deliveries:record", "people:index", "departments:index", "customer_picker:find",
        "contact_picker:find", "tickets:index", "desk_start",
    },
    "agent": {"inbox:ticket", "inbox:find", "inbox:people", "inbox:texts", "notifications:index", "customers:record"},
    "customer": {"portal:start", "portal:tickets", "portal:ticket", "portal:new", "portal:profile"},
}  # fmt: skip
"""Pages on which the planted texts must be seen, or the walk has missed them."""


def fits(who: str, name: str) -> bool:
    """Whether this person opens this address here; Wagtail's and allauth's own pages show no text of ours."""
    own = {"agent": ("inbox:", "tickets:", "notifications:", "customers:record"), "customer": ("portal:",)}
    others = ("wagtail", "account_", "mfa_", "-", "desk_closed", "healthz", "readyz", "metrics", "usercontent")
    return name.startswith(own[who]) if who in own else not name.startswith(others)


def queries(name: str) -> tuple[str, ...]:
    if name in ("inbox:list", "inbox:rows", "inbox:panes"):
        return "", "?view=all", f"?q={TRICK}"
    if name.endswith("picker:find"):
        return ("?q=onerror",)
    if name in ("inbox:find", "inbox:people", "inbox:choices"):
        return "", "?q=onerror"
    return ("", f"?q={TRICK}") if name.endswith(":index") or name == "portal:tickets" else ("",)


def test_the_oracle_sees_what_runs() -> None:
    assert looked_at(f'<p title="{TRICK}">'.encode()).faults
    assert looked_at(f"<p>{TRICK}</p>".encode()).faults
    assert looked_at(b"<a href=' javascript:x'>").faults
    safe = looked_at(b"<p title='onerror=__xss'>&lt;img src=x onerror=__xss=1&gt;</p>")
    assert (safe.faults, safe.shown) == ([], True)


@pytest.mark.parametrize("who", SHOWS)
def test_planted_markup_is_text_everywhere(who: str, world: dict[str, Any], settings: Any) -> None:
    assert plant() > 60
    settings.ZEAL_RAISE = False  # many rows of everything are not what is looked at here
    client = enter(world["people"][who])
    faults, shown = [], set()
    for name, route in addresses():
        entry = entry_of(name)
        if entry is None or not fits(who, name):
            continue
        path = path_of(route, {**entry, **({"merge": "merge"} if "merge" in route else {})}, world)
        for query in queries(name):
            response = client.get(path + query)
            if response.status_code >= 500:
                faults.append(f"{name} {path}{query} → {response.status_code}")
            kind = response.get("Content-Type", "")
            if response.streaming or response.status_code in (301, 302, 404, 405):
                for close in response._resource_closers:
                    close()
                continue
            if kind.startswith("text/html"):
                page = looked_at(response.content)
                faults += [f"{name} {path}{query}: {fault}" for fault in page.faults]
                found = page.shown
            else:
                assert response["X-Content-Type-Options"] == "nosniff", name
                found = b"onerror=__xss" in response.content
            shown |= {name} if found else set()
    assert "\n".join(faults) == ""
    assert SHOWS[who] - shown == set()


def test_messages_after_saving_show_names_as_text(world: dict[str, Any]) -> None:
    """Wagtail's messages took markup as it came (CVE-2026-28223)."""
    client = enter(world["people"]["administrator"])
    told = 0
    for address, data in (
        ("tags", {"name": TRICK}),
        ("regions", {"name": TRICK}),
        ("departments", {"name": TRICK}),
        ("sla", {"name": TRICK, "first_answer_0": "1", "first_answer_1": "60"}),
        ("keywords", {"name": TRICK, "words": TRICK, "purpose": "intent"}),
    ):
        response = client.post(f"/desk/{address}/new/", data, follow=True)
        page = looked_at(response.content)
        assert (response.status_code, page.faults, page.shown) == (200, [], True), address
        told += bool(response.redirect_chain)
    assert told >= 3
