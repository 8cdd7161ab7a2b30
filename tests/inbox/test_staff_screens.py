"""Screens of templates, the journal, deliveries, and the start page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from crm.organisation.models import Notification
from inbox.models import Channel, Delivery, RawMessage, Template
from routing.models import Queue
from tests import factories

MARKUP = '"><img src=x onerror=__xss=1>'
ESCAPED = "&quot;&gt;&lt;img src=x onerror=__xss=1&gt;"


# Templates


def texts(**changed: str) -> dict[str, str]:
    return {
        "name": "Received",
        "purpose": "automatic",
        "shortcut": "",
        "subject_en": "We have it",
        "body_en": "Dear {{ contact.name }}",
        **changed,
    }


def test_one_form_for_three_languages(login: Any, supervisor: Any) -> None:
    client = login(supervisor)
    body = texts(**{"subject_zh-hans": "已收到", "body_zh-hans": "您好 {{ contact.name }}"})
    assert client.post("/desk/templates/new/", body)["Location"] == "/desk/templates/"
    template = Template.objects.get()
    assert {(t.language, t.subject, t.body) for t in template.texts.all()} == {
        ("en", "We have it", "Dear {{ contact.name }}"),
        ("zh-hans", "已收到", "您好 {{ contact.name }}"),
    }
    client.post(f"/desk/templates/edit/{template.pk}/", texts(body_en="Hello"))
    assert [(t.language, t.body) for t in template.texts.all()] == [("en", "Hello")]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"body_en": ""}, "Write the text in one language at least."),
        ({"subject_zh-hant": "收到"}, "There is a subject but no text."),
        ({"body_en": "{{ settings.SECRET_KEY }}"}, "would be printed as it stands"),
        ({"body_en": "{% load x %}"}, "would be printed as it stands"),
        ({"subject_en": "{{ contact.password }}"}, "is not a field"),
    ],
)
def test_what_cannot_be_sent_is_told(login: Any, supervisor: Any, changed: dict[str, str], told: str) -> None:
    assert told in login(supervisor).post("/desk/templates/new/", texts(**changed)).content.decode()
    assert not Template.objects.exists()


def test_a_preview_has_no_rights(login: Any, agent: Any) -> None:
    """Whoever wrote the text and whoever looks: nothing runs, loads or is submitted (S-11)."""
    body = {"subject_en": MARKUP, "body_en": "<script>__xss=1</script> {{ contact.name }} https://example.com"}
    response = login(agent).post("/desk/templates/preview/en/", body)
    page = response.content.decode()
    assert (
        response["Content-Security-Policy"]
        == "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
    )
    assert "<script" not in page
    assert ESCAPED in page
    assert "Anna Schmidt" in page
    assert 'rel="noopener noreferrer nofollow"' in page
    assert login(agent).post("/desk/templates/preview/xx/", body).status_code == 404


# The journal


@pytest.fixture
def raw(channel: Any) -> RawMessage:
    content = f"From: {MARKUP} <anna@customer.test>\r\nTo: support@example.com\r\nSubject: Hello {MARKUP}\r\nX-Odd: {MARKUP}\r\n\r\nIt leaks.\r\n"
    return factories.RawMessageFactory(
        channel=channel, content=content.encode(), reason=MARKUP, state="dead", outcome="quarantined"
    )


def test_a_page_of_the_journal(login: Any, supervisor: Any, raw: RawMessage) -> None:
    client = login(supervisor)
    page = client.get(f"/desk/journal/{raw.pk}/").content.decode()
    assert "anna@customer.test" in page
    assert f"X-Odd: {ESCAPED}" in page
    assert "It leaks." in page
    assert MARKUP not in page
    listed = client.get("/desk/journal/?state=dead").content.decode()
    assert f"/desk/journal/{raw.pk}/" in listed
    assert f"/desk/journal/{raw.pk}/" not in client.get("/desk/journal/?state=done").content.decode()


def test_the_bytes_are_a_download(login: Any, supervisor: Any, raw: RawMessage) -> None:
    response = login(supervisor).get(f"/desk/journal/{raw.pk}/raw/")
    content = b"".join(response.streaming_content)
    assert content.endswith(b"It leaks.\r\n")
    assert response["Content-Disposition"] == f'attachment; filename="message-{raw.pk}.eml"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_a_quarantined_message_runs_again(login: Any, supervisor: Any, raw: RawMessage) -> None:
    client = login(supervisor)
    page = client.post(f"/desk/journal/{raw.pk}/replay/", follow=True).content.decode()
    assert "The message goes through the whole path again." in page
    raw.refresh_from_db()
    assert (raw.state, raw.reason, raw.attempts) == ("stored", "", 0)
    page = client.post(f"/desk/journal/{raw.pk}/replay/", follow=True).content.decode()
    assert "Only a message in quarantine can be run again." in page


def test_lost_bytes_are_told(login: Any, supervisor: Any, raw: RawMessage) -> None:
    (Path(settings.MEDIA_ROOT) / "raw" / raw.blob).unlink()
    client = login(supervisor)
    assert "The stored bytes are gone" in client.get(f"/desk/journal/{raw.pk}/").content.decode()
    assert client.get(f"/desk/journal/{raw.pk}/raw/").status_code == 404


# Deliveries


@pytest.mark.parametrize(
    ("state", "deed", "after"),
    [
        ("failed", "retry", "queued"),
        ("uncertain", "retry", "queued"),
        ("sent", "retry", "sent"),
        ("sending", "retry", "sending"),
        ("queued", "cancel", "cancelled"),
        ("deferred", "cancel", "cancelled"),
        ("sent", "cancel", "sent"),
    ],
)
def test_again_and_off(
    login: Any, supervisor: Any, ticket: Any, channel: Any, state: str, deed: str, after: str
) -> None:
    delivery = factories.DeliveryFactory(message=ticket.messages.get(), channel=channel, state=state)
    login(supervisor).post(f"/desk/deliveries/{delivery.pk}/{deed}/")
    delivery.refresh_from_db()
    assert delivery.state == after


def test_a_fax_under_way_is_asked_back_and_not_sent_again(
    login: Any, supervisor: Any, ticket: Any, channel: Any
) -> None:
    delivery = factories.DeliveryFactory(
        message=ticket.messages.get(),
        channel=channel,
        recipient="+862163298811",
        state="deferred",
        content={"kept": {"job": "7"}},
    )
    client = login(supervisor)
    page = client.get(f"/desk/deliveries/{delivery.pk}/").content.decode()
    assert "+86 21 6329 8811" in page
    assert "Call off" in page
    assert f"/desk/deliveries/{delivery.pk}/retry/" not in page
    client.post(f"/desk/deliveries/{delivery.pk}/cancel/")
    page = client.get(f"/desk/deliveries/{delivery.pk}/").content.decode()
    assert "Being called off" in page
    assert f"/desk/deliveries/{delivery.pk}/cancel/" not in page


@pytest.mark.parametrize("path", ["journal", "deliveries"])
def test_headings_of_lists_are_in_the_readers_language(
    login: Any, supervisor: Any, ticket: Any, channel: Any, raw: RawMessage, path: str
) -> None:
    factories.DeliveryFactory(message=ticket.messages.get(), channel=channel)
    supervisor.language = "zh-hans"
    supervisor.save(update_fields=["language"])
    response = login(supervisor).get(f"/desk/{path}/")
    heads = [str(column.label) for column in response.context["table"].columns.values()]
    assert not [label for label in heads if label.isascii()]
    counted = {"journal": "共 1 项收到的消息", "deliveries": "共 1 项投递"}
    assert counted[path] in response.content.decode()


def test_account_mail_is_not_read_by_others(login: Any, supervisor: Any, administrator: Any, db: None, settings: Any, tmp_path: Path) -> None:  # fmt: skip
    """It holds a link that changes somebody's password: a supervisor could become administrator with it."""
    delivery = Delivery.objects.create(
        purpose="system", recipient="root@guichet.test", mail_id="s@x", content={"text": "https://x/reset/SECRETKEY/"}
    )
    settings.MAIL_SINK = tmp_path
    (tmp_path / f"20260301-090000-{delivery.pk}-root@guichet.test.eml").write_text("https://x/reset/SECRETKEY/")
    path = f"/desk/deliveries/{delivery.pk}/"
    assert "SECRETKEY" not in login(supervisor).get(path).content.decode()
    assert "SECRETKEY" in login(administrator).get(path).content.decode()
    settings.MAIL_SINK = None
    assert "SECRETKEY" not in login(administrator).get(path).content.decode()


