"""Records of others, named in the body of a request, and fields that no form asks for (S-27, S-28, S-31, S-33).

Whatever is refused has changed nothing: the rows of all tables are compared.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import models
from django.http import QueryDict
from django.utils import timezone

from crm.customers.identity import link
from crm.customers.models import ContactPoint, Region, Tag
from crm.service.models import Satisfaction, Ticket, TicketMerge
from inbox.models import Channel, Message, RawMessage, SavedView
from routing.models import Macro, Queue
from tests import factories
from tests.security.conftest import checksum, entered

# Bodies of requests


@pytest.fixture
def world(agent: Any, queue: Any, other_queue: Any, channel: Channel, ticket: Ticket) -> dict[str, Any]:
    """`ticket` is the agent's; what `foreign…` names is of another team."""
    clerk = factories.StaffFactory(role="agent", name="Clerk")
    factories.QueueMemberFactory(queue=other_queue, user=clerk)
    foreign = factories.TicketFactory(queue=other_queue, subject="Foreign")
    message = factories.MessageFactory(ticket=foreign)
    sent = factories.MessageFactory(ticket=foreign, kind="outbound", author=clerk)
    elsewhere = factories.ChannelFactory(name="Accounting", address="money@example.com", queue=other_queue)
    source = factories.TicketFactory(queue=other_queue, status="merged", merged_into=foreign)
    moved = {"messages": [message.pk], "status": "open", "participants": []}
    return {
        "own": ticket.number,
        "foreign": foreign.number,
        "foreign_pk": foreign.pk,
        "message": message.pk,
        "own_message": ticket.messages.get().pk,
        "delivery": factories.DeliveryFactory(message=sent, channel=elsewhere, state="failed").pk,
        "merge": TicketMerge.objects.create(source=source, target=foreign, moved=moved).pk,
        "channel": elsewhere.pk,
        "clerk": clerk.pk,
        "customer": factories.UserFactory().pk,
        "marketer": factories.StaffFactory(role="marketer").pk,
        "gone": factories.StaffFactory(role="agent", is_active=False).pk,
        "queue": Queue.objects.create(name="Closed down", active=False).pk,
        "macro": Macro.objects.create(name="Off", actions=[], active=False).pk,
        "view": SavedView.objects.create(user=clerk, name="Of the clerk").pk,
    }


BODIES = [
    *[("{own}/do/merge/", {"value": value}) for value in ("{foreign}", "#{foreign}", "{own}", "0", "-1", "9" * 40, "x")],
    *[("{own}/do/assign/", {"value": who}) for who in ("{clerk}", "{customer}", "{marketer}", "{gone}")],
    *[("{own}/do/assign/", {"value": value}) for value in ("0", "-1", "1 OR 1=1", "9" * 18, "١")],
    *[("{own}/do/queue/", {"value": value}) for value in ("{queue}", "0", "99999999", "x")],
    *[("{own}/do/macro/", {"value": value}) for value in ("{macro}", "0", "x")],
    *[("{own}/do/status/", {"value": value}) for value in ("merged", "", "NEW", "snoozed", "x" * 300)],
    *[("{own}/do/priority/", {"value": value}) for value in ("0", "5", "-1", "1e1", "2.0", "")],
    *[("{own}/do/snooze/", {"value": value}) for value in ("", "x", "1970-01-01", "9999-12-31", "2026-13-01T00:00")],
    ("{own}/do/nothing/", {"value": "1"}),
    ("{own}/do/delete/", {"value": "1"}),
    ("{own}/split/", {"message": "{message}"}),
    ("{own}/split/", {"message": "{own_message}"}),
    ("{own}/split/", {"message": "0"}),
    ("{own}/unmerge/{merge}/", {}),
    ("{own}/retry/{delivery}/", {}),
    ("{foreign}/retry/{delivery}/", {}),
    ("{own}/call-off/{delivery}/", {}),
    ("{foreign}/call-off/{delivery}/", {}),
    ("{foreign}/unmerge/{merge}/", {}),
    ("{foreign}/reply/", {"text": "Hi", "seen": "99"}),
    ("{foreign}/note/", {"text": "Hi"}),
    ("{own}/reply/", {"text": " \n", "seen": "99", "status": "closed"}),
    ("new/", {"channel": "{channel}", "to": "a@x.test", "subject": "Hi", "text": "Hi"}),
    ("new/", {"channel": "0", "to": "a@x.test", "subject": "Hi", "text": "Hi"}),
    ("bulk/", {"deed": "status", "value": "closed", "ticket": ["{own}", "{foreign}"]}),
    ("bulk/", {"deed": "merge", "value": "{own}", "ticket": ["{foreign}"]}),
    ("bulk/", {"deed": "merge", "value": "{foreign}", "ticket": ["{own}"]}),
    ("bulk/", {"deed": "assign", "value": "{clerk}", "ticket": ["{own}"]}),
    ("bulk/", {"deed": "subject", "value": "x", "ticket": ["{own}"]}),
    ("bulk/", {"deed": "__class__", "value": "x", "ticket": ["{own}"]}),
    ("bulk/", {"deed": "status", "value": "closed", "ticket": ["{own}", "x"]}),
    ("views/{view}/delete/", {}),
    ("views/", {"name": "Mine", "query": "nonsense__regex=.*"}),
    ("views/", {"name": "Mine", "query": "queue=x"}),
    ("views/", {"name": "Mine", "query": "order=-(select 1)"}),
    ("views/", {"name": " ", "query": ""}),
    ("shortcuts/", {"reply": "a", "note": "a"}),
]  # fmt: skip


