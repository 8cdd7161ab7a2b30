"""Every address of the site against everybody who may ask for it (S-26, S-27, S-29, S-33, S-35)."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import NoReverseMatch
from django.utils.regex_helper import normalize
from PIL import Image

from crm.customers.models import RefusedNumber, Region, Tag
from crm.marketing.models import CallListImport
from crm.organisation.models import Notification
from inbox.models import Call, Conversation, SavedView, Visitor
from tests import factories

MATRIX = tomllib.loads((Path(__file__).parent / "access_matrix.toml").read_text())
ACTORS = MATRIX["groups"]["everyone"]
VOLATILE = (
    "django_session",
    "core_hit",
    "core_auditentry",
    "core_lease",
    "wagtailcore_referenceindex",
    "sqlite_",
    "django_tasks",
)
"""Tables that a refused request may touch: sessions and limits. `django_tasks` holds housekeeping of Wagtail."""


def addresses(patterns: Any = None, spaces: tuple[str, ...] = (), route: str = "") -> Iterator[tuple[str, str]]:
    """Name and route of every address that the resolver knows."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            below = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from addresses(entry.url_patterns, below, route + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield ":".join((*spaces, entry.name or "-")), route + str(entry.pattern)


def entry_of(name: str) -> dict[str, Any] | None:
    return next((e for e in MATRIX["address"] if any(fnmatchcase(name, one) for one in e["names"])), None)


def group(entry: dict[str, Any]) -> list[str]:
    return MATRIX["groups"][entry["open"]] if isinstance(entry["open"], str) else entry["open"]


def path_of(route: str, entry: dict[str, Any], world: dict[str, Any]) -> str:
    """The route with the world's records in it."""
    if "^" in route:
        prefix, _, pattern = route.partition("^")
        if "(?P<" not in pattern:
            return f"/{prefix}failwhale/"
        text, names = normalize(pattern)[0]
        return f"/{prefix}" + text % {each: value(each, entry, world) for each in names}
    parts = []
    for part in route.replace(">", "<").split("<"):
        parts.append(part)
    for number in range(1, len(parts), 2):
        parts[number] = str(value(parts[number].rpartition(":")[2], entry, world))
    return "/" + "".join(parts)


def value(name: str, entry: dict[str, Any], world: dict[str, Any]) -> Any:
    key = entry.get(name) or MATRIX["defaults"].get(name, "zero")
    return world[key]


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (2, 2), "red").save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


@pytest.fixture
def world(db: None) -> dict[str, Any]:
    """Two teams, two companies, and one record of each kind. Everything belongs to `team` and `owner`."""
    queue, elsewhere = factories.QueueFactory(name="Support"), factories.QueueFactory(name="Billing")
    people: dict[str, Any] = {
        role: factories.StaffFactory(email=f"{role}@guichet.test", role=role)
        for role in ("supervisor", "marketer", "editor", "administrator")
    }
    for name, line in (("team", queue), ("other_team", elsewhere), ("deactivated", queue)):
        people[name] = factories.StaffFactory(email=f"{name}@guichet.test", role="agent")
        factories.QueueMemberFactory(queue=line, user=people[name])
    company, other = factories.CustomerFactory(name="Company"), factories.CustomerFactory(name="Other company")
    for name, customer in (("owner", company), ("neighbour", company), ("outsider", other)):
        people[name] = factories.UserFactory(email=f"{name}@customer.test")
        contact = factories.ContactFactory(name=name, customer=customer, user=people[name])
        factories.PointFactory(contact=contact, value=f"{name}@customer.test", verified=True)
    contact = people["owner"].contact
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject="Of the team")
    message = factories.MessageFactory(ticket=ticket, contact=contact)
    channel = factories.ChannelFactory(queue=queue)
    calls = factories.CallListFactory(queue=queue)
    factories.ChannelFactory(kind="webform", name="Form", address="", queue=queue)
    line = factories.ChannelFactory(name="Fax", kind="fax", address="+49404321560", queue=queue)
    fax = factories.MessageFactory(ticket=ticket, contact=contact, channel=line)
    page = factories.FaxPageFactory(document__message=fax)
    site = factories.ChannelFactory(kind="chat", name="Website", address="", queue=queue)
    chat = factories.TicketFactory(queue=queue, subject="A chat", origin="chat")
    Conversation.objects.create(visitor=Visitor.objects.create(channel=site, contact=chat.contact), ticket=chat)
    phone = factories.ChannelFactory(kind="phone", name="Phone", address="", queue=queue)
    return {
        "people": people,
        "phone": phone.pk,
        "call": Call.objects.create(channel=phone, call_id="1", queue=queue, contact=contact).pk,
        "fax_message": fax.pk,
        "fax_page": page.pk,
        "ticket": ticket.pk,
        "ticket_number": ticket.number,
        "chat_number": chat.number,
        "message": message.pk,
        "attachment": factories.AttachmentFactory(message=message, name="photo.png", content=PICTURE).pk,
        "customer": company.pk,
        "contact": contact.pk,
        "region": Region.objects.create(name="North").pk,
        "tag": Tag.objects.create(name="urgent").pk,
        "queue": queue.pk,
        "hours": factories.BusinessHoursFactory().pk,
        "sla": factories.SLAPolicyFactory().pk,
        "rule": factories.RuleFactory().pk,
        "macro": factories.MacroFactory().pk,
        "keywords": factories.KeywordSetFactory().pk,
        "channel": channel.pk,
        "webhook": factories.WebhookFactory().pk,
        "template": factories.TemplateFactory().pk,
        "raw": factories.RawMessageFactory(channel=channel).pk,
        "delivery": factories.DeliveryFactory(message=message, channel=channel).pk,
        "task": factories.TaskFactory(queue=queue, contact=contact).pk,
        "appointment": factories.AppointmentFactory(queue=queue).pk,
        "call_list": calls.pk,
        "call_entry": factories.CallListEntryFactory(call_list=calls, contact=contact).pk,
        "call_import": CallListImport.objects.create(call_list=calls, name="people.csv").pk,
        "call_state": "paused",
        "call_script": factories.CallScriptFactory().pk,
        "refused_number": RefusedNumber.objects.create(number="+49301111111").pk,
        "colleague": people["marketer"].pk,
        "department": factories.DepartmentFactory().pk,
        "notification": Notification.objects.create(user=people["team"], text="For the team").pk,
        "view": SavedView.objects.create(user=people["team"], name="Mine").pk,
        "zero": 0,
        "nonsense": "nonsense-0",
        "what": "tags",
        "deed": "close",
        "purpose": "canned",
        "language": "en",
    }


