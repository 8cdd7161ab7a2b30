"""Fixtures of every test: people of each role, the records they work on, and real parts around them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from tests import environment
from tests.processes import free_port, running

if TYPE_CHECKING:
    from django.test import Client

_folder = environment.isolate()
environment.watch_queries()

from tests import factories  # noqa: E402


def pytest_unconfigure() -> None:
    shutil.rmtree(_folder, ignore_errors=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in ("postgresql", "redis", "dovecot", "chromium"):
        if item.get_closest_marker(marker) and (reason := environment.missing(marker)):
            if environment.NOTHING_SKIPPED:
                pytest.fail(f"may not be skipped here: {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if environment.NOTHING_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which `make check` does not allow: {report.longrepr}"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """On SQLite the run begins with a copy of a database that an earlier run migrated, when there is one."""
    if connection.vendor != "sqlite":
        return False
    template = environment.migrated_template()
    if template.exists():
        shutil.copyfile(template, settings.DATABASES["default"]["TEST"]["NAME"])
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """As pytest-django does it; a freshly migrated SQLite database is kept for later runs."""
    template = environment.migrated_template()
    if connection.vendor != "sqlite" or template.exists():
        return
    template.parent.mkdir(exist_ok=True)
    fresh = template.with_suffix(f".{os.getpid()}")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(fresh)])
    for old in template.parent.glob("migrated-*.sqlite3"):
        old.unlink(missing_ok=True)
    fresh.replace(template)


@pytest.fixture(autouse=True)
def _own_surroundings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with an empty cache and without files of the one before."""
    yield
    cache.clear()
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


# People


def _person(role: str) -> Any:
    @pytest.fixture(name=role)
    def make(db: None) -> Any:
        return factories.StaffFactory(email=f"{role}@guichet.test", name=role.capitalize(), role=role)

    return make


administrator = _person("administrator")
supervisor = _person("supervisor")
agent = _person("agent")
marketer = _person("marketer")
editor = _person("editor")


@pytest.fixture
def customer_user(db: None) -> Any:
    """Somebody with a login and no role, who is a contact with a verified address."""
    contact = factories.ContactFactory(name="Carla Customer", user=factories.UserFactory(email="carla@customer.test"))
    factories.PointFactory(contact=contact, value="carla@customer.test", verified=True)
    return contact.user


@pytest.fixture
def login(client: Client) -> Callable[[Any], Client]:
    """`login(user)` gives the test client, logged in."""

    def enter(user: Any) -> Client:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return enter


# Records


@pytest.fixture
def queue(agent: Any) -> Any:
    """A queue that `agent` works."""
    queue = factories.QueueFactory(name="Support")
    factories.QueueMemberFactory(queue=queue, user=agent)
    return queue


@pytest.fixture
def other_queue(db: None) -> Any:
    """A queue that `agent` does not see."""
    return factories.QueueFactory(name="Accounting")


@pytest.fixture
def channel(queue: Any) -> Any:
    """The mailbox support@example.com, into `queue`."""
    return factories.ChannelFactory(name="Support", address="support@example.com", queue=queue)


@pytest.fixture
def contact(db: None) -> Any:
    """Anna Schmidt <anna@customer.test> of Kaffeehaus Schmidt."""
    contact = factories.ContactFactory(
        name="Anna Schmidt", customer=factories.CustomerFactory(name="Kaffeehaus Schmidt")
    )
    factories.PointFactory(contact=contact, value="anna@customer.test")
    return contact


@pytest.fixture
def ticket(queue: Any, contact: Any) -> Any:
    """A new ticket of `contact` in `queue`, with one inbound message."""
    ticket = factories.TicketFactory(queue=queue, contact=contact, subject="The machine leaks")
    factories.MessageFactory(ticket=ticket, contact=contact, from_address="anna@customer.test")
    return ticket


# Real parts


@pytest.fixture
def process_environment(transactional_db: None) -> dict[str, str]:
    """Environment for a child process that works on the database and the files of this test."""
    return child_environment()


def child_environment() -> dict[str, str]:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
        host = f"{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}"
        url = f"postgres://{database['USER']}{password}@{host}/{database['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "GUICHET_VAR": str(settings.VAR_DIR),
        "MEDIA_ROOT": settings.MEDIA_ROOT,
        "SECRET_KEY": settings.SECRET_KEY,
        "CHANNEL_KEY": settings.CHANNEL_KEYS[0],
        "TOKEN_KEY": settings.TOKEN_KEYS[0],
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture
def site(process_environment: dict[str, str]) -> Iterator[str]:
    """Address of the real ASGI site (pages and sockets) in a process of its own, on this test's database."""
    port = free_port()
    env = {**process_environment, "BASE_URL": f"http://127.0.0.1:{port}", "DEBUG": "1"}
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "portal.asgi:application"]
    with running(command, env, port=port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium. Mark the test `chromium`; begin with `browser.new_context()` so that nothing is shared.

    One a module: while it lives, an event loop runs in this thread, and coroutine tests cannot run beside it.
    """
    from playwright.sync_api import sync_playwright

    # Django would refuse the database where an event loop runs.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=environment.chromium(), args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