# The start page


def test_the_start_says_what_needs_somebody(
    login: Any, supervisor: Any, raw: RawMessage, ticket: Any, channel: Any
) -> None:
    factories.DeliveryFactory(message=ticket.messages.get(), channel=channel, state="failed")
    page = login(supervisor).get("/desk/")
    figures = {figure["label"]: figure["number"] for figure in page.context["figures"]}
    assert figures == {
        "Open tickets": 1, "Unassigned tickets": 1, "Messages waiting": 0, "In quarantine": 1, "Failed deliveries": 1, "Unclear deliveries": 0,
        "Overdue tasks": 0, "Tasks due today": 0, "Appointments today": 0,
    }  # fmt: skip


def test_a_new_installation_is_told_how_to_begin(login: Any, administrator: Any, supervisor: Any) -> None:
    def steps(user: Any) -> list[str]:
        return [step["url"] for step in login(user).get("/desk/").context["first_steps"]]

    Channel.objects.all().delete()
    Queue.objects.all().delete()
    assert steps(administrator) == ["/desk/queues/new/", "/desk/channels/new/?kind=email"]
    assert steps(supervisor) == []
    queue = factories.QueueFactory()
    assert steps(administrator) == ["/desk/channels/new/?kind=email"]
    factories.ChannelFactory(queue=queue)
    assert steps(administrator) == []