def filled(value: Any, world: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [filled(each, world) for each in value]
    return value.format(**world)


def test_a_refused_body_changes_no_row(world: dict[str, Any], agent: Any) -> None:
    client = entered(agent)
    before = checksum()
    wrong = []
    for path, body in BODIES:
        sent = {name: filled(value, world) for name, value in body.items()}
        for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
            answer = client.post("/desk/inbox/" + path.format(**world), sent, **headers)
            # Without htmx a bulk deed leads back to the list whatever was refused.
            if answer.status_code not in (400, 404, 422) and not (path == "bulk/" and not headers):
                wrong.append(f"{path} {body} → {answer.status_code}")
    assert "\n".join(wrong) == ""
    assert {table for table, now in checksum().items() if before[table] != now} == set()


def test_a_form_takes_nothing_it_does_not_ask_for(world: dict[str, Any], agent: Any) -> None:
    """The agent's answer and note are his own, now, here, and of their kind, whatever else the body says."""
    client = entered(agent)
    forged = {
        "author": world["clerk"], "author_id": world["clerk"], "kind": "inbound", "ticket": world["foreign_pk"],
        "ticket_id": world["foreign_pk"], "hidden": "1", "automatic": "answer", "seq": "1",
        "at": "1999-01-01", "mail_id": "forged@x.test", "from_address": "boss@x.test", "from_name": "Boss", "contact": "1",
        "attachment_ids": world["message"], "attached": world["message"], "unverified": "1", "id": world["message"],
        "pk": world["message"], "subject": "Forged", "mention": [world["customer"], world["clerk"]],
    }  # fmt: skip
    for address, kind in (("reply", "outbound"), ("note", "note")):
        assert (
            client.post(f"/desk/inbox/{world['own']}/{address}/", {**forged, "text": "Hi", "seen": "99"}).status_code
            == 302
        )
        made = Message.objects.latest("id")
        assert (made.kind, made.ticket.number, made.author, made.hidden) == (kind, world["own"], agent, False)
        assert (made.automatic, made.unverified, made.from_address, made.contact) == ("", False, "", None)
        assert (made.from_name, made.attachments.count()) == (str(agent), 0)
        assert abs((timezone.now() - made.at).total_seconds()) < 60
        assert made.mail_id != "forged@x.test" and made.seq > 1
    before = Message.objects.count()
    way = {"channel": world["channel"], "to": "anna@customer.test", "text": "Hi", "seen": "99"}
    assert client.post(f"/desk/inbox/{world['own']}/reply/", way).status_code == 404
    assert Message.objects.count() == before


def test_a_customer_sets_nothing_but_his_words(anna: Any, world: dict[str, Any], queue: Any) -> None:
    factories.ChannelFactory(name="Form", kind="webform", address="", queue=queue)
    mine = factories.TicketFactory(queue=queue, contact=anna.contact, status="resolved")
    client = entered(anna)
    forged = {
        "ticket": world["foreign_pk"], "number": world["foreign"], "contact": world["clerk"], "user": world["clerk"],
        "author": world["clerk"], "kind": "note", "internal": "1", "hidden": "1", "queue": world["queue"], "priority": "4",
        "status": "closed", "assignee": world["clerk"], "source": "agent", "facts": '{"ticket": 1}', "name": "Boss",
        "email": "boss@x.test", "created_at": "1999-01-01", "tags": "vip", "is_staff": "1", "state": "done", "id": "1",
    }  # fmt: skip
    foreign = list(Ticket.objects.filter(number_is(world["foreign"])).values())
    assert client.post(f"/my/tickets/{mine.number}/answer/", {**forged, "text": "Thanks"}).status_code == 302
    said = Message.objects.latest("id")
    assert (said.ticket, said.kind, said.contact, said.author, said.hidden) == (
        mine,
        "inbound",
        anna.contact,
        None,
        False,
    )
    assert client.post("/contact/", {**forged, "subject": "New", "text": "New"}).status_code == 302
    opened = Ticket.objects.latest("id")
    assert (opened.contact, opened.queue, opened.priority, opened.assignee) == (anna.contact, queue, 2, None)
    assert (opened.subject, opened.origin, list(opened.tags.all())) == ("New", "webform", [])
    assert RawMessage.objects.filter(ticket=opened).get().facts.keys() == {"contact", "user"}
    client.post(f"/my/tickets/{mine.number}/close/")
    client.post(f"/my/tickets/{mine.number}/rate/", {**forged, "score": "5", "comment": "Good"})
    assert Satisfaction.objects.get(ticket=mine).contact == anna.contact
    assert list(Ticket.objects.filter(number_is(world["foreign"])).values()) == foreign


def number_is(number: int) -> models.Q:
    return models.Q(pk__in=Ticket.objects.numbered(number).values("pk"))


@pytest.mark.parametrize("score", ["0", "6", "-1", "x", "5.5", "", "99999999999999999999"])
def test_a_rating_is_one_to_five(score: str, anna: Any, queue: Any) -> None:
    mine = factories.TicketFactory(queue=queue, contact=anna.contact, status="resolved")
    client = entered(anna)
    before = checksum()
    assert client.post(f"/my/tickets/{mine.number}/rate/", {"score": score}).status_code == 400
    assert checksum() == before


# Forms of the staff screens


class Form(HTMLParser):
    """The values that a browser would send for the page's last form."""

    def __init__(self) -> None:
        super().__init__()
        self.values = QueryDict(mutable=True)
        self.names: set[str] = set()
        self._select, self._area, self._templates = "", "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type") or "text"
        self._templates += tag == "template"
        if self._templates:
            return
        if tag in ("input", "select", "textarea"):
            self.names.add(name)
        if tag == "form":
            self.values = QueryDict(mutable=True)
        elif tag == "input" and name and (kind not in ("checkbox", "radio", "submit", "file") or "checked" in given):
            self.values.appendlist(name, given.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given and self._select:
            self.values.appendlist(self._select, given.get("value") or "")
        elif tag == "textarea" and name:
            self._area = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"
        if tag in ("select", "textarea"):
            self._select = self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data


SCREENS = (
    "customers", "contacts", "regions", "tags", "rules", "queues", "hours", "sla", "macros", "keywords", "channels",
    "templates", "people", "departments",
)  # fmt: skip


MADE_OF_ROWS = {"rules": {"conditions", "actions", "idle_minutes"}, "macros": {"actions"}, "channels": {"settings"}}
"""What is put together of fields with other names."""


def record_of(screen: str, world: dict[str, Any]) -> models.Model:
    make = {
        "customers": lambda: factories.CustomerFactory(name="Company"),
        "contacts": lambda: factories.ContactFactory(name="Ben", email="ben@x.test"),
        "regions": lambda: Region.objects.create(name="North"),
        "tags": lambda: Tag.objects.create(name="late"),
        "rules": lambda: factories.RuleFactory(actions=[{"action": "add_tags", "tags": ["a"]}]),
        "queues": factories.QueueFactory,
        "hours": factories.BusinessHoursFactory,
        "sla": factories.SLAPolicyFactory,
        "macros": lambda: factories.MacroFactory(actions=[{"action": "add_tags", "tags": ["a"]}]),
        "keywords": factories.KeywordSetFactory,
        "channels": lambda: Channel.objects.get(pk=world["channel"]),
        "templates": factories.TemplateFactory,
        "people": lambda: factories.StaffFactory(role="agent", name="Nina"),
        "departments": factories.DepartmentFactory,
    }
    return make[screen]()


def forged(field: models.Field) -> str:
    """A value that would be taken if the form knew the field."""
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.ForeignKey | models.IntegerField | models.AutoField):
        return "1"
    if isinstance(field, models.DateTimeField):
        return "1999-01-01 00:00"
    return '{"forged": 1}' if isinstance(field, models.JSONField) else "forged"


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_saves_only_the_fields_it_shows(screen: str, world: dict[str, Any], administrator: Any) -> None:
    record = record_of(screen, world)
    client = entered(administrator)
    address = f"/desk/{screen}/edit/{record.pk}/"
    page = client.get(address)
    form = Form()
    form.feed(page.content.decode())
    assert page.status_code == 200 and len(form.values) > 1, address
    fields = [f for f in type(record)._meta.concrete_fields if not {f.name, f.attname} & form.names]
    sent = form.values.copy()
    for field in fields:
        sent[field.name] = sent[field.attname] = forged(field)
    sent["groups"], sent["user_permissions"], sent["is_superuser"], sent["password"] = "1", "1", "on", "forged"
    before = type(record)._base_manager.filter(pk=record.pk).values(*(f.attname for f in fields)).get()
    count = type(record)._base_manager.count()
    assert client.post(address, dict(sent.lists())).status_code == 302
    after = type(record)._base_manager.filter(pk=record.pk).values(*(f.attname for f in fields)).get()
    changed = {name for name in before if before[name] != after[name]} - {"changed_at", "updated_at", "revision"}
    made_of_rows = MADE_OF_ROWS.get(screen, set())
    assert changed - made_of_rows == set()
    assert "forged" not in str([after[name] for name in changed & made_of_rows])
    assert type(record)._base_manager.count() == count


