"""Headers by area, and what is believed of a request."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client, override_settings

from core import logs
from portal import security
from tests import factories

PORTAL_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "manifest-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
DESK_POLICY = {
    **PORTAL_POLICY,
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "frame-ancestors": "'self'",
}


def policy(response: Any) -> dict[str, str]:
    """Directives of the answer's policy, without the nonce, which is another one each time."""
    found = {}
    for directive in response["Content-Security-Policy"].split(";"):
        name, _, value = directive.strip().partition(" ")
        found[name] = re.sub(r" ?'nonce-[^']+'", "", value).strip()
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nothing/"]
)
def test_the_portal_runs_no_script_but_ours(client: Client, path: str) -> None:
    assert policy(client.get(path)) == PORTAL_POLICY


@pytest.mark.parametrize("path", ["/desk/", "/desk/customers/", "/desk/inbox/", "/desk/profile/", "/desk/nothing/"])
def test_the_desk_may_position_its_menus(login: Any, administrator: Any, path: str) -> None:
    assert policy(login(administrator).get(path)) == DESK_POLICY


@pytest.mark.parametrize("path", ["/", "/desk/", "/accounts/login/"])
def test_other_headers(login: Any, administrator: Any, path: str) -> None:
    response = login(administrator).get(path)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "camera=()" in response["Permissions-Policy"]
    assert re.fullmatch(r"[0-9a-f]{16}", response["X-Request-ID"])


@pytest.mark.django_db
def test_an_address_that_is_a_secret_is_not_told_on(client: Client) -> None:
    response = client.get("/accounts/password/reset/key/1-abc/")
    assert response["Referrer-Policy"] == "strict-origin"


def test_pages_for_one_person_are_not_kept(login: Any, administrator: Any, anna: Any) -> None:
    desk = ("/desk/", "/desk/customers/", "/desk/journal/", "/desk/calls/", "/desk/calls/statistics/", "/desk/none/")
    own = ("/my/tickets/", "/my/account/", "/my/tickets/1/", "/accounts/email/", "/accounts/2fa/")
    for person, paths in ((administrator, desk), (anna, own)):
        browser = login(person)
        for path in paths:
            assert "no-store" in browser.get(path)["Cache-Control"], path


# What a peer says of itself (S-62)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, garbage", "10.0.0.1"),
        ("", "198.51.100.7", ""),
        ("2001:db8::1", "198.51.100.7", "2001:db8::1"),
    ],
)
def test_client_address(peer: str, forwarded: str, expected: str) -> None:
    with override_settings(TRUSTED_PROXIES=["10.0.0.0/24"]):
        security._trusted.cache_clear()
        assert security.client_address(peer, forwarded) == expected
    security._trusted.cache_clear()


def seen(**headers: str) -> dict[str, Any]:
    """META as views see it."""
    kept: dict[str, Any] = {}

    def view(request: Any) -> Any:
        from django.http import HttpResponse

        kept.update(request.META)
        return HttpResponse()

    from django.test import RequestFactory

    security.peer_middleware(view)(RequestFactory().get("/", **headers))
    return kept


def test_nothing_a_stranger_claims_reaches_a_view() -> None:
    claims = {
        "HTTP_X_FORWARDED_FOR": "1.2.3.4",
        "HTTP_X_REAL_IP": "1.2.3.4",
        "HTTP_X_FORWARDED_HOST": "evil.test",
        "HTTP_FORWARDED": "for=1.2.3.4;host=evil.test",
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_REMOTE_USER": "administrator@guichet.test",
        "HTTP_X_REMOTE_USER": "administrator@guichet.test",
    }
    meta = seen(REMOTE_ADDR="203.0.113.9", **claims)
    assert meta["REMOTE_ADDR"] == "203.0.113.9"
    assert not set(claims) & set(meta)


