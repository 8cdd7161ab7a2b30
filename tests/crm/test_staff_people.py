"""Screens of people: nobody grants what he lacks (S-33), nobody locks himself out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client

from crm.organisation import people
from crm.organisation.models import Department, User
from tests import factories


def form(**changed: Any) -> dict[str, Any]:
    return {
        "name": "Noor Haddad",
        "email": "Noor@Guichet.test",
        "roles": ["agent"],
        "is_available": "on",
        "capacity": "12",
        **changed,
    }


def test_an_administrator_takes_somebody_in(
    login: Any, administrator: Any, queue: Any, django_capture_on_commit_callbacks: Any, mailoutbox: Any
) -> None:
    department = factories.DepartmentFactory(name="Service")
    with django_capture_on_commit_callbacks(execute=True):
        response = login(administrator).post(
            "/desk/people/new/", form(department=department.pk, queues=[queue.pk], invite="on")
        )
    assert response["Location"] == "/desk/people/"
    user = User.objects.get(email="noor@guichet.test")
    assert (user.name, user.roles, user.is_staff, user.capacity) == ("Noor Haddad", {"agent"}, True, 12)
    assert [m.queue for m in user.queue_memberships.all()] == [queue]
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    (sent,) = mailoutbox
    assert sent.to == ["noor@guichet.test"]
    link = re.search(r"http://127\.0\.0\.1:8000/accounts/password/reset/key/\S+", sent.body)
    assert link
    assert Client().get(link[0].removeprefix("http://127.0.0.1:8000")).status_code == 302


def test_changes_and_deactivation(login: Any, administrator: Any, agent: Any, queue: Any) -> None:
    client, hers = login(administrator), Client()
    hers.force_login(agent, backend="crm.organisation.backends.PasswordBackend")
    assert hers.get("/desk/inbox/").status_code == 200
    client.post(f"/desk/people/edit/{agent.pk}/", form(email=agent.email, roles=["agent", "marketer"], is_active="on"))
    agent = User.objects.get(pk=agent.pk)
    assert agent.roles == {"agent", "marketer"}
    assert list(agent.queue_memberships.all()) == []
    client.post(f"/desk/people/edit/{agent.pk}/", form(email=agent.email))
    assert not User.objects.get(pk=agent.pk).is_active
    assert hers.get("/desk/inbox/")["Location"].startswith("/accounts/login/")


def test_an_address_is_one_persons(login: Any, administrator: Any, agent: Any) -> None:
    response = login(administrator).post("/desk/people/new/", form(email=agent.email.upper()))
    assert "Somebody has a login with this address already." in response.content.decode()
    assert User.objects.filter(email__iexact=agent.email).count() == 1


def test_nobody_locks_himself_out(login: Any, administrator: Any) -> None:
    client = login(administrator)
    for changed in ({"roles": ["agent"], "is_active": "on"}, {"roles": ["administrator"]}):
        page = client.post(f"/desk/people/edit/{administrator.pk}/", form(email=administrator.email, **changed))
        assert "You cannot lock yourself out." in page.content.decode()
    assert User.objects.get(pk=administrator.pk).roles == {"administrator"}


def test_the_last_administrator_stays(administrator: Any, db: None) -> None:
    root = User.objects.create_superuser("root@guichet.test", "x")
    people.check_change(administrator, ["agent"], True, by=root)
    root.is_active = False
    root.save()
    other = factories.StaffFactory(role="administrator")
    people.check_change(administrator, ["agent"], True, by=other)
    people.save_colleague(other, ["agent"], [], by=administrator)
    with pytest.raises(ValidationError, match="last administrator"):
        people.check_change(administrator, ["agent"], True, by=User(pk=0, is_superuser=True))


@pytest.mark.parametrize("role", ["administrator", "supervisor", "editor"])
def test_only_what_one_has_can_be_given(role: str, supervisor: Any, agent: Any) -> None:
    """Even supervisors who were given the permission to change users give no role that they lack."""
    from django.contrib.auth.models import Group, Permission

    Group.objects.get(name="supervisor").permissions.add(Permission.objects.get(codename="change_user"))
    supervisor = User.objects.get(pk=supervisor.pk)
    if role == "supervisor":
        people.check_change(agent, ["agent", "supervisor"], True, by=supervisor)
        return
    with pytest.raises(PermissionDenied):
        people.check_change(agent, ["agent", role], True, by=supervisor)


def test_an_administrator_is_out_of_reach_of_others(supervisor: Any, administrator: Any) -> None:
    from django.contrib.auth.models import Group, Permission

    Group.objects.get(name="supervisor").permissions.add(Permission.objects.get(codename="change_user"))
    with pytest.raises(PermissionDenied):
        people.check_change(administrator, ["administrator"], False, by=User.objects.get(pk=supervisor.pk))


@pytest.mark.parametrize("role", ["supervisor", "agent", "marketer", "editor"])
def test_others_change_nobody(role: str, request: pytest.FixtureRequest, login: Any, administrator: Any) -> None:
    colleague = request.getfixturevalue(role)
    client = login(colleague)
    for pk in (colleague.pk, administrator.pk):
        assert (
            client.post(f"/desk/people/edit/{pk}/", form(roles=["administrator"], is_superuser="on"))["Location"]
            == "/desk/"
        )
    assert client.post("/desk/people/new/", form(roles=["administrator"]))["Location"] == "/desk/"
    assert User.objects.get(pk=colleague.pk).roles == {role}
    assert not User.objects.filter(email="noor@guichet.test").exists()


def test_a_profile_grants_nothing(login: Any, agent: Any) -> None:
    """What is not in the form is not taken from the body (S-31)."""
    body = {"name": "Lin Mei", "signature": "Kind regards", "language": "zh-hans", "time_zone": "Asia/Shanghai", "theme": "dark", "density": "snug",
            "chats_at_once": "4", "roles": "administrator", "is_superuser": "on", "is_staff": "on", "email": "root@guichet.test", "groups": "1"}  # fmt: skip
    assert login(agent).post("/desk/profile/", body)["Location"] == "/desk/profile/"
    user = User.objects.get(pk=agent.pk)
    assert (user.name, user.signature, user.language, user.time_zone) == (
        "Lin Mei",
        "Kind regards",
        "zh-hans",
        "Asia/Shanghai",
    )
    assert (user.roles, user.is_superuser, user.email) == ({"agent"}, False, "agent@guichet.test")
    assert (user.wagtail_userprofile.theme, user.wagtail_userprofile.density) == ("dark", "snug")
    assert "w-theme-dark" in login(user).get("/desk/profile/").content.decode()


def test_customers_are_not_in_the_list_of_people(login: Any, administrator: Any, customer_user: Any) -> None:
    client = login(administrator)
    assert customer_user.email not in client.get("/desk/people/").content.decode()
    assert client.get(f"/desk/people/edit/{customer_user.pk}/").status_code == 404


def test_a_department_is_not_part_of_itself(login: Any, administrator: Any) -> None:
    above = factories.DepartmentFactory(name="Service")
    below = Department.objects.create(name="Field", parent=above)
    page = login(administrator).post(f"/desk/departments/edit/{above.pk}/", {"name": "Service", "parent": below.pk})
    assert "This would make the department part of itself." in page.content.decode()


def test_notifications_are_ones_own(login: Any, agent: Any, supervisor: Any) -> None:
    from crm.organisation.services import notify

    notify([agent], "For the agent")
    notify([supervisor], "For the supervisor")
    page = login(agent).get("/desk/notifications/").content.decode()
    assert "For the agent" in page
    assert "For the supervisor" not in page
    login(agent).post("/desk/notifications/read/")
    assert agent.notifications.get().read_at is not None
    assert supervisor.notifications.get().read_at is None
