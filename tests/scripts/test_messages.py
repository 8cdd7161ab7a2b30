"""Catalogues: what counts as incomplete, and that ours are complete."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import polib
import pytest

pytestmark = pytest.mark.once

BASE = Path(__file__).resolve().parent.parent.parent


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", BASE / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def messages():
    return load("messages")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('msgid "Inbox"\nmsgstr ""', "not translated: 'Inbox'"),
        ('#, fuzzy\nmsgid "Inbox"\nmsgstr "收件箱"', "fuzzy: 'Inbox'"),
        ('#~ msgid "Inbox"\n#~ msgstr "收件箱"', "no longer used: 'Inbox'"),
        ('msgid "Hello %(name)s"\nmsgstr "您好"', "placeholders differ: 'Hello %(name)s'"),
        ('msgid "Hello"\nmsgstr "您好 %(name)s"', "placeholders differ: 'Hello'"),
        ('msgid "%(n)s hour"\nmsgid_plural "%(n)s hours"\nmsgstr[0] ""', "not translated: '%(n)s hour'"),
    ],
)
def test_a_faulty_catalogue_is_told(messages, tmp_path, monkeypatch, body, fault):
    monkeypatch.setattr(messages, "BASE", tmp_path)
    path = tmp_path / "django.po"
    path.write_text(f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n{body}\n', "utf-8")
    assert messages.faults_of(path) == [f"django.po: {fault}"]


def test_a_right_catalogue_is_not(messages, tmp_path, monkeypatch):
    monkeypatch.setattr(messages, "BASE", tmp_path)
    path = tmp_path / "django.po"
    path.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Hello %(name)s"\nmsgstr "%(name)s，您好"\n\n'
        'msgid "%(n)s hour"\nmsgid_plural "%(n)s hours"\nmsgstr[0] "%(n)s 小时"\n',
        "utf-8",
    )
    assert messages.faults_of(path) == []


def test_catalogues_are_compiled_when_they_are_newer(tmp_path):
    compiler = load("compile_messages")
    source = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Inbox"\nmsgstr "收件箱"\n', "utf-8"
    )
    target = source.with_suffix(".mo")
    assert compiler.compile_newer(tmp_path) == [target]
    assert [entry.msgstr for entry in polib.mofile(str(target))] == ["收件箱"]
    assert compiler.compile_newer(tmp_path) == []
    os.utime(source, (target.stat().st_mtime + 5, target.stat().st_mtime + 5))
    assert compiler.compile_newer(tmp_path) == [target]
    assert [path.name for path in source.parent.iterdir() if path.suffix not in {".po", ".mo"}] == []
