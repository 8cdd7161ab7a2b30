"""Spreadsheets are safe to open (S-64)."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
from typing import Any

import pytest
from openpyxl import load_workbook

from core.staff.export import text_cell
from crm.customers.models import Customer
from tests import factories

DANGEROUS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "  =1", '=HYPERLINK("x")', "＋1", "\ufeff=1", '"=cmd"', ";=1", "';\"@x"]  # fmt: skip


@pytest.mark.parametrize("value", DANGEROUS)
def test_formulas_become_text(value: str) -> None:
    assert text_cell(value) == f"'{value}"


@pytest.mark.parametrize(
    "value",
    ["Kaffeehaus", "+49 89 1234567", "-5", "", "a=b", "王小明", '"Halden"', "'s Gravenhage; 2", "+1 (212) 555-0100"],
)
def test_other_text_stays(value: str) -> None:
    assert text_cell(value) == value


def rows_of_csv(response: Any) -> list[list[str]]:
    return list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def test_csv_of_customers(login: Any, supervisor: Any) -> None:
    factories.CustomerFactory(name='=HYPERLINK("https://evil.test","Bill")')
    factories.CustomerFactory(name="上海明远贸易有限公司")
    rows = rows_of_csv(login(supervisor).get("/desk/customers/?export=csv"))
    assert rows[0] == ["Name", "Kind", "Part", "Level", "Status", "Region", "Owner", "Website", "Address", "Created at"]
    assert [row[0] for row in rows[1:]] == ['\'=HYPERLINK("https://evil.test","Bill")', "上海明远贸易有限公司"]


def test_xlsx_has_no_formula_and_no_forbidden_character(login: Any, supervisor: Any) -> None:
    for value in ("=1+1", "a\x07b", "@x"):
        factories.CustomerFactory(name=value)
    response = login(supervisor).get("/desk/customers/?export=xlsx")
    sheet = load_workbook(BytesIO(b"".join(response.streaming_content))).active
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s"), ("@x", "s"), ("ab", "s")]


def test_the_export_holds_what_the_list_shows(login: Any, agent: Any, queue: Any, other_queue: Any) -> None:
    """Not a row more: scope, filter and search are those of the list (S-26)."""
    factories.TicketFactory(queue=queue, subject="Mine", status="open")
    factories.TicketFactory(queue=queue, subject="Mine, closed", status="closed")
    factories.TicketFactory(queue=other_queue, subject="Foreign", status="open")
    rows = rows_of_csv(login(agent).get("/desk/tickets/?export=csv&status=open"))
    assert [row[1] for row in rows[1:]] == ["Mine"]


def test_five_exports_an_hour(login: Any, supervisor: Any) -> None:
    client = login(supervisor)
    for _number in range(5):
        assert client.get("/desk/customers/?export=csv").status_code == 200
    last = client.get("/desk/customers/?export=csv")
    assert (last.status_code, last["Retry-After"]) == (429, "3600")


def test_a_long_workbook_is_refused_in_words(login: Any, supervisor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.staff.export.XLSX_ROWS", 2)
    Customer.objects.bulk_create(Customer(name=f"c{n}") for n in range(3))
    response = login(supervisor).get("/desk/customers/?export=xlsx")
    assert response.status_code == 413
    assert "CSV" in response.content.decode()