def test_rows_of_another_record_are_not_taken_along(world: dict[str, Any], administrator: Any) -> None:
    """A child of another parent, named in the rows of a form, is neither changed nor deleted (S-28)."""
    mine = factories.ContactFactory(name="Ben", email="ben@x.test")
    victim = factories.PointFactory(value="victim@x.test", verified=True)
    client = entered(administrator)
    for more in ({"points-0-DELETE": "on"}, {"points-0-value": "evil@x.test"}, {"points-0-contact": str(mine.pk)}):
        form = Form()
        form.feed(client.get(f"/desk/contacts/edit/{mine.pk}/").content.decode())
        sent = form.values.copy()
        assert sent["points-INITIAL_FORMS"] == "1"
        sent["points-0-id"] = str(victim.pk)
        sent.update(more)
        client.post(f"/desk/contacts/edit/{mine.pk}/", dict(sent.lists()))
        now = ContactPoint.objects.get(pk=victim.pk)
        assert (now.value, now.contact_id, now.verified_at) == ("victim@x.test", victim.contact_id, victim.verified_at)


def test_a_link_of_another_contact_is_not_undone(world: dict[str, Any], supervisor: Any) -> None:
    kept, other = factories.ContactFactory(email="a@x.test"), factories.ContactFactory(email="b@x.test")
    record = link(kept, other, by=supervisor)
    mine = factories.ContactFactory(email="c@x.test")
    client = entered(supervisor)
    before = checksum()
    assert client.post(f"/desk/contacts/{mine.pk}/unlink/{record.pk}/").status_code == 404
    for value in ("0", "x", str(mine.pk), str(other.pk), "1' OR 1=1"):
        client.post(f"/desk/contacts/{mine.pk}/link/", {"other": value})
    assert checksum() == before


