"""Screens of call lists, scripts and numbers that nobody calls."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.customers import consent
from crm.customers.models import RefusedNumber
from crm.marketing.importing import service
from crm.marketing.models import CallList, CallListImport, CallScript
from tests import factories

NUMBER = "+494012345678"


def rows(language: str, *questions: tuple[str, str], initial: int = 0) -> dict[str, str]:
    body = {f"steps_{language}-TOTAL_FORMS": str(len(questions)), f"steps_{language}-INITIAL_FORMS": str(initial)}
    for number, (position, question) in enumerate(questions):
        body |= {
            f"steps_{language}-{number}-position": position,
            f"steps_{language}-{number}-question": question,
            f"steps_{language}-{number}-hint": "",
        }
    return body


def script(**changes: str) -> dict[str, str]:
    return {
        "name": "Service",
        "active": "on",
        "opening_en": "Hello {{ contact.name }}",
        "opening_zh-hans": "您好",
        **rows("en", ("2", "Second?"), ("1", "First?"), ("", "Last?")),
        **rows("zh-hans", ("", "请问？")),
        **rows("zh-hant"),
        **changes,
    }


def test_a_script_is_written(login: Any, marketer: Any) -> None:
    client = login(marketer)
    made_at = client.post("/desk/call-scripts/new/", script())["Location"]
    made = CallScript.objects.get()
    assert made_at == f"/desk/call-scripts/{made.pk}/"
    assert made.created_by == marketer
    assert list(made.texts.values_list("language", "opening")) == [
        ("en", "Hello {{ contact.name }}"),
        ("zh-hans", "您好"),
    ]
    assert [step.question for step in made.steps.filter(language="en")] == ["First?", "Second?", "Last?"]
    page = client.get(made_at).content.decode()
    assert "Hello Anna Schmidt" in page
    steps = {step.question: step.pk for step in made.steps.all()}
    again = {
        **script(**rows("en", ("1", "Second?"), ("2", "First?"), initial=2)),
        "steps_en-0-id": str(steps["Second?"]),
        "steps_en-1-id": str(steps["First?"]),
        "steps_zh-hans-TOTAL_FORMS": "0",
    }
    client.post(f"/desk/call-scripts/edit/{made.pk}/", again)
    assert [step.question for step in made.steps.filter(language="en")] == ["Second?", "First?", "Last?"]
    assert [step.question for step in made.steps.filter(language="zh-hans")] == ["请问？"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"opening_en": "", "opening_zh-hans": ""}, "one language at least"),
        ({"opening_en": "{{ settings.SECRET_KEY }}"}, "cannot be read"),
        ({"steps_en-0-question": "{{ contact.password }}"}, "is not a field"),
        ({"closing_zh-hant": "再見"}, "no opening"),
    ],
)
def test_a_script_is_refused(login: Any, marketer: Any, change: dict[str, str], said: str) -> None:
    """S-65: what is no merge field is refused when it is saved."""
    assert said in login(marketer).post("/desk/call-scripts/new/", script(**change)).content.decode()
    assert CallScript.objects.count() == 0


def test_a_list_from_a_search(login: Any, supervisor: Any, agent: Any, contact: Any) -> None:
    client, hours = login(supervisor), factories.BusinessHoursFactory()
    contact.customer.level = "gold"
    contact.customer.save()
    factories.PointFactory(contact=contact, kind="phone", value=NUMBER)
    editor = factories.StaffFactory(role="editor")
    shown = client.get("/desk/call-lists/new/").content.decode()
    assert f'name="people" value="{agent.pk}"' in shown
    assert f'name="people" value="{editor.pk}"' not in shown, "who does not come to the page cannot work the list"
    body = {"name": "Spring", "hours": hours.pk, "max_tries": "3", "days_between": "1", "people": [agent.pk]}
    address = client.post("/desk/call-lists/new/", {**body, "state": "running"})["Location"]
    made = CallList.objects.get()
    assert (address, made.state, made.created_by) == (f"/desk/call-lists/{made.pk}/", "draft", supervisor)
    page = client.get(f"{address}?preview=1&levels=gold").content.decode()
    assert "Put 1 person on the list" in page
    assert made.entries.count() == 0
    client.post(f"{address}state/running/")
    made.refresh_from_db()
    assert made.state == "draft", "there is nobody on it yet"
    asked = client.post(f"{address}search/", {"levels": ["gold"]})
    client.post(f"{address}search/", {"levels": ["made up"]})
    job = CallListImport.objects.get()
    assert (asked["Location"], job.name) == (f"{address}import/{job.pk}/", "Gold")
    assert made.entries.count() == 0, "no page waits for it"
    assert client.get(asked["Location"])["Refresh"] == "2"
    CallListImport.objects.update(report={"rows": 500, "of": 50_000})
    assert "500 of 50,000" in client.get(asked["Location"]).content.decode()
    assert service.work_waiting() == 1
    page = client.get(asked["Location"])
    assert "Refresh" not in page
    assert "What the search brought" in page.content.decode()
    assert list(made.entries.values_list("number", flat=True)) == [NUMBER]
    client.post(f"{address}state/running/")
    assert client.post(f"{address}state/exploded/").status_code == 404
    made.refresh_from_db()
    assert made.state == "running"
    page = client.get(f"/desk/call-entries/?call_list={made.pk}").content.decode()
    assert "+49 40 12345678" in page
    assert "People found by a search: 1" in client.get(address).content.decode(), "the history is told in words"


def test_a_list_from_a_file(login: Any, marketer: Any) -> None:
    client, made = login(marketer), factories.CallListFactory(state="draft")
    base = f"/desk/call-lists/{made.pk}/"
    file = SimpleUploadedFile("../../people.csv", f"Name;Phone\n<b>Anna</b>;{NUMBER}\nX;nothing\n".encode())
    address = client.post(f"{base}import/", {"file": file})["Location"]
    job = CallListImport.objects.get()
    assert address == f"{base}import/{job.pk}/"
    page = client.get(address).content.decode()
    assert "&lt;b&gt;Anna" in page
    assert "<b>Anna" not in page
    assert "required" in client.post(address, {"column_name": "0"}).content.decode()
    client.post(address, {"column_name": "0", "column_number": "1", "region": "", "has_heading": "on"})
    assert client.get(address)["Refresh"] == "2"
    client.post(f"{address}confirm/")
    assert made.entries.count() == 0
    service.work_waiting()
    page = client.get(address).content.decode()
    assert "Put 1 person on the list" in page
    assert "nothing" in page
    client.post(f"{address}confirm/")
    service.work_waiting()
    assert made.entries.get().contact.name == "<b>Anna</b>"
    assert "What the import did" in client.get(address).content.decode()
    assert "People of a file: 1" in client.get(base).content.decode()
    foreign = factories.CallListFactory()
    for method in (client.get, client.post):
        assert method(f"/desk/call-lists/{foreign.pk}/import/{job.pk}/").status_code == 404  # S-28
    assert client.post(f"{base}import/", {}).status_code == 302


def test_agents_read_their_lists_and_change_none(login: Any, agent: Any) -> None:
    mine, foreign = factories.CallListFactory(people=[agent]), factories.CallListFactory()
    client = login(agent)
    page = client.get(f"/desk/call-lists/{mine.pk}/").content.decode()
    assert "Add people" not in page
    assert client.get(f"/desk/call-lists/{foreign.pk}/").status_code == 404
    for path in ("state/finished/", "search/", "check-again/", "import/"):
        assert client.post(f"/desk/call-lists/{mine.pk}/{path}").status_code in (302, 403, 404)
    mine.refresh_from_db()
    assert (mine.state, mine.events.count(), CallListImport.objects.count()) == ("running", 0, 0)
    assert client.get("/desk/call-entries/").status_code in (302, 403)


def test_results_are_safe_to_open(login: Any, supervisor: Any) -> None:
    """S-64."""
    entry = factories.CallListEntryFactory(note="=cmd|'/c calc'!A0", state="done", outcome="agreed")
    entry.contact.name = "@SUM(1)"
    entry.contact.save()
    response = login(supervisor).get("/desk/call-entries/?export=csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert "'=cmd" in text
    assert "'@SUM(1)" in text
    assert entry.number in text
    assert f"'{entry.number}" not in text


def test_a_number_that_nobody_calls(login: Any, agent: Any, supervisor: Any, contact: Any, client: Any) -> None:
    point = factories.PointFactory(contact=contact, kind="phone", value=NUMBER)
    mail, other = contact.points.first(), factories.PointFactory(kind="phone", value="+49301111111")
    base = f"/desk/contacts/{contact.pk}/calls/"
    login(agent)
    for wrong in (f"{mail.pk}/refuse/", f"{other.pk}/refuse/", f"{point.pk}/explode/"):
        assert client.post(base + wrong).status_code == 404
    client.post(f"{base}{point.pk}/refuse/", {"reason": "asked <b>us</b>"})
    assert consent.may_call(NUMBER) == "Wants no calls: asked <b>us</b>"
    page = client.get(f"/desk/contacts/{contact.pk}/").content.decode()
    assert "Do not call" in page
    assert "<b>us" not in page
    assert client.post(f"{base}{point.pk}/allow/").status_code in (302, 403)
    assert consent.may_call(NUMBER) != "", "an agent cannot take it back"
    login(supervisor)
    client.post(f"{base}{point.pk}/allow/")
    assert consent.may_call(NUMBER) == ""
    client.post("/desk/refused-numbers/new/", {"number": "+49 40 123 456-78", "reason": "by letter"})
    assert list(RefusedNumber.objects.values_list("number", "reason", "by")) == [(NUMBER, "by letter", supervisor.pk)]
    assert "already" in client.post("/desk/refused-numbers/new/", {"number": NUMBER}).content.decode()
    assert "+49 40 12345678" in client.get("/desk/refused-numbers/").content.decode()
    client.post(f"/desk/refused-numbers/delete/{RefusedNumber.objects.get().pk}/")
    assert RefusedNumber.objects.count() == 0
    assert contact.timeline.latest("id").kind == "calls.allowed"


def test_the_page_of_a_list_takes_few_queries(login: Any, supervisor: Any, django_assert_max_num_queries: Any) -> None:
    made = factories.CallListFactory()
    for _ in range(10):
        factories.CallListEntryFactory(call_list=made)
    client = login(supervisor)
    client.get(f"/desk/call-lists/{made.pk}/")
    with django_assert_max_num_queries(30):
        client.get(f"/desk/call-lists/{made.pk}/")
    with django_assert_max_num_queries(30):
        client.get("/desk/call-entries/")
