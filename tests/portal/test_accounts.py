"""Signing up, logging in, changing the address (S-45, S-59, S-61, S-80, S-81)."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from inbox.models import Delivery
from portal.visitors import safe_next
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "window seat 42"
NEW = {"name": "Nora Neu", "email": "nora@new.test", "password1": PASSWORD}
EVIL = ["//evil.test", "/\\evil.test", "https://evil.test/", "https:evil.test", "\t//evil.test", "javascript:alert(1)", "///x", "http:///evil.test", "evil.test"]  # fmt: skip


def sign_up(client: Client, **changed: Any) -> Any:
    return client.post("/accounts/signup/", {**NEW, **changed})


def link(number: int = -1) -> str:
    return re.search(r"https?://[^/\s]+(/accounts/\S+)", mail.outbox[number].body)[1]


def verified(user: User) -> User:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def change_address(client: Client, address: str) -> None:
    """Ask for another address, and prove it is oneself when asked."""
    asked = client.post("/accounts/email/", {"action_add": "", "email": address})
    client.post(asked["Location"], {"password": "correct horse", "next": "/accounts/email/"})


@pytest.fixture
def waiting_ticket(queue: Any) -> Any:
    """A ticket that came by mail from an address that has no account."""
    contact = factories.ContactFactory(name="Nora", email="nora@new.test")
    return factories.TicketFactory(queue=queue, contact=contact, subject="Earlier by mail")


def test_tickets_appear_once_the_address_is_proved(client: Client, waiting_ticket: Any) -> None:
    assert sign_up(client).status_code == 302
    user = User.objects.get(email="nora@new.test")
    assert client.get("/my/tickets/").status_code == 302
    # Even with a session that somehow exists nothing may be seen: nobody proved anything yet (S-45).
    other = Client()
    other.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    assert "Earlier by mail" not in other.get("/my/tickets/").content.decode()
    assert other.get(f"/my/tickets/{waiting_ticket.number}/").status_code == 404
    assert Contact.objects.filter(user=user).count() == 0
    other.get(link())
    assert Contact.objects.filter(user=user).count() == 0
    other.post(link())
    assert Contact.objects.get(user=user) == waiting_ticket.contact
    assert ContactPoint.objects.get(value="nora@new.test").verified_at is not None
    assert "Earlier by mail" in other.get("/my/tickets/").content.decode()


def test_sign_up_verify_log_in(client: Client) -> None:
    sign_up(client)
    assert client.post("/accounts/login/", {"login": NEW["email"], "password": PASSWORD})["Location"] == (
        "/accounts/confirm-email/"
    )
    client.post(link())
    client.logout()
    answer = client.post("/accounts/login/", {"login": "NORA@new.test", "password": PASSWORD})
    assert answer["Location"] == "/my/tickets/"
    user = User.objects.get(email="nora@new.test")
    assert (user.name, user.is_staff, user.is_superuser) == ("Nora Neu", False, False)


@pytest.mark.parametrize("page", ["login", "signup", "password/reset"])
def test_fields_do_not_say_their_label_twice(page: str, client: Client) -> None:
    assert "placeholder" not in client.get(f"/accounts/{page}/").content.decode()


def test_sign_up_cannot_make_a_colleague(client: Client) -> None:
    sign_up(client, is_staff="1", is_superuser="1", is_active="1", groups="1", role="administrator")
    user = User.objects.get(email="nora@new.test")
    assert (user.is_staff, user.is_superuser, list(user.groups.all())) == (False, False, [])


def test_a_taken_address_is_not_told(client: Client, anna: Any) -> None:
    verified(anna)
    fresh, taken = sign_up(client), sign_up(Client(), email=anna.email)
    assert (fresh.status_code, fresh["Location"]) == (taken.status_code, taken["Location"])
    assert User.objects.filter(email=anna.email).count() == 1
    assert [m.to for m in mail.outbox] == [["nora@new.test"], [anna.email]]


class CountedHasher(MD5PasswordHasher):
    """Counts the passwords that it works on: with the hashers of a real installation they are what takes time."""

    algorithm = "counted"
    worked = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).worked += 1
        return super().encode(password, salt)


def test_no_address_is_told_by_the_time_it_takes(settings: Any, db: None) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    known, gone, without = (User.objects.create_user(f"{name}@known.test", PASSWORD) for name in ("a", "b", "c"))
    gone.is_active = False
    gone.save()
    without.set_unusable_password()
    without.save()
    for each in (known, gone, without):
        verified(each)
    sign_up(Client(), email="unproved@known.test")
    addresses = [known.email, gone.email, without.email, "unproved@known.test", "nobody@nowhere.test"]

    def work(path: str, **sent: str) -> int:
        before = CountedHasher.worked
        Client().post(path, sent)
        return CountedHasher.worked - before

    assert len({work("/accounts/login/", login=each, password="wrong") for each in addresses}) == 1
    assert {work("/accounts/signup/", **{**NEW, "email": each}) for each in addresses} == {1}
    assert {work("/accounts/password/reset/", email=each) for each in addresses} == {0}


def test_a_mail_server_that_is_down_is_not_noticed(settings: Any, monkeypatch: Any, anna: Any, channel: Any) -> None:
    """S-80: nobody waits for it, and the answer is the same whether or not there is somebody to write to."""
    settings.EMAIL_BACKEND = "inbox.channels.email.system_mail.QueuedEmailBackend"
    verified(anna)
    called: list[Any] = []

    def refuse(_socket: Any, address: Any) -> None:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for path, sent in (("signup", NEW), ("password/reset", {}), ("login", {"password": "wrong"})):
        answers = [
            Client().post(f"/accounts/{path}/", {**sent, "email": address, "login": address})
            for address in (anna.email, "xxxx@schmidt.test")
        ]
        assert len({(answer.status_code, answer.get("Location")) for answer in answers}) == 1, path
    assert Delivery.objects.filter(purpose="system", state="queued").count() == 4
    assert [address for address in called if address[1] in (25, 465, 587)] == []


@pytest.mark.parametrize("path", ["signup", "password/reset"])
def test_nobody_is_buried_in_mail_from_our_forms(path: str, time_machine: Any) -> None:
    """S-50: three mails an hour and five a day to one address, whoever types it in how often."""
    time_machine.move_to("2030-03-04 08:00+00:00", tick=False)
    told = []
    for _hour in range(4):
        for _turn in range(12):
            Client().post(f"/accounts/{path}/", {**NEW, "email": "victim@far.test"})
            time_machine.shift(300)
        told.append(len(mail.outbox))
    assert told[0] == 3 and told[-1] == 5


def test_reset_answers_the_same_for_everybody(client: Client, anna: Any) -> None:
    verified(anna)
    pages = []
    for address in (anna.email, "nobody@nowhere.test"):
        answer = Client().post("/accounts/password/reset/", {"email": address}, follow=True)
        pages.append((answer.status_code, answer.redirect_chain, len(answer.content)))
    assert pages[0] == pages[1]


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, anna: Any) -> None:
    verified(anna)
    pages = [
        Client().post("/accounts/login/", {"login": address, "password": "wrong"}).content.decode()
        for address in (anna.email, "xxxx@schmidt.test")
    ]
    cleaned = [re.sub(r'(csrfmiddlewaretoken" value=")[^"]+|[\w.]+@schmidt.test', "", page) for page in pages]
    assert cleaned[0] == cleaned[1]


@pytest.mark.parametrize(
    ("role", "target"), [("agent", "/desk/inbox/"), ("supervisor", "/desk/inbox/"), ("editor", "/desk/")]
)
def test_colleagues_land_on_the_desk(role: str, target: str, request: Any, client: Client) -> None:
    user = verified(request.getfixturevalue(role))
    answer = client.post("/accounts/login/", {"login": user.email, "password": "correct horse"})
    assert answer["Location"] == target


@pytest.mark.parametrize("url", EVIL)
def test_nobody_is_sent_elsewhere(url: str, anna: Any) -> None:
    verified(anna)
    client = Client()
    given = {"login": anna.email, "password": "correct horse", "next": url}
    assert client.post("/accounts/login/", given)["Location"] == "/my/tickets/"
    assert client.post("/language/", {"language": "zh-hans", "next": url})["Location"] == "/"
    assert client.post("/theme/", {"theme": "dark", "next": url})["Location"] == "/"
    assert client.post("/accounts/logout/", {"next": url})["Location"] == "/"


def test_a_path_of_ours_is_followed(anna: Any, client: Client) -> None:
    verified(anna)
    given = {"login": anna.email, "password": "correct horse", "next": "/my/account/?a=1"}
    assert client.post("/accounts/login/", given)["Location"] == "/my/account/?a=1"
    assert safe_next("/my/", "/") == "/my/"


@pytest.mark.parametrize(
    "header", [{"host": "evil.test"}, {"x-forwarded-host": "evil.test"}, {"forwarded": "host=evil.test"}]
)
def test_links_in_mail_come_from_the_settings(header: dict[str, str], settings: Any, anna: Any) -> None:
    verified(anna)
    settings.BASE_URL = "https://help.guichet.test"
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(headers=header)
    sign_up(client)
    sign_up(client, email=anna.email)
    for address in (anna.email, "nobody@nowhere.test"):
        client.post("/accounts/password/reset/", {"email": address})
    assert len(mail.outbox) == 4
    for message in mail.outbox:
        everything = message.body + str(message.alternatives[0][0])
        assert "evil.test" not in everything
        assert set(re.findall(r"https?://[\w.:-]+", everything)) == {"https://help.guichet.test"}


def test_an_unknown_host_is_refused_and_nothing_is_sent(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["help.guichet.test"]
    assert sign_up(Client(headers={"host": "evil.test"})).status_code == 400
    assert mail.outbox == []


def test_the_confirmation_does_not_carry_the_name(client: Client) -> None:
    sign_up(client, name="BUY-PILLS https://evil.test")
    message = mail.outbox[0]
    assert "BUY-PILLS" not in message.subject + message.body + str(message.alternatives[0][0])


def test_mail_is_in_the_persons_language(anna: Any, client: Client) -> None:
    verified(anna)
    anna.language = "zh-hans"
    anna.save()
    client.post("/accounts/password/reset/", {"email": anna.email})
    assert mail.outbox[0].subject == "密码重置邮件"
    assert '<html lang="zh-hans">' in mail.outbox[0].alternatives[0][0]


def test_a_new_address_counts_when_it_is_proved_and_the_old_one_agrees(anna: Any, client: Client) -> None:
    """S-45: two links, one in each mailbox; each looks at first and acts on the button, and serves once."""
    verified(anna)
    client.post("/accounts/login/", {"login": anna.email, "password": "correct horse"})
    change_address(client, "anna@private.test")
    anna.refresh_from_db()
    assert anna.email == "anna@schmidt.test"
    assert mail.outbox[-1].to == ["anna@private.test"]
    client.post(link())
    anna.refresh_from_db()
    assert anna.email == "anna@schmidt.test"
    assert mail.outbox[-1].to == ["anna@schmidt.test"]
    assert "anna@private.test" in mail.outbox[-1].body
    agreement = re.search(r"https?://[^/\s]+(/my/account/key/\S+)", mail.outbox[-1].body)[1]
    stranger = Client()
    assert stranger.get(agreement).status_code == 200
    assert stranger.post(agreement[:-3] + "xyz/").status_code == 410
    anna.refresh_from_db()
    assert anna.email == "anna@schmidt.test"
    assert stranger.post(agreement).status_code == 200
    anna.refresh_from_db()
    assert anna.email == "anna@private.test"
    assert list(EmailAddress.objects.filter(user=anna).values_list("email", "verified")) == [(anna.email, True)]
    assert [stranger.get(agreement).status_code, stranger.post(agreement).status_code] == [410, 410]
    assert set(anna.contact.points.values_list("value", flat=True)) == {"anna@schmidt.test", "anna@private.test"}


def test_changing_to_a_victims_address_shows_nothing(anna: Any, waiting_ticket: Any, client: Client) -> None:
    verified(anna)
    client.post("/accounts/login/", {"login": anna.email, "password": "correct horse"})
    change_address(client, "nora@new.test")
    assert mail.outbox[-1].to == ["nora@new.test"]
    assert "Earlier by mail" not in client.get("/my/tickets/").content.decode()
    assert client.get(f"/my/tickets/{waiting_ticket.number}/").status_code == 404


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/2fa/totp/activate/"])
def test_account_changes_ask_for_the_password_again(path: str, anna: Any, client: Client) -> None:
    verified(anna)
    client.force_login(anna, backend="crm.organisation.backends.PasswordBackend")
    answer = client.post(path, {"action_add": "", "email": "x@y.test"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert mail.outbox == []


def test_a_new_password_ends_other_sessions(anna: Any, client: Client) -> None:
    verified(anna)
    other = Client()
    for each in (client, other):
        each.post("/accounts/login/", {"login": anna.email, "password": "correct horse"})
    given = {"oldpassword": "correct horse", "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/password/change/", given).status_code == 302
    assert other.get("/my/tickets/").status_code == 302
    assert mail.outbox[-1].to == [anna.email]


def test_language_is_kept_for_mail_and_appearance_for_the_browser(anna: Any, client: Client) -> None:
    client.force_login(anna)
    client.post("/language/", {"language": "zh-hant", "next": "/my/tickets/"})
    anna.refresh_from_db()
    assert anna.language == "zh-hant"
    page = client.get("/my/tickets/").content.decode()
    for name in (
        "English",
        "简体中文",
        "繁體中文",
    ):  # each in its own words: who came here by mistake finds his way back
        assert f'<span class="g-grow">{name}</span>' in page
    assert '<html lang="zh-hant"' in client.get("/").content.decode()
    client.post("/language/", {"language": "xx"})
    anna.refresh_from_db()
    assert anna.language == "zh-hant"
    client.post("/theme/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/theme/", {"theme": "system"})
    assert "data-theme" not in client.get("/").content.decode()
    assert (client.get("/language/").status_code, client.get("/theme/").status_code) == (405, 405)


def test_a_link_for_a_password_that_is_used_up_offers_another(client: Client, db: None) -> None:
    page = client.get("/accounts/password/reset/key/1-abc/").content.decode()
    assert "This link does not work any more" in page
    assert 'href="/accounts/password/reset/"' in page


def test_a_new_password_is_chosen_by_the_link_in_the_mail(client: Client, anna: Any) -> None:
    verified(anna)
    client.post("/accounts/password/reset/", {"email": anna.email})
    form = client.get(link(), follow=True)
    assert "Choose a new password" in form.content.decode()
    new = {"password1": "window seat 42", "password2": "window seat 42"}
    done = client.post(form.redirect_chain[-1][0], new, follow=True)
    assert "Your new password is set" in done.content.decode()
    assert 'href="/accounts/login/"' in done.content.decode()
    assert client.login(username=anna.email, password="window seat 42")
