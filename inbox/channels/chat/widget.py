"""The widget's script as it goes to the pages of others: one file, the same for everybody, kept for an hour.

Its sources lie in `static/chat/src`; `scripts/build_widget.py` makes `static/chat/widget.js` of them.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

BUILT = Path(__file__).parent / "static/chat/widget.js"
SECONDS = 3600
"""How long a browser may take it from its cache without asking."""


@cache
def _contents() -> tuple[bytes, bytes, str]:
    plain = BUILT.read_bytes()
    # Weak: packed and plain are the same script (RFC 9110, 8.8.1).
    return plain, gzip.compress(plain, 9, mtime=0), f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"'


@require_safe
@condition(etag_func=lambda request: _contents()[2])
def script(request: HttpRequest) -> HttpResponse:
    """`/widget.js`. Any site may load it; what it may do there is decided by the channel's list of sites."""
    plain, packed, _etag = _contents()
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if takes_gzip else plain, content_type="text/javascript; charset=utf-8")
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.varies = "Accept-Encoding"  # type: ignore[attr-defined]
    return response
