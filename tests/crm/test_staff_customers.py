"""Screens of customers and contacts."""

from __future__ import annotations

from typing import Any

from crm.customers.models import Contact, ContactLink, ContactPoint, Customer, Tag
from tests import factories


def points(*values: tuple[str, str]) -> dict[str, str]:
    body = {"points-TOTAL_FORMS": str(len(values)), "points-INITIAL_FORMS": "0"}
    for number, (kind, value) in enumerate(values):
        body |= {f"points-{number}-kind": kind, f"points-{number}-value": value}
    return body


CUSTOMER = {"name": "Tea house", "kind": "company", "part": "customer", "level": "gold", "status": "active"}


def test_a_customer_is_made_changed_and_read(login: Any, agent: Any) -> None:
    client = login(agent)
    parent = factories.CustomerFactory(name="Holding")
    response = client.post(
        "/desk/customers/new/",
        {
            **CUSTOMER,
            "parent": parent.pk,
            "owner": agent.pk,
            "tags": "vip， 加急, VIP",
            "website": "example.com",
            "notes": "Pays late",
        },
    )
    customer = Customer.objects.get(name="Tea house")
    assert response["Location"] == f"/desk/customers/{customer.pk}/"
    assert (customer.level, customer.parent, customer.owner, customer.website) == (
        "gold",
        parent,
        agent,
        "https://example.com",
    )
    assert sorted(tag.name for tag in customer.tags.all()) == ["VIP", "加急"]
    page = client.get(f"/desk/customers/{customer.pk}/").content.decode()
    assert "Pays late" in page
    assert "Holding" in page
    client.post(f"/desk/customers/edit/{customer.pk}/", {**CUSTOMER, "tags": "vip"})
    customer.refresh_from_db()
    assert (customer.parent, customer.notes) == (None, "")
    assert [tag.name for tag in customer.tags.all()] == ["VIP"]
    assert Tag.objects.count() == 2


def test_a_customer_is_not_part_of_itself(login: Any, agent: Any) -> None:
    above = factories.CustomerFactory(name="Above")
    below = factories.CustomerFactory(name="Below", parent=above)
    page = login(agent).post(f"/desk/customers/edit/{above.pk}/", {**CUSTOMER, "parent": below.pk})
    assert "This would make the record part of itself." in page.content.decode()


def test_addresses_are_normalised(login: Any, agent: Any) -> None:
    body = {"name": "Anna", **points(("email", "  Anna@BÜCHER.example "), ("phone", "+49 (89) 123 456-7"))}
    response = login(agent).post("/desk/contacts/new/", body)
    contact = Contact.objects.get(name="Anna")
    assert response["Location"] == f"/desk/contacts/{contact.pk}/"
    assert [(p.kind, p.value) for p in contact.points.all()] == [
        ("email", "anna@xn--bcher-kva.example"),
        ("phone", "+49891234567"),
    ]


def test_whose_address_it_is_already(login: Any, agent: Any, contact: Any) -> None:
    body = {"name": "Somebody", **points(("email", "ANNA@customer.test"))}
    page = login(agent).post("/desk/contacts/new/", body).content.decode()
    assert "This address belongs to Anna Schmidt." in page
    assert not Contact.objects.filter(name="Somebody").exists()


def test_what_is_no_address_is_told(login: Any, agent: Any) -> None:
    for kind, value in (("email", "anna"), ("email", "a@b.test,c@d.test"), ("phone", "call me")):
        response = login(agent).post("/desk/contacts/new/", {"name": "X", **points((kind, value))})
        assert response.status_code == 200, value
    twice = login(agent).post(
        "/desk/contacts/new/", {"name": "X", **points(("email", "a@b.test"), ("email", "A@b.test"))}
    )
    assert "The same address stands here twice." in twice.content.decode()
    nobody = login(agent).post("/desk/contacts/new/", points())
    assert "Give a name or an address." in nobody.content.decode()
    assert Contact.objects.count() == 0
    assert ContactPoint.objects.count() == 0