def test_who_only_answers_goes_on_to_the_inbox(login: Any, agent: Any, marketer: Any) -> None:
    assert login(agent).get("/desk/")["Location"] == "/desk/inbox/"
    page = login(marketer).get("/desk/")
    assert page.status_code == 200
    figures = {figure["label"]: figure["number"] for figure in page.context["figures"]}
    assert figures == {"Overdue tasks": 0, "Tasks due today": 0, "Appointments today": 0}
    assert page.context["channels"] == []


def test_the_menu_has_what_one_may_open_and_nothing_of_wagtail(
    login: Any, administrator: Any, agent: Any, editor: Any
) -> None:
    def menu(user: Any) -> list[str]:
        from wagtail.admin.menu import admin_menu

        from portal.wagtail_hooks import only_ours  # noqa: F401

        request = login(user).get("/desk/profile/").wsgi_request
        return [item.name for item in sorted(admin_menu.menu_items_for_request(request), key=lambda item: item.order)]

    own = ["inbox", "calls", "tickets", "tasks", "appointments", "group-calls", "group-customers"]
    assert menu(administrator) == [*own, "group-routing", "group-channels", "group-people", "notifications"]
    assert menu(agent) == [*own, "group-channels", "notifications"]
    assert menu(editor) == ["notifications"]


# Markup in names, wherever colleagues see them (S-03)


def test_markup_is_text_everywhere(login: Any, administrator: Any, channel: Any, raw: RawMessage, queue: Any) -> None:
    from crm.customers.models import Region, Tag

    customer = factories.CustomerFactory(name=MARKUP, website="https://example.com", notes=MARKUP, address=MARKUP)
    contact = factories.ContactFactory(name=MARKUP, title=MARKUP, customer=customer, notes=MARKUP)
    factories.PointFactory(contact=contact, value="x@customer.test")
    tag = Tag.objects.create(name=MARKUP)
    region = Region.objects.create(name=MARKUP)
    ticket = factories.TicketFactory(contact=contact, subject=MARKUP, queue=queue)
    ticket.tags.add(tag)
    contact.tags.add(tag)
    contact.timeline.create(kind="x", title=MARKUP)
    message = factories.MessageFactory(ticket=ticket, contact=contact, subject=MARKUP, text=MARKUP)
    delivery = factories.DeliveryFactory(
        message=message, channel=channel, state="failed", response=MARKUP, error=MARKUP
    )
    template = factories.TemplateFactory(name=MARKUP, shortcut=MARKUP[:40], texts={"en": (MARKUP, MARKUP)})
    department = factories.DepartmentFactory(name=MARKUP)
    administrator.name, administrator.signature, administrator.department = MARKUP, MARKUP, department
    administrator.save()
    type(queue).objects.filter(pk=queue.pk).update(name=MARKUP)
    type(channel).objects.filter(pk=channel.pk).update(name=MARKUP, display_name=MARKUP, receiving_note=MARKUP)
    Notification.objects.create(user=administrator, text=MARKUP)
    client = login(administrator)
    for path in (
        "", "customers/", f"customers/{customer.pk}/", f"customers/edit/{customer.pk}/", f"customers/delete/{customer.pk}/", f"customers/history/{customer.pk}/",
        "contacts/", f"contacts/{contact.pk}/", f"contacts/edit/{contact.pk}/", "tickets/", f"tickets/?q={ticket.number}", "tags/", f"tags/edit/{tag.pk}/",
        "regions/", f"regions/edit/{region.pk}/", "people/", f"people/edit/{administrator.pk}/", "departments/", f"departments/edit/{department.pk}/",
        "channels/", f"channels/{channel.pk}/", f"channels/edit/{channel.pk}/", "templates/", f"templates/edit/{template.pk}/",
        "journal/", f"journal/{raw.pk}/", "deliveries/", f"deliveries/{delivery.pk}/", "profile/", "notifications/",
        f"inbox/{ticket.number}/", "inbox/", "queues/", "rules/",
    ):  # fmt: skip
        page = client.get(f"/desk/{path}")
        assert page.status_code == 200, path
        assert "<img src=x" not in page.content.decode(), path
    saved = client.post(f"/desk/tags/edit/{tag.pk}/", {"name": f"{MARKUP}2"}, follow=True).content.decode()
    assert "<img src=x" not in saved
    assert "updated" in saved
    gone = client.post(f"/desk/regions/delete/{region.pk}/", follow=True).content.decode()
    assert "<img src=x" not in gone
    assert "deleted" in gone
    assert client.get("/desk/pick/contact/", {"q": "img"})["Content-Type"] == "application/json"