@pytest.mark.django_db
def test_login_limits_count_the_true_address(client: Client) -> None:
    """Ten failures a minute from one address; a new X-Forwarded-For each time does not help."""
    body = {"login": "nobody@customer.test", "password": "wrong"}
    statuses = [
        client.post(
            "/accounts/login/", {**body, "login": f"n{n}@customer.test"}, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}"
        ).status_code
        for n in range(12)
    ]
    assert statuses[:9] == [200] * 9
    last = client.post("/accounts/login/", body, HTTP_X_FORWARDED_FOR="198.51.100.99")
    assert last.status_code == 429 or "Too many" in last.content.decode()


# Hosts and redirects (S-59, S-61)


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "127.0.0.1@evil.test", "evil.test\\@127.0.0.1"])
def test_a_foreign_host_is_refused(client: Client, host: str) -> None:
    assert client.get("/accounts/login/", HTTP_HOST=host).status_code == 400
    assert client.post("/accounts/password/reset/", {"email": "anna@customer.test"}, HTTP_HOST=host).status_code == 400
    assert mail.outbox == []


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "/\\evil.test",
        "https:evil.test",
        "\t//evil.test",
        "javascript:alert(1)",
        "https://evil.test/desk/",
    ],
)
def test_next_stays_here(client: Client, db: None, target: str) -> None:
    from allauth.account.models import EmailAddress

    user = factories.UserFactory(email="anna@customer.test")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    response = client.post("/accounts/login/", {"login": user.email, "password": "correct horse", "next": target})
    assert response.status_code == 302
    assert response["Location"] == "/my/tickets/"


def test_a_notification_leads_nowhere_else(login: Any, agent: Any) -> None:
    from crm.organisation.models import Notification

    for url in ("https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test"):
        notification = Notification.objects.create(user=agent, text="x", url=url)
        assert login(agent).post(f"/desk/notifications/{notification.pk}/open/")["Location"] == "/desk/notifications/"
    own = Notification.objects.create(user=agent, text="x", url="/desk/inbox/")
    assert login(agent).post(f"/desk/notifications/{own.pk}/open/")["Location"] == "/desk/inbox/"


def test_after_login_wagtail_does_not_lead_away(login: Any, administrator: Any) -> None:
    customer = factories.CustomerFactory(name="Gone")
    response = login(administrator).post(f"/desk/customers/delete/{customer.pk}/?next=https://evil.test/", {})
    assert response["Location"] == "/desk/customers/"


# Closed doors (S-34)


@pytest.mark.parametrize(
    "path",
    [
        "/django-admin/", "/admin/", "/__debug__/", "/.git/config", "/.env", "/static/core/css/tokens.css.map", "/static/../portal/settings.py",
        "/files/raw/", "/media/", "/var/keys/secret_key", "/desk/failwhale/", "/desk/test404/", "/desk/password_reset/", "/desk/api/main/pages/",
        "/desk/groups/", "/desk/users/", "/desk/reports/site-history/", "/desk/bulk/organisation/user/delete/", "/api/v1/docs", "/api/v1/openapi.json",
    ],
)  # fmt: skip
def test_nothing_is_left_open(login: Any, administrator: Any, path: str) -> None:
    assert Client().get(path).status_code in (302, 404)
    assert login(administrator).get(path).status_code == 404


@pytest.mark.django_db
def test_figures_need_their_token(client: Client) -> None:
    response = client.get("/metrics")
    assert response.status_code in (200, 404)
    assert b"@" not in response.content


# Too much of everything (S-71)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/desk/customers/", "/desk/tickets/"])
def test_ten_thousand_parameters(login: Any, administrator: Any, path: str) -> None:
    query = "&".join(f"a{n}=1" for n in range(10_000))
    assert login(administrator).get(f"{path}?{query}").status_code in (200, 400)
    assert login(administrator).post(path, {f"a{n}": "1" for n in range(10_000)}).status_code in (400, 405)


