"""The look holds what docs/design.md promises: contrast, icons that exist, components that screen readers understand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.test import Client

from core.gallery import icon_names
from core.templatetags.guichet import STATES, initials

CSS = settings.BASE_DIR / "core/static/core/css"
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--g-([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", (CSS / "tokens.css").read_text()
    )
} | {"on-accent": ("#ffffff", "#ffffff")}
TONES = ("info", "success", "warning", "danger", "violet", "neutral")
TEXT = [
    *((ink, ground) for ink in ("text", "text-2", "text-3") for ground in ("canvas", "surface", "raised", "sunken", "hover")),
    *((ink, ground) for ink in ("text", "text-2") for ground in ("active", "note", "accent-soft")),
    *(("accent-text", ground) for ground in ("canvas", "surface", "raised", "hover", "active", "accent-soft")),
    *(("on-accent", ground) for ground in ("accent", "accent-hover", "danger", "danger-hover")),
    *((f"{tone}-text", f"{tone}-soft") for tone in TONES),
    *((f"{tone}-text", ground) for tone in TONES for ground in ("surface", "raised", "hover")),
    ("danger-text", "canvas"),
]  # fmt: skip
EDGES = [(edge, ground) for edge in ("line-strong", "focus", "star") for ground in ("canvas", "surface", "raised")]


def light_of(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """Contrast of WCAG 2.2."""
    darker, lighter = sorted((light_of(one), light_of(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratio_is_the_standards() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme: int) -> None:
    pairs = [(a, b, 4.5) for a, b in TEXT] + [(a, b, 3.0) for a, b in EDGES]
    weak = [
        (a, b, round(ratio(COLOURS[a][theme], COLOURS[b][theme]), 2))
        for a, b, least in pairs
        if ratio(COLOURS[a][theme], COLOURS[b][theme]) < least
    ]
    assert weak == []


def test_the_page_on_design_gives_todays_ratios() -> None:
    page = (settings.BASE_DIR / "docs/design.md").read_text()
    rows = re.findall(r"\| `([\w-]+)` on `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|", page)
    assert len(rows) > 30
    for ink, ground, light, dark in rows:
        assert f"{ratio(COLOURS[ink][0], COLOURS[ground][0]):.2f}" == light, (ink, ground)
        assert f"{ratio(COLOURS[ink][1], COLOURS[ground][1]):.2f}" == dark, (ink, ground)


def test_every_icon_that_is_asked_for_exists() -> None:
    known = set(icon_names())
    asked = {name for _tone, name in STATES.values()}
    for app in ("core", "portal", "inbox", "crm", "routing"):
        for path in Path(settings.BASE_DIR / app).rglob("*.html"):
            page = path.read_text()
            if "guichet" in page:
                asked |= set(re.findall(r'{% icon "([\w-]+)"', page))
    assert asked - known == set()
    assert len(known) == len(icon_names()) > 80


def test_every_token_that_is_used_exists() -> None:
    known = set(re.findall(r"(--g-[\w-]+):", (CSS / "tokens.css").read_text()))
    for path in (*CSS.glob("*.css"), *(settings.BASE_DIR / "portal/static").rglob("*.css")):
        used = set(re.findall(r"var\((--g-[\w-]+)", path.read_text()))
        assert used - known == set(), path


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mei Lin", "ML"),
        ("Jean Claude van Damme", "JD"),
        ("陈晓明", "晓明"),
        ("上海明远照明设备有限公司", "上海"),
        ("support@example.com", "SE"),
        ("", "?"),
        ("<img>", "?"),
        ("plato", "P"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


class Sample(forms.Form):
    subject = forms.CharField(label="Subject", help_text="In a few words")
    copy = forms.BooleanField(label="Copy", required=False)


def test_a_field_ties_help_and_error_to_its_control() -> None:
    page = Template("{% load guichet %}{% field form.subject %}{% field form.copy %}").render(
        Context({"form": Sample({"subject": ""})})
    )
    ids = re.search(r'aria-describedby="([^"]+)"', page)[1].split()
    assert ids == ["id_subject_helptext", "id_subject_error"]
    assert all(f'id="{each}"' in page for each in ids)
    assert 'aria-invalid="true"' in page
    assert '<label class="g-field__label" for="id_subject">' in page
    assert '<label class="g-check"><input type="checkbox" name="copy"' in page


def test_tags_escape_what_they_are_given() -> None:
    page = Template(
        "{% load guichet %}{% status bad bad %}{% avatar bad %}{% icon 'send' '' bad %}{% priority 2 bad %}{% stars 3 bad %}"
    ).render(Context({"bad": '"><img src=x>'}))
    assert "<img" not in page


@pytest.mark.parametrize(("who", "status"), [("agent", 200), ("customer_user", 404)])
def test_the_gallery_is_for_colleagues(who: str, status: int, request: Any, client: Client) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get("/desk/gallery/").status_code == status


def test_a_page_that_does_not_exist_has_our_look(client: Client, db: None) -> None:
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "This page does not exist" in answer.content.decode()
    assert "p-header" in answer.content.decode()


@pytest.mark.parametrize("path", ["inbox/100999/", "calls/999/", "customers/999/", "nowhere/"])
def test_what_is_not_on_the_desk_is_said_in_its_shell(path: str, login: Any, supervisor: Any) -> None:
    answer = login(supervisor).get(f"/desk/{path}")
    assert answer.status_code == 404
    assert "The address is wrong, the record is gone, or it belongs to another team." in answer.content.decode()
