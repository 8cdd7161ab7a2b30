"""Scripts: in the language of whoever is called, with nothing but merge fields (S-65)."""

from __future__ import annotations

from typing import Any

from crm.marketing import scripts
from tests import factories


def test_the_language_of_the_called(agent: Any, contact: Any) -> None:
    script = factories.CallScriptFactory(
        texts={
            "en": ("Hello {{ contact.name }} of {{ customer.name }}", ["May I ask, {{ contact.name }}?"]),
            "zh-hans": ("您好 {{ contact.name }}，我是 {{ agent.name }}", ["请问？", "再问？"]),
        }
    )
    calls = factories.CallListFactory(script=script)
    said = scripts.spoken(script, agent=agent, contact=contact, call_list=calls)
    assert said == scripts.Spoken(
        "en", "Hello Anna Schmidt of Kaffeehaus Schmidt", (("May I ask, Anna Schmidt?", ""),), ""
    )
    contact.language = "zh-hans"
    said = scripts.spoken(script, agent=agent, contact=contact)
    assert (said.opening, [question for question, _hint in said.steps]) == (
        "您好 Anna Schmidt，我是 Agent",
        ["请问？", "再问？"],
    )
    assert scripts.spoken(factories.CallScriptFactory(texts={"zh-hans": ("好", [])}), agent=agent).language == "zh-hans"


def test_nothing_but_fields(agent: Any, contact: Any) -> None:
    contact.name = "{{ agent.name }} {% load x %}"
    text = "{{ settings.SECRET_KEY }} {{ contact.__class__ }} {% include 'x' %} {{ contact.name }} ${7*7} {{7*7}}"
    script = factories.CallScriptFactory(texts={"en": (text, [])})
    assert scripts.spoken(script, agent=agent, contact=contact).opening == (
        "{{ settings.SECRET_KEY }} {{ contact.__class__ }} {% include 'x' %} {{ agent.name }} {% load x %} "
        "${7*7} {{7*7}}"
    )