@pytest.mark.parametrize(
    "query",
    [
        "p=" + "9" * 100_000,
        "ordering=" + "x" * 50_000,
        "q=%00%ed%a0%80",
        "q=" + "%22" * 3_000,
        "opened_at_from=9999999-1-1",
        "status=%00",
        "assignee=" + "9" * 50,
    ],
)
def test_odd_queries_are_no_fault(login: Any, administrator: Any, query: str) -> None:
    factories.TicketFactory()
    assert login(administrator).get(f"/desk/tickets/?{query}").status_code in (200, 400)


# Sessions


def test_a_forgotten_session_of_a_colleague_ends(login: Any, agent: Any) -> None:
    client = login(agent)
    assert client.get("/desk/profile/").status_code == 200
    session = client.session
    session["seen_at"] -= security.IDLE_SECONDS + 1
    session.save()
    assert client.get("/desk/profile/")["Location"] == "/accounts/login/?next=/desk/profile/"


def test_the_desk_does_not_exist_for_customers(login: Any, customer_user: Any) -> None:
    for path in ("/desk/", "/desk/nothing/", "/desk/customers/"):
        assert login(customer_user).get(path).status_code == 404


def test_language_and_time_are_the_readers_own(login: Any, agent: Any) -> None:
    agent.language, agent.time_zone = "zh-hans", "Asia/Shanghai"
    agent.save()
    assert '<html lang="zh-hans"' in login(agent).get("/desk/profile/").content.decode()


# Log lines


def test_a_log_line_names_its_request() -> None:
    record = logging.LogRecord("guichet", logging.INFO, "", 0, "done\nforged", None, None)
    token = logs.request_id.set("0123456789abcdef")
    try:
        assert logs.RequestIdFilter().filter(record)
    finally:
        logs.request_id.reset(token)
    line = logs.JsonFormatter().format(record)
    assert json.loads(line)["request"] == "0123456789abcdef"
    assert "\n" not in line


# The deployment's self-test


def deployed(**changed: str) -> subprocess.CompletedProcess[str]:
    keys = {
        name: name.lower() + "-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for name in ("SECRET_KEY", "CHANNEL_KEY", "TOKEN_KEY")
    }
    env = {
        "PATH": "/usr/bin:/bin",
        "BASE_URL": "https://desk.example.com",
        "USERCONTENT_URL": "https://files.example.com",
        "ALLOWED_HOSTS": "desk.example.com,files.example.com",
        "TRUSTED_PROXIES": "10.0.0.1",
        "GUICHET_VAR": str(settings.VAR_DIR),
        **keys,
        **changed,
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=120)


def test_a_proper_deployment_has_nothing_to_say() -> None:
    done = deployed()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"SECRET_KEY": "short"}, "guichet.E001"),
        ({"CHANNEL_KEY": "x" * 60, "TOKEN_KEY": "x" * 60}, "guichet.E002"),
        ({"BASE_URL": "http://desk.example.com"}, "guichet.E003"),
        ({"ALLOWED_HOSTS": "*"}, "guichet.E004"),
        ({"DEBUG": "1"}, "guichet.E005"),
        ({"USERCONTENT_URL": ""}, "guichet.W002"),
        ({"TRUSTED_PROXIES": ""}, "guichet.W003"),
    ],
)
def test_what_is_missing_is_told(changed: dict[str, str], told: str) -> None:
    done = deployed(**changed)
    assert done.returncode == 1
    assert told in done.stderr


@pytest.mark.django_db
def test_whoever_only_wants_the_head_gets_it(login: Any, anna: Any) -> None:
    """Monitors and link checkers ask so (RFC 9110, 9.3.2): a page that there is must not look broken to them."""
    browser = login(anna)
    for path in ("/", "/contact/sent/", "/my/tickets/", "/my/account/"):
        asked = browser.head(path)
        assert (asked.status_code, asked.content) == (200, b""), path
