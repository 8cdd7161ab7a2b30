"""The base of the screens: every view starts from what the colleague may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.test import RequestFactory

from core.staff.panels import panels_of, register_panel
from core.staff.views import StaffRequired, visible
from core.staff.viewsets import RecordViewSet
from crm.customers.models import Region
from crm.service.models import Ticket
from tests import factories


class Regions(RecordViewSet):
    name = "test_regions"
    url_prefix = "test-regions"
    model = Region
    inspect_view_enabled = True
    form_fields = ("name",)


def test_a_set_needs_its_own_name_and_address() -> None:
    with pytest.raises(ImproperlyConfigured, match="must have a name"):
        type("Nameless", (RecordViewSet,), {"model": Region, "form_fields": ["name"]})()
    with pytest.raises(ImproperlyConfigured, match="must have a url_prefix"):
        type("Placeless", (RecordViewSet,), {"model": Region, "form_fields": ["name"], "name": "x"})()


def test_neither_copy_nor_usage() -> None:
    assert {pattern.name for pattern in Regions().get_urlpatterns()} == {
        "index", "index_results", "add", "edit", "delete", "history", "history_results", "inspect",
    }  # fmt: skip


def test_what_is_not_offered_has_no_address() -> None:
    class Read(Regions):
        add_enabled = edit_enabled = delete_enabled = False

    assert {pattern.name for pattern in Read().get_urlpatterns()} == {"index", "index_results", "inspect"}


def test_visible_starts_from_the_predicate(agent: Any, queue: Any, other_queue: Any) -> None:
    mine, _foreign = factories.TicketFactory(queue=queue), factories.TicketFactory(queue=other_queue)
    assert list(visible(Ticket, agent)) == [mine]
    assert list(visible(Region, agent)) == []


@pytest.mark.parametrize("view", ["edit_view", "delete_view", "history_view", "history_results_view", "inspect_view"])
def test_each_view_of_a_foreign_record_is_a_404(view: str, administrator: Any) -> None:
    """The set's rows decide, whatever the permissions of the model are."""
    from django.http import Http404

    mine, foreign = Region.objects.create(name="Mine"), Region.objects.create(name="Foreign")

    class Own(Regions):
        def rows(self, user: Any) -> models.QuerySet[Region]:
            return Region.objects.filter(name="Mine")

    request = RequestFactory().get("/")
    request.user = administrator
    with pytest.raises(Http404):
        getattr(Own(), view)(request, pk=foreign.pk)
    assert mine.pk


def test_a_view_without_permissions_is_a_mistake() -> None:
    request = RequestFactory().get("/")
    with pytest.raises(ImproperlyConfigured):
        StaffRequired.as_view()(request)


def test_a_panel_is_registered_once() -> None:
    def maker(request: Any, record: Any) -> None:
        return None

    register_panel("test", 1, maker)
    with pytest.raises(ValueError, match="there already"):
        register_panel("test", 2, maker)
    assert panels_of("test", None, None) == []


def test_saving_goes_through_the_service(login: Any, administrator: Any) -> None:
    """A region is plain; a colleague's form calls the service, which refuses what the form did not offer."""
    client = login(administrator)
    client.post("/desk/regions/new/", {"name": "North"})
    region = Region.objects.get()
    assert region.name == "North"
    assert "North" in client.get(f"/desk/regions/history/{region.pk}/").content.decode()


def test_what_is_in_use_is_told(login: Any, administrator: Any) -> None:
    region = Region.objects.create(name="North")
    factories.CustomerFactory(name="Tea house", region=region)
    response = login(administrator).post(f"/desk/regions/delete/{region.pk}/", follow=True)
    assert "“North” is still in use and cannot be deleted." in response.content.decode()
    assert Region.objects.filter(pk=region.pk).exists()


def test_search_finds_every_word_anywhere(login: Any, supervisor: Any) -> None:
    for name in ("Kaffeehaus Schmidt", "Schmidt & Sohn", "上海明远贸易有限公司"):
        factories.CustomerFactory(name=name)
    client = login(supervisor)

    def found(text: str) -> list[str]:
        page = client.get("/desk/customers/results/", {"q": text})
        return [customer.name for customer in page.context["object_list"]]

    assert found("schmidt kaffee") == ["Kaffeehaus Schmidt"]
    assert found("SCHMIDT") == ["Kaffeehaus Schmidt", "Schmidt & Sohn"]
    assert found("明远") == ["上海明远贸易有限公司"]
    assert found("%") == []
    assert found("nobody") == []


def test_a_list_takes_twenty_a_page_and_few_queries(
    login: Any, supervisor: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        factories.TicketFactory(subject=f"Ticket {number}", assignee=supervisor)
    client = login(supervisor)
    client.get("/desk/tickets/")
    with django_assert_max_num_queries(25):
        page = client.get("/desk/tickets/")
    assert len(page.context["object_list"]) == 20