def test_two_contacts_are_one_person_and_apart_again(login: Any, agent: Any, contact: Any, queue: Any) -> None:
    other = factories.ContactFactory(name="A. Schmidt")
    factories.PointFactory(contact=other, value="schmidt@home.test")
    ticket = factories.TicketFactory(queue=queue, contact=other, subject="From home")
    client = login(agent)
    client.post(f"/desk/contacts/{contact.pk}/link/", {"other": other.pk})
    page = client.get(f"/desk/contacts/{contact.pk}/").content.decode()
    assert "schmidt@home.test" in page
    assert "From home" in page
    assert "is the same person as" in client.get(f"/desk/contacts/{other.pk}/").content.decode()
    link = ContactLink.objects.get()
    assert (link.kept, link.merged, link.by) == (contact, other, agent)
    client.post(f"/desk/contacts/{contact.pk}/unlink/{link.pk}/")
    ticket.refresh_from_db()
    assert ticket.contact == other
    assert "schmidt@home.test" not in client.get(f"/desk/contacts/{contact.pk}/").content.decode()


def test_a_link_of_another_contact_is_not_undone(login: Any, agent: Any, contact: Any) -> None:
    """The parent is allowed, the child is another parent's (S-28)."""
    from crm.customers.identity import link

    kept, other = factories.ContactFactory(), factories.ContactFactory()
    foreign = link(kept, other, by=agent)
    assert login(agent).post(f"/desk/contacts/{contact.pk}/unlink/{foreign.pk}/").status_code == 404
    foreign.refresh_from_db()
    assert foreign.undone_at is None


def test_a_record_shows_only_tickets_that_the_reader_sees(login: Any, agent: Any, marketer: Any, contact: Any, queue: Any, other_queue: Any) -> None:  # fmt: skip
    factories.TicketFactory(queue=queue, contact=contact, customer=contact.customer, subject="In my queue")
    factories.TicketFactory(queue=other_queue, contact=contact, customer=contact.customer, subject="Behind the wall")
    for path in (f"/desk/contacts/{contact.pk}/", f"/desk/customers/{contact.customer_id}/"):
        page = login(agent).get(path).content.decode()
        assert "In my queue" in page
        assert "Behind the wall" not in page
        assert "In my queue" not in login(marketer).get(path).content.decode()


def test_a_picker_finds_by_name_address_and_company(login: Any, agent: Any, editor: Any, contact: Any) -> None:
    for text in ("anna schm", "anna@customer", "kaffee"):
        found = login(agent).get("/desk/pick/contact/", {"q": text}).json()["results"]
        assert found == [{"id": contact.pk, "label": "Anna Schmidt", "hint": "anna@customer.test"}]
    assert login(agent).get("/desk/pick/contact/", {"q": "x" * 5000}).json() == {"results": []}
    assert login(editor).get("/desk/pick/contact/", {"q": "anna"})["Location"] == "/desk/"


def test_the_list_of_tickets_is_filtered_and_found_by_number(
    login: Any, agent: Any, queue: Any, other_queue: Any
) -> None:
    mine = factories.TicketFactory(queue=queue, subject="Leak", status="open", priority=4)
    factories.TicketFactory(queue=queue, subject="Noise", status="closed")
    foreign = factories.TicketFactory(queue=other_queue, subject="Foreign", status="open")
    client = login(agent)

    def subjects(**query: Any) -> list[str]:
        return [t.subject for t in client.get("/desk/tickets/", query).context["object_list"]]

    assert sorted(subjects()) == ["Leak", "Noise"]
    assert subjects(status=["open", "new"]) == ["Leak"]
    assert subjects(q=f"#{mine.number}") == ["Leak"]
    assert subjects(q=str(foreign.number)) == []
    assert subjects(priority=4) == ["Leak"]
    page = client.get("/desk/tickets/").content.decode()
    assert f"/desk/inbox/{mine.number}/" in page
    assert "Accounting" not in page


def test_the_list_of_contacts_has_a_person_once(login: Any, agent: Any) -> None:
    anna = factories.ContactFactory(name="Anna Schmidt", language="de")
    ContactPoint.objects.create(contact=anna, kind="phone", value="+494012345678")
    factories.ContactFactory(name="Anna of the other address", merged_into=anna)
    page = login(agent).get("/desk/contacts/").content.decode()
    assert "Anna of the other address" not in page
    assert "+49 40 12345678" in page
    assert "German" in page.split("Anna Schmidt", 1)[1].split("</tr>")[0]
