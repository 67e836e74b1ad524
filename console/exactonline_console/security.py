"""What a request must be before any page sees it: for a name of ours, of an origin of ours, and not too large.

Pure: judgements on headers. `app` asks them, and puts the answer's headers on.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from exactonline_client.errors import ConfigurationError
from exactonline_client.loopback import is_loopback

LARGEST_BODY_BYTES = 1_000_000
LOOPBACK = ("127.0.0.1", "::1")
READING = {"GET", "HEAD"}
ANSWER_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the page is reached, and how it knows who comes in."""

    host: str
    port: int
    origins: frozenset[str]
    """Scheme, name and port under which browsers come in, as `http://127.0.0.1:8066`."""
    user_header: str | None = None
    """The header in which a proxy says who it let in."""
    proxies: frozenset[str] = frozenset()
    """Addresses whose header is believed."""

    @property
    def is_local(self) -> bool:
        """Whether only this machine gets in."""
        return is_loopback(self.host)

    def wrong_with(self, method: str, headers: Mapping[str, str]) -> str | None:
        """Why a request is turned away at once, or None.

        A name that is not ours may be a foreign page's that points here (DNS rebinding); another origin's post may
        be made by a foreign page with our user's cookie.
        """
        hosts = {urlsplit(origin).netloc for origin in self.origins}
        if headers.get("host", "").lower() not in hosts:
            return "This name is not one of the page's."
        if method in READING:
            return None
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self.origins:
            return "Another page sent this."
        if origin is None and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "Another page sent this."
        length = headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            return "Too much was sent."
        return None

    def is_secure(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser came in by https, so that the cookie may be kept to it."""
        return f"https://{headers.get('host', '').lower()}" in self.origins

    def user_of(self, peer: str, headers: Mapping[str, str]) -> str | None:
        """Who a trusted proxy says it is."""
        if self.user_header is None or peer not in self.proxies:
            return None
        return headers.get(self.user_header, "").strip() or None

    def address_of(self, peer: str, forwarded: str) -> str:
        """Return where a request comes from: of what trusted proxies passed on the last that is none of them."""
        passed_on = [one.strip() for one in forwarded.split(",") if one.strip()]
        address = peer
        while address in self.proxies and passed_on:
            address = passed_on.pop()
        return address


def doors(
    host: str,
    port: int,
    addresses: tuple[str, ...] = (),
    *,
    user_header: str | None = None,
    proxies: tuple[str, ...] | None = None,
    has_users: bool = False,
) -> Doors:
    """The doors of a page that is about to open. Without proxies only this machine says who it let in, if any does.

    Raises:
        ConfigurationError: They would be open to everybody, or browsers could not come in.
    """
    if not is_loopback(host) and not has_users and user_header is None:
        raise ConfigurationError(
            f"{host} is reached from other machines, and nobody needs a password yet. Make one first: "
            "exactonline-console add-user NAME. Or let a proxy say who it is: --user-header X-Forwarded-User."
        )
    wildcard = host in {"0.0.0.0", "::", ""}  # noqa: S104 - looked for, not bound to
    if wildcard and not addresses:
        raise ConfigurationError(
            "Say under which address browsers come in: --address https://console.example.com (may be repeated)."
        )
    origins = {_origin(address) for address in addresses}
    if is_loopback(host):
        origins |= {f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    elif not wildcard:
        origins.add(f"http://{host}:{port}")
    if proxies is None:
        proxies = LOOPBACK if user_header else ()
    return Doors(host, port, frozenset(origins), user_header.lower() if user_header else None, frozenset(proxies))


def csrf_token(key: bytes, session: str) -> str:
    """What a form of this session must carry."""
    return hmac.new(key, f"csrf {session}".encode(), hashlib.sha256).hexdigest()


def is_csrf_token(given: str, key: bytes, session: str) -> bool:
    """Whether a form comes from a page of this session."""
    return hmac.compare_digest(given.encode(), csrf_token(key, session).encode())


def device_mark(key: bytes, name: str, nonce: str) -> str:
    """What a browser keeps with which this user logged in."""
    return f"{nonce}.{hmac.new(key, f'device {nonce} {name}'.encode(), hashlib.sha256).hexdigest()}"


def device_of(mark: str, key: bytes, name: str) -> str | None:
    """The browser that a mark stands for, if this user logged in with it before."""
    nonce = mark.partition(".")[0]
    return nonce if nonce and hmac.compare_digest(mark.encode(), device_mark(key, name, nonce).encode()) else None


def _origin(address: str) -> str:
    url = urlsplit(address.strip().lower())
    if url.scheme not in {"http", "https"} or not url.hostname or url.path not in {"", "/"}:
        raise ConfigurationError(f"--address {address}: give scheme and name, as https://console.example.com.")
    return f"{url.scheme}://{url.netloc}"
