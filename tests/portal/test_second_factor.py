"""Colleagues show a second factor, whatever way they come; sensitive deeds ask who is there (S-82)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as PROOFS
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from core.sessions import SessionStore
from crm.organisation.models import User
from inbox.workspace.consumers import DeskConsumer

pytestmark = pytest.mark.django_db
PASSWORD = "coffee-machine-9"


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = "required"


@pytest.fixture
def colleague(agent: Any) -> Any:
    agent.set_password(PASSWORD)
    agent.save()
    EmailAddress.objects.create(user=agent, email=agent.email, verified=True, primary=True)
    return agent


@pytest.fixture
def secret(colleague: Any) -> str:
    """Of the app on the colleague's phone."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(colleague, secret)
    RecoveryCodes.activate(colleague)
    return secret


def code(secret: str, step: int = 0) -> str:
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return totp.format_hotp_value(totp.hotp_value(secret, counter + step))


def give_password(client: Client, user: Any) -> Any:
    return client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})


def desk(client: Client) -> Any:
    return client.get("/desk/inbox/")


@pytest.mark.django_db(transaction=True)
def test_the_first_login_leads_to_the_set_up_and_then_to_the_desk(client: Client, colleague: Any) -> None:
    give_password(client, colleague)
    other = Client()
    give_password(other, colleague)
    assert desk(client)["Location"] == reverse("mfa_index")
    page = client.get(reverse("mfa_index"))
    assert "Colleagues need a second factor" in page.content.decode()
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer.status_code == 302
    assert desk(client).status_code == 200
    assert other.session.get("_auth_user_id") is None  # every other session of his has ended
    stored = Authenticator.objects.get(user=colleague, type="totp").data["secret"]
    assert secret not in stored


@pytest.mark.django_db(transaction=True)
def test_the_code_that_connected_the_app_is_used_up(client: Client, colleague: Any) -> None:
    give_password(client, colleague)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    used = code(secret)
    assert client.post(reverse("mfa_activate_totp"), {"code": used}).status_code == 302
    thief = Client()
    give_password(thief, colleague)
    thief.post(reverse("mfa_authenticate"), {"code": used})
    assert desk(thief).status_code == 302


def test_password_and_code_open_the_desk_and_a_code_serves_once(client: Client, colleague: Any, secret: str) -> None:
    assert give_password(client, colleague)["Location"].startswith(reverse("mfa_authenticate"))
    assert desk(client)["Location"].startswith(reverse("account_login"))
    used = code(secret)
    client.post(reverse("mfa_authenticate"), {"code": used})
    assert desk(client).status_code == 200
    thief = Client()
    give_password(thief, colleague)
    thief.post(reverse("mfa_authenticate"), {"code": used})
    assert desk(thief).status_code == 302


def test_codes_cannot_be_guessed(client: Client, colleague: Any, secret: str) -> None:
    give_password(client, colleague)
    for _ in range(7):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert desk(client).status_code == 302


def test_the_code_of_somebody_else_opens_nothing(client: Client, colleague: Any, secret: str, supervisor: Any) -> None:
    theirs = totp.generate_totp_secret()
    totp.TOTP.activate(supervisor, theirs)
    give_password(client, colleague)
    client.post(reverse("mfa_authenticate"), {"code": code(theirs)})
    assert desk(client).status_code == 302


def test_a_recovery_code_serves_once(colleague: Any, secret: str) -> None:
    codes = Authenticator.objects.get(user=colleague, type="recovery_codes").wrap().get_unused_codes()
    for expected in (200, 302):
        client = Client()
        give_password(client, colleague)
        client.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert desk(client).status_code == expected


PATHS = (
    "/desk/",
    "/desk/inbox/",
    "/desk/inbox/counts/",
    "/desk/profile/",
    "/desk/login/",
    "/desk/jsi18n/",
    "/my/",
    "/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/download/",
    "/accounts/2fa/recovery-codes/generate/",
)


@pytest.mark.parametrize("path", PATHS)
def test_an_old_session_gets_nowhere_but_to_the_code(login: Any, colleague: Any, secret: str, path: str) -> None:
    """A session from before the factor was set up has proved a password only; so has whoever stole it."""
    client = login(colleague)
    if not path.startswith("/accounts/2fa/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    else:
        assert client.get(path)["Location"].startswith(reverse("mfa_reauthenticate"))
    assert client.post(path).status_code == 403
    client.post(reverse("mfa_reauthenticate"), {"code": code(secret)})
    assert desk(client).status_code == 200


@pytest.mark.parametrize("path", PATHS[:-4])
def test_without_a_factor_every_address_leads_to_the_set_up(login: Any, colleague: Any, path: str) -> None:
    client = login(colleague)
    assert client.get(path)["Location"] == reverse("mfa_index")
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 403
    assert client.get(path, headers={"accept": "application/json"}).status_code == 403


def test_a_new_password_by_mail_does_not_replace_the_factor(
    client: Client, colleague: Any, secret: str, mailoutbox: list[Any]
) -> None:
    from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
    from allauth.account.utils import user_pk_to_url_str

    key = EmailAwarePasswordResetTokenGenerator().make_token(colleague)
    url = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(colleague), key])
    url = client.get(url)["Location"]
    client.post(url, {"password1": "another-machine-7", "password2": "another-machine-7"})
    assert User.objects.get(pk=colleague.pk).check_password("another-machine-7")
    assert desk(client)["Location"].startswith(reverse("account_login"))