def client_of(actor: str, world: dict[str, Any]) -> Client:
    client = Client()
    if actor != "anonymous":
        client.force_login(world["people"][actor], backend="crm.organisation.backends.PasswordBackend")
    if actor == "deactivated":
        type(world["people"][actor]).objects.filter(pk=world["people"][actor].pk).update(is_active=False)
    return client


def refused(response: Any) -> bool:
    """Not found, forbidden, sent to the login, or sent back to the start of the desk."""
    if response.status_code in (301, 302):
        place = urlsplit(response["Location"]).path
        return place in ("/accounts/login/", "/desk/")
    return response.status_code in (403, 404)


def checksum() -> dict[str, str]:
    """A hash of the rows of each table."""
    sums = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith(VOLATILE):
                cursor.execute(f'SELECT * FROM "{table}"')
                sums[table] = hashlib.sha256("\n".join(sorted(map(repr, cursor.fetchall()))).encode()).hexdigest()
    return sums


def test_every_address_is_listed() -> None:
    assert [name for name, _route in addresses() if entry_of(name) is None] == []


def test_no_entry_is_left_over() -> None:
    used = {id(entry_of(name)) for name, _route in addresses()}
    assert [entry["names"] for entry in MATRIX["address"] if id(entry) not in used] == []


@pytest.mark.parametrize("actor", ACTORS)
def test_who_gets_in(actor: str, world: dict[str, Any]) -> None:
    client = client_of(actor, world)
    wrong = []
    for name, route in addresses():
        entry = entry_of(name)
        assert entry is not None
        if name == "account_logout" or name == "wagtailadmin_logout":
            continue
        path = path_of(route, entry, world)
        response = client.get(path)
        for close in response._resource_closers:  # not response.close(): it ends the connection of the test
            close()
        if response.status_code == 405:
            continue
        welcome = actor in group(entry)
        if refused(response) == welcome and not (welcome and entry.get("own_rules")):
            wrong.append(f"{name} {path} → {response.status_code} {response.get('Location', '')}")
        assert response.status_code < 500 or name == "readyz", path
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("actor", ACTORS)
def test_the_refused_change_nothing(actor: str, world: dict[str, Any]) -> None:
    client = client_of(actor, world)
    before = checksum()
    wrong = []
    for name, route in addresses():
        entry = entry_of(name)
        assert entry is not None
        if actor in group(entry) or name in ("account_logout", "wagtailadmin_logout"):
            continue
        path = path_of(route, entry, world)
        response = client.post(path, BODY)
        if not refused(response) and response.status_code != 405:
            wrong.append(f"{name} {path} → {response.status_code}")
    assert "\n".join(wrong) == ""
    after = checksum()
    assert [table for table in before if before[table] != after[table]] == []


BODY = {
    # Names that some form of the site takes, with records of somebody else in them (S-27, S-31).
    "name": "taken over",
    "subject": "taken over",
    "text": "taken over",
    "status": "closed",
    "assignee": "1",
    "queue": "1",
    "customer": "1",
    "contact": "1",
    "other": "1",
    "tags": "taken",
    "roles": "administrator",
    "is_staff": "on",
    "is_superuser": "on",
    "email": "evil@customer.test",
    "score": "1",
    "view": "1",
}


@pytest.mark.parametrize("path", ["/desk/", "/desk/customers/", "/desk/inbox/"])
def test_a_reduced_role_counts_at_once(path: str, world: dict[str, Any]) -> None:
    from crm.organisation.services import set_roles

    client = client_of("team", world)
    assert not refused(client.get(path))
    set_roles(world["people"]["team"], [])
    assert client.get(path).status_code == 404


def test_foreign_ids_in_a_body_are_no_choices(world: dict[str, Any]) -> None:
    """A colleague of another team cannot pull a foreign ticket into his own by naming it (S-27)."""
    mine = factories.TicketFactory(queue=world["people"]["other_team"].queue_memberships.get().queue)
    client = client_of("other_team", world)
    before = checksum()
    response = client.post(
        f"/desk/inbox/{mine.number}/do/merge/",
        {
            "into": world["ticket_number"],
            "target": world["ticket_number"],
            "number": world["ticket_number"],
            "other": world["ticket"],
        },
    )
    assert response.status_code in (200, 302, 400, 404, 405, 422)
    after = checksum()
    changed = {table for table in before if before[table] != after[table]}
    assert not changed & {"service_ticket", "service_ticketmerge", "inbox_message"}


def test_the_resolver_is_walked_to_its_end() -> None:
    names = [name for name, _route in addresses()]
    assert {"customers:edit", "inbox:ticket", "portal:ticket", "account_login", "wagtailadmin_home"} <= set(names)
    with pytest.raises(NoReverseMatch):
        from django.urls import reverse

        reverse("wagtailusers_users:index")
