"""Fax channels, and faxes that came."""

from __future__ import annotations

from typing import Any

import pytest

from inbox.channels.fax.forms import FaxSettingsForm
from inbox.channels.fax.pages import rendering
from tests import factories
from tests.servers.fixtures import box, dovecot, sink  # noqa: F401

NUMBER = "+49404321560"
CALLER = "+862155551234"


def settings_of(**changes: Any) -> dict[str, Any]:
    """What the settings form stores, with these changes."""
    form = FaxSettingsForm(
        {name: field.initial for name, field in FaxSettingsForm.base_fields.items() if field.initial is not None}
        | changes
    )
    assert form.is_valid(), form.errors
    return form.settings()


@pytest.fixture
def fax(queue: Any) -> Any:
    """The number +49 40 4321560, into `queue`; words are not read."""
    return factories.ChannelFactory(
        name="Fax", kind="fax", address=NUMBER, queue=queue, settings=settings_of(in_ocr="off")
    )


@pytest.fixture
def recognising(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Tesseract that reads "Order 4711" from every page: what is done with words is tested, not Tesseract."""
    real = rendering.read

    def read(contents: Any, *, ocr_pages: int = 0, languages: str = "", ocr_seconds: int = 60) -> Any:
        result = real(contents)
        result.texts = ["Order 4711\nPlease send 20 kg of 咖 啡 豆."] * min(ocr_pages, len(result.pages))
        return result

    monkeypatch.setattr(rendering, "tesseract", lambda: ("/bin/true", "eng"))
    monkeypatch.setattr(rendering, "read", read)