def test_the_socket_asks_too(colleague: Any, settings: Any) -> None:
    consumer = DeskConsumer()
    consumer.user = colleague
    consumer.scope = {"session": SessionStore()}
    from asgiref.sync import async_to_sync

    assert async_to_sync(consumer._first_grant)(None) is None  # type: ignore[arg-type]


def test_customers_do_as_they_like(login: Any, customer_user: Any) -> None:
    assert login(customer_user).get("/my/").status_code in (200, 302)
    assert login(customer_user).get(reverse("portal:tickets")).status_code == 200


def test_who_takes_the_factor_away_ends_the_other_sessions(client: Client, customer_user: Any) -> None:
    """S-81"""
    customer_user.set_password(PASSWORD)
    customer_user.save()
    EmailAddress.objects.create(user=customer_user, email=customer_user.email, verified=True, primary=True)
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(customer_user, secret)
    other = Client()
    for moment, each in enumerate((other, client)):
        give_password(each, customer_user)
        with time_machine.travel(timezone.now() + timedelta(minutes=moment - 1)):  # a code serves once
            each.post(reverse("mfa_authenticate"), {"code": code(secret)})
        assert each.get("/my/tickets/").status_code == 200
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(user=customer_user, type="totp").exists()
    assert client.get("/my/tickets/").status_code == 200
    assert other.get("/my/tickets/").status_code == 302


def test_a_colleague_cannot_drop_the_factor_and_an_administrator_can(
    login: Any, client: Client, colleague: Any, secret: str, administrator: Any, settings: Any
) -> None:
    give_password(client, colleague)
    client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=colleague, type="totp").exists()
    way_out = reverse("mfa_deactivate_totp")
    assert way_out not in client.get(reverse("mfa_index")).content.decode()
    codes = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert codes.count("<li>") == 10 and 'href="/desk/"' in codes  # what they are for, and the way on
    settings.STAFF_SECOND_FACTOR = "optional"
    assert way_out in client.get(reverse("mfa_index")).content.decode()
    settings.STAFF_SECOND_FACTOR = "required"
    settings.STAFF_SECOND_FACTOR = "optional"
    boss = Client()
    boss.force_login(administrator, backend="crm.organisation.backends.PasswordBackend")
    url = reverse("people:edit", args=[colleague.pk])
    page = boss.get(url).context["form"]
    assert "forget" in page.fields
    data = {"name": "Agent", "email": colleague.email, "roles": ["agent"], "is_active": "on", "capacity": 20}
    assert boss.post(url, {**data, "forget": "on"}).status_code == 302
    assert not Authenticator.objects.filter(user=colleague).exists()
    assert desk(client).status_code == 302
    assert AuditEntry.objects.filter(deed="second-factor", actor=administrator.pk, about=colleague.email).exists()


def test_the_command_brings_the_last_administrator_back(colleague: Any, secret: str) -> None:
    call_command("forget_second_factor", colleague.email)
    assert not Authenticator.objects.filter(user=colleague).exists()
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("forget_second_factor", colleague.email)
    with pytest.raises(CommandError, match="Nobody"):
        call_command("forget_second_factor", "nobody@guichet.test")


@pytest.mark.parametrize(
    "path", ["/desk/people/new/", "/desk/people/?export=csv", "/desk/contacts/?export=csv", "/desk/channels/new/"]
)
def test_sensitive_deeds_need_a_recent_proof(login: Any, administrator: Any, settings: Any, path: str) -> None:
    settings.STAFF_SECOND_FACTOR = "optional"
    client = login(administrator)
    assert client.get(path).status_code == 200
    session = client.session
    session[PROOFS] = [{"method": "password", "at": time.time() - 16 * 60}]
    session.save()
    assert client.get(path)["Location"].startswith(reverse("account_reauthenticate"))
    if "export" not in path:
        assert client.post(path, {}).status_code == 200  # the form was open: it says what is missing
        session[PROOFS][0]["at"] -= 3600
        session.save()
        before = User.objects.count()
        assert client.post(path, {"name": "X"})["Location"].startswith(reverse("account_reauthenticate"))
        assert User.objects.count() == before
