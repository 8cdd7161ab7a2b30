"""Fixtures of every test: people of each role, the records they work on, and real parts around them."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import translation

from tests import environment, machine

if TYPE_CHECKING:
    from django.test import Client

_folder = environment.isolate()
environment.watch_queries()
environment.log_in_freshly()

from tests import database, factories  # noqa: E402
from tests.servers import network  # noqa: E402
from tests.servers.site import Sites  # noqa: E402


def pytest_unconfigure() -> None:
    shutil.rmtree(_folder, ignore_errors=True)


SLOW = {"chromium", "hylafax", "dovecot", "clamav"}
LONG = (
    "tests/load/",
    "tests/faults/",
    "tests/security/",
    "tests/portal/test_access_matrix.py",
    "tests/portal/test_demo",
)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: each full collection of garbage would walk all of it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: a worker that has finished then finds short ones to take over from the other (worksteal)."""
    for item in items:
        if item.get_closest_marker("once") and _works_on_data(item):
            raise pytest.UsageError(f"{item.nodeid} works on a database: it may not be marked as `once`")
    items.sort(
        key=lambda item: not (SLOW & {mark.name for mark in item.iter_markers()} or item.nodeid.startswith(LONG))
    )


def _works_on_data(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures or {"django_db", "postgresql", "redis"} & {mark.name for mark in item.iter_markers()})


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in ("postgresql", "redis", "dovecot", "chromium", "clamav", "hylafax"):
        if item.get_closest_marker(marker) and (reason := environment.missing(marker)):
            if environment.NOTHING_SKIPPED:
                pytest.fail(f"may not be skipped here: {reason}", pytrace=False)
            pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with network.steady() if item.get_closest_marker("chromium") else nullcontext():
        return (yield)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if environment.NOTHING_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which `make check` does not allow: {report.longrepr}"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None, django_db_blocker: Any) -> bool:
    """The run begins with a copy of a database that an earlier run migrated, when there is one."""
    with django_db_blocker.unblock():
        return database.begin_with_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """As pytest-django does it; a freshly migrated database is kept for later runs."""
    with django_db_blocker.unblock():
        database.keep_template()
        database.keep_migrated_rows()
        database.wait_for_no_disk()
    yield
    with django_db_blocker.unblock():
        database.end_sessions()


@pytest.fixture(autouse=True)
def _own_surroundings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with an empty cache, in English, without files of the one before."""
    yield
    translation.deactivate()  # a request leaves its own language
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
        client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
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
    used = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{used['NAME']}"
    else:
        password = f":{used['PASSWORD']}" if used["PASSWORD"] else ""
        host = f"{used['HOST'] or '127.0.0.1'}:{used['PORT'] or 5432}"
        url = f"postgres://{used['USER']}{password}@{host}/{used['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": url,
        "PGAPPNAME": database.CHILD,
        "REDIS_URL": settings.REDIS_URL,
        "GUICHET_VAR": str(settings.VAR_DIR),
        "MEDIA_ROOT": settings.MEDIA_ROOT,
        "SECRET_KEY": settings.SECRET_KEY,
        "CHANNEL_KEY": settings.CHANNEL_KEYS[0],
        "TOKEN_KEY": settings.TOKEN_KEYS[0],
        "STAFF_SECOND_FACTOR": settings.STAFF_SECOND_FACTOR,
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="session")
def sites(django_db_setup: None, django_db_blocker: Any) -> Iterator[Sites]:
    """What has loaded the site once for all tests of a worker."""
    with django_db_blocker.unblock():
        made = Sites(child_environment())
    yield made
    made.close()


@pytest.fixture
def site(sites: Sites, transactional_db: None) -> Iterator[str]:
    """Address of the real ASGI site (pages and sockets) in a process of its own, on this test's database."""
    with sites.serving() as address:
        yield address


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """Headless Chromium. Mark the test `chromium`; begin with `browser.new_context()` so that nothing is shared."""
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One a module: while it lives, an event loop runs in this thread, and coroutine tests cannot run beside it."""
    from playwright.sync_api import sync_playwright

    # Django would refuse the database where an event loop runs.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=machine.chromium(), args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
