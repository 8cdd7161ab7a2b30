"""Merge fields (S-65): a fixed dictionary, nothing else."""

import time

import pytest

from core.merge_fields import MAX_LENGTH, check, names, render

FIELDS = {"contact.name": "Ada <b>", "ticket.number": "100001", "contact.company": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ contact.name }}!", "Hello Ada <b>!"),
        ("{{contact.name}}{{ticket.number}}", "Ada <b>100001"),
        ('{{ contact.company|default:"your company" }}', "your company"),
        ("{{ contact.company | default : 'x' }}", "x"),
        ("{{ contact.company|default:“你们公司” }}", "你们公司"),
        ('{{ contact.name|default:"x" }}', "Ada <b>"),
        ("{{ contact.company }}.", "."),
        ("{{{ ticket.number }}}", "{100001}"),
        ("{ contact.name }", "{ contact.name }"),
    ],
)
def test_fields_are_filled_in(text, expected):
    assert render(text, FIELDS) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ settings.SECRET_KEY }}",
        "{{ contact.__class__ }}",
        "{% load static %}",
        "{% include 'x' %}",
        "{{ x|safe }}",
        "{{ contact.name|safe }}",
        "{{ contact.name|upper }}",
        "{{7*7}}",
        "${7*7}",
        "<%= 7*7 %>",
        "{{ contact.password }}",
        "{{ contact.name.__len__ }}",
        "{{ contact['name'] }}",
        "{{ Contact.Name }}",
        "{{ contact.name",
        "{{ contact\n.name }}",
        '{{ contact.name|default:"{{ ticket.number" }}',
    ],
)
def test_everything_else_is_printed_as_it_stands(text):
    assert render(text, FIELDS) == text
    assert render(text, FIELDS, html=True) == text


def test_a_value_is_never_read_as_a_template():
    assert (
        render("{{ contact.name }}", {"contact.name": "{{ ticket.number }}", "ticket.number": "1"})
        == "{{ ticket.number }}"
    )


def test_in_markup_values_and_defaults_are_escaped():
    assert (
        render('<a title="{{ contact.name }}">', {"contact.name": "\"'<&>"}, html=True)
        == '<a title="&quot;&#x27;&lt;&amp;&gt;">'
    )
    assert render("<p>{{ contact.company|default:'<i>' }}</p>", FIELDS, html=True) == "<p>&lt;i&gt;</p>"


def test_check_names_what_is_wrong():
    assert check('Dear {{ contact.name|default:"x" }}', FIELDS) == []
    assert check("{{ contact.pasword }} {{ 7*7 }} {% load x %} {{ contact.pasword }}", FIELDS) == [
        "“contact.pasword” is not a field; it would be printed as it stands.",
        "“{{ 7*7 }}” cannot be read; it would be printed as it stands.",
        "“{% load x %}” cannot be read; it would be printed as it stands.",
    ]
    assert check("x" * (MAX_LENGTH + 1), FIELDS) == ["The text is too long: 200000 characters at most."]
    assert len(check("{{ 1 }}" * 1000, FIELDS)) == 10


def test_names():
    assert names("{{ a.b }} {{ c|default:'x' }} {{ a.b }}") == ["a.b", "c"]


@pytest.mark.parametrize("unit", ["{{", "{{ ", "{{ a.a", '{{ a|default:"', "{{ contact.name }}", "{{a}}", "{%"])
def test_ten_megabytes_of_braces_take_no_time(unit):
    text = unit * (10_000_000 // len(unit))
    start = time.process_time()
    render(text, FIELDS, html=True)
    check(text, FIELDS)
    render(text[:MAX_LENGTH], FIELDS, html=True)
    check(text[:MAX_LENGTH], FIELDS)
    assert time.process_time() - start < 1
