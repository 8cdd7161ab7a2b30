"""Colleagues and customers of the demo company."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from wagtail.users.models import UserProfile

from crm.customers import identity
from crm.customers.models import Contact, ContactPoint, Customer, Region, Tag
from crm.organisation import services
from crm.organisation.models import Department, User

PASSWORD = "guichet-demo"  # noqa: S105 - printed at every start; the try-out listens on this machine only
DOMAIN = "halden.example"


@dataclass(frozen=True, slots=True)
class Colleague:
    """One colleague as the table below gives him."""

    key: str
    name: str
    address: str
    role: str
    department: str
    time_zone: str = "Europe/Berlin"
    language: str = "en"
    capacity: int = 25
    extension: str = ""


COLLEAGUES = (
    Colleague("alex", "Alex Brandt", "admin", "administrator", "Management"),
    Colleague("sabine", "Sabine Krüger", "supervisor", "supervisor", "Service Hamburg", extension="20"),
    Colleague("lena", "Lena Vogt", "agent", "agent", "Service Hamburg", extension="21"),
    Colleague("tom", "Tom Fischer", "tom", "agent", "Workshop", extension="22"),
    Colleague("priya", "Priya Shah", "priya", "agent", "Orders & Shipping", extension="23"),
    Colleague("mei", "林美", "mei", "agent", "Service Shanghai", "Asia/Shanghai", "zh-hans", extension="31"),
    Colleague("chen", "陈昊", "chen", "agent", "Service Shanghai", "Asia/Shanghai", "zh-hans", extension="32"),
    Colleague("jonas", "Jonas Weber", "marketer", "marketer", "Marketing"),
    Colleague("ella", "Ella Norris", "editor", "editor", "Marketing"),
)
LOGINS = {"anna": "Europe/Berlin", "wangli": "Asia/Shanghai", "linyj": "Asia/Taipei"}
"""Customers who have an account on the portal, with the time they live by."""


@dataclass(slots=True)
class Person:
    """A contact with what the stories need to know."""

    contact: Contact
    name: str
    mails: list[str]
    language: str


@dataclass(slots=True)
class People:
    """Everybody by the key that the stories use."""

    staff: dict[str, User] = field(default_factory=dict)
    customers: dict[str, Person] = field(default_factory=dict)


def hire() -> dict[str, User]:
    """Make the departments and the colleagues."""
    company = Department.objects.create(name="Management")
    departments = {"Management": company}
    for name in ("Service Hamburg", "Service Shanghai", "Workshop", "Orders & Shipping", "Marketing"):
        departments[name] = Department.objects.create(name=name, parent=company)
    staff: dict[str, User] = {}
    sample = User()
    sample.set_password(PASSWORD)
    for who in COLLEAGUES:
        user = User.objects.create(
            email=f"{who.address}@{DOMAIN}",
            name=who.name,
            password=sample.password,
            department=departments[who.department],
            time_zone=who.time_zone,
            language=who.language,
            capacity=who.capacity,
            extension=who.extension,
            signature=f"{who.name}\n{who.department}, Halden\nhttps://{DOMAIN}",
        )
        services.set_roles(user, [who.role])
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        UserProfile.objects.create(user=user, preferred_language=who.language, current_time_zone=who.time_zone)
        staff[who.key] = user
    for name, key in (("Management", "alex"), ("Service Hamburg", "sabine"), ("Service Shanghai", "mei")):
        departments[name].lead = staff[key]
        departments[name].save(update_fields=["lead"])
    return staff


def register_customers(staff: dict[str, User]) -> dict[str, Person]:
    """Make the customers, their people and how each is reached."""
    table = _table()
    europe, asia = Region.objects.create(name="Europe"), Region.objects.create(name="Asia")
    regions: dict[str, Region] = {}
    tags: dict[str, Tag] = {}
    people: dict[str, Person] = {}
    for row in table["customer"]:
        persons, names = row.pop("people"), row.pop("tags", [])
        region = row.pop("region")
        if region not in regions:
            part = asia if region in {"China", "Taiwan", "Hong Kong", "Japan", "Singapore"} else europe
            regions[region] = Region.objects.create(name=region, parent=None if region == "United States" else part)
        owner = staff["mei"] if regions[region].parent == asia else staff["priya"]
        customer = Customer.objects.create(**row, region=regions[region], owner=owner)
        for name in names:
            tags.setdefault(name, Tag(name=name)).save()
        customer.tags.set(tags[name] for name in names)
        for person in persons:
            people[person["key"]] = met = _meet(person, customer, staff["sabine"])
            met.contact.tags.set(tags[name] for name in names)
    for key, time_zone in LOGINS.items():
        _give_login(people[key], time_zone)
    return people


def _meet(row: dict[str, Any], customer: Customer, by: User) -> Person:
    first, *others = row["mail"]
    contact = identity.contact_for(ContactPoint.Kind.EMAIL, first, row["name"])
    for address in others:
        identity.link(contact, identity.contact_for(ContactPoint.Kind.EMAIL, address, row["name"]), by=by)
    if phone := row.get("phone"):
        ContactPoint.objects.create(
            contact=contact, kind=ContactPoint.Kind.PHONE, value=identity.normalise(ContactPoint.Kind.PHONE, phone)
        )
    contact.customer, contact.title, contact.language = customer, row.get("title", ""), row["language"]
    contact.save(update_fields=["customer", "title", "language"])
    return Person(contact, row["name"], row["mail"], row["language"])


def _give_login(person: Person, time_zone: str) -> None:
    user = User.objects.create_user(
        person.mails[0], PASSWORD, name=person.name, language=person.language, time_zone=time_zone
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    person.contact = identity.claim_for_user(user, user.email)


def login_addresses() -> dict[str, str]:
    """The customers with an account: address by name."""
    people = [person for row in _table()["customer"] for person in row["people"]]
    return {person["name"]: person["mail"][0] for person in people if person["key"] in LOGINS}


def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("customers.toml").read_text("utf-8"))