@pytest.mark.parametrize("role", ["supervisor", "agent", "marketer", "editor"])
def test_nobody_but_administrators_gives_rights(role: str, world: dict[str, Any], request: Any) -> None:
    """S-33: no screen, address or body by which somebody raises himself or others."""
    me = request.getfixturevalue(role)
    client = entered(me)
    grants = {
        "roles": "administrator",
        "is_superuser": "on",
        "is_staff": "on",
        "groups": "1",
        "name": "x",
        "email": me.email,
    }
    before = checksum()
    for path in (
        f"/desk/people/edit/{me.pk}/",
        "/desk/people/new/",
        f"/desk/people/delete/{world['clerk']}/",
        "/desk/users/add/",
        f"/desk/users/{me.pk}/",
        "/desk/groups/new/",
        "/desk/groups/edit/1/",
        "/desk/settings/",
        "/django-admin/",
        "/admin/",
        "/desk/bulk/organisation/user/assign_role/",
    ):
        assert client.post(path, grants).status_code in (302, 403, 404), path
    client.post("/desk/profile/", grants)
    client.post("/my/account/", {**grants, "language": "en"})
    me.refresh_from_db()
    assert (me.is_superuser, sorted(me.groups.values_list("name", flat=True))) == (False, [role])
    now = checksum()
    assert {table for table in before if before[table] != now[table]} <= {"organisation_user"}
