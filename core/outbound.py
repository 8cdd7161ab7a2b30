"""The one HTTP client for addresses that people configure: it never reaches into our own network.

The name is resolved once, every address of it is checked, and the connection goes to the checked address, so that a
second answer of the name server changes nothing (DNS rebinding). Redirects are not followed; time and size are capped.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy

SECONDS = 15.0
BYTES = 200_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutboundRefused(Exception):
    """The address may not be called, or it answered too slowly or too much."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body is at most as long as the caller allowed."""

    status: int
    body: bytes
    retry_after: str = ""
    """The header of this name: seconds, or a date."""

    def json(self) -> Any:
        """The body as JSON, or an empty dict when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


def checked_addresses(host: str, port: int) -> list[str]:
    """All addresses of `host`. Raises OutboundRefused when one of them is not on the public internet.

    Hosts in settings.OUTBOUND_PRIVATE_HOSTS may be anywhere.
    """
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (socket.gaierror, UnicodeError) as fault:
        raise OutboundRefused(f"{host} is not known") from fault
    if host not in settings.OUTBOUND_PRIVATE_HOSTS and not all(_is_public(str(each)) for each in found):
        raise OutboundRefused(f"{host} is not on the public internet")
    return sorted(str(each) for each in found)


PRIVATE = gettext_lazy(
    "%(host)s belongs to a private network and is never called. Enter a public address. Whoever runs"
    " this installation can allow a host of the own network with the setting OUTBOUND_PRIVATE_HOSTS."
)
"""What is said of a host that is `never_called`, where somebody enters it."""


def never_called(host: str) -> bool:
    """Whether `host`, an address or a name of this machine, is off the public internet; no name server is asked.

    Any spelling that the system takes for an address counts, such as 0x7f.1. Names are looked up at each call.
    """
    if host in settings.OUTBOUND_PRIVATE_HOSTS:
        return False
    plain = host.rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        return False
    return not all(_is_public(str(info[4][0])) for info in found)


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_global and not mapped.is_multicast and not _is_tunnel(mapped)


def _is_tunnel(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Public as it looks, it may end in our own network."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    return address in _NAT64 or address.sixtofour is not None or address.teredo is not None


class Deadline:
    """Ends what goes on over a connection once the time is up, whatever the other side does (S-57).

    A socket's own timeout begins anew with each byte: a head that drips, or a handshake, would go on for ever.
    """

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection, self.passed = connection, False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._timer.cancel()
        self._connection.close()

    def _cut(self) -> None:
        self.passed = True
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # That of TLS would take the encryption from under whoever reads at this moment.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def secured(plain: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """TLS over `plain`, its certificate asked for `host`. The handshake is left for the deadline to see."""
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


class _Pinned(http.client.HTTPSConnection):
    """Connects to one checked address, and asks the certificate for the name."""

    def __init__(self, host: str, port: int, address: str, context: ssl.SSLContext, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = secured(plain, self.host, self._tls)
        self.sock.do_handshake()


def target(parts: SplitResult) -> str:
    """Path and query as they stand in a request: what is not ASCII is percent-encoded (RFC 3986, 2.1)."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return path + ("?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else "")


def post_form(
    url: str, fields: Mapping[str, str], *, seconds: float = SECONDS, limit: int = BYTES, ca: str = ""
) -> Answer:
    """POST a form over HTTPS. Raises as `post` does."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return post(url, urlencode(fields).encode(), headers, seconds=seconds, limit=limit, ca=ca)


def post(
    url: str, content: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS, limit: int = BYTES, ca: str = ""
) -> Answer:
    """POST bytes over HTTPS. Raises OutboundRefused, OSError (network, TLS) or http.client.HTTPException."""
    return _ask("POST", url, content, headers, seconds=seconds, limit=limit, ca=ca)


def get(url: str, *, seconds: float = SECONDS, limit: int = BYTES, ca: str = "") -> Answer:
    """GET over HTTPS. Raises as `post` does."""
    return _ask("GET", url, None, {"Accept": "*/*"}, seconds=seconds, limit=limit, ca=ca)


def _ask(
    method: str,
    url: str,
    content: bytes | None,
    headers: Mapping[str, str],
    *,
    seconds: float,
    limit: int,
    ca: str,
) -> Answer:
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as fault:
        raise OutboundRefused("not an address") from fault
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise OutboundRefused("only plain https addresses are called")
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cadata=ca)
    connection = _Pinned(parts.hostname, port, checked_addresses(parts.hostname, port)[0], context, seconds)
    with Deadline(connection, seconds) as deadline:
        try:
            connection.request(method, target(parts), content, dict(headers))
            response = connection.getresponse()
            body = bytearray()
            while chunk := response.read1(16_384):
                body += chunk
                if len(body) > limit:
                    raise OutboundRefused("the answer is too long")
                if deadline.passed:
                    break
        except (OSError, http.client.HTTPException, ValueError) as fault:
            if deadline.passed or isinstance(fault, TimeoutError):  # the socket's own clock may be the first to ring
                raise OutboundRefused("the answer takes too long") from fault
            raise
        if deadline.passed:
            raise OutboundRefused("the answer takes too long")
        return Answer(response.status, bytes(body), response.getheader("Retry-After") or "")
