"""Send one HTTP request, once: bounded in time and size, no redirects. An error says whether it was sent.

requests sends it. Neither this module nor a library below repeats a request (requests turns urllib3's retries off).
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from backtrace_jira.errors import InvalidSettings, OutcomeUnknown, Unreachable
from backtrace_jira.json_types import JSON, mend_half_pairs
from backtrace_jira.times import CLOCK_LIMIT, CLOCK_NOISE

LARGEST_RESPONSE = 16 * 1024 * 1024
"""Bytes: the rest of a longer body is not read."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers (any case) and body. `whole` is false if only the beginning of the body was read."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""
    whole: bool = True

    def json(self) -> Any:
        """Return the parsed body; None if it is no JSON."""
        try:
            return json.loads(mend_half_pairs(self.content))
        except (ValueError, RecursionError):
            return None

    @property
    def is_html(self) -> bool:
        """Return whether this is a login, proxy or error page and not an API's answer."""
        return "html" in self.headers.get("content-type", "").lower()

    def ahead_of(self, now: float) -> float | None:
        """Return the seconds by which the server's clock is ahead of `now`; None if its answer has no Date.

        A Date has whole seconds, and the answer was on its way: a difference that small is none. One of more than an
        hour is no clock's, but that of an answer out of a proxy's memory.
        """
        try:
            ahead = parsedate_to_datetime(self.headers.get("date", "")).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
        return ahead if CLOCK_NOISE < abs(ahead) < CLOCK_LIMIT else 0.0

    def retry_after(self, now: float) -> float | None:
        """Return the seconds that Retry-After asks for (a number or a date), or None."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total` bounds the answer as a whole; a server that drips is cut off."""

    connect: float = 5
    read: float = 20
    total: float = 25
    idle: float = 4
    """A connection that was unused for longer is replaced. While Lambda freezes a function, its sockets die unheard,
    and a POST is left without an answer by a server that hangs up on an idle client (Apache: after 5 seconds)."""


@cache
def _trust(bundle: str) -> ssl.SSLContext:
    """Read the certificates of a file or a folder: 18 ms of CPU for those that requests brings along."""
    context = create_urllib3_context()
    context.load_verify_locations(**{"capath" if Path(bundle).is_dir() else "cafile": bundle})
    return context


def read_certificates() -> None:
    """Read what the first request to an https address needs, ahead of it."""
    _trust(DEFAULT_CA_BUNDLE_PATH)


class _Adapter(HTTPAdapter):
    """Reads certificates once. requests has them read again for each connection, which costs more than all the rest."""

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Let the connections of an https address share what was read."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            pool["ssl_context"] = _trust(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Name no bundle to the connection: it would be read again."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        conn.ca_certs = conn.ca_cert_dir = None


class _Session(requests.Session):
    """Follows no redirect, and reads the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE) once for a server.

    requests would read a redirect's whole body, even if told not to follow, and the environment for each request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._environment: dict[str, Any] = {}

    def merge_environment_settings(
        self, url: str | bytes | None, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Return what the environment says of the server; it does not depend on the rest of the address."""
        parts = urlsplit(str(url))
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in self._environment:
            found = super().merge_environment_settings(url, proxies, stream, verify, cert)
            if parts.scheme == "http":
                found["proxies"] = {}  # settings allow http for this machine only, where no proxy leads
            self._environment[server] = found
        return self._environment[server]

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Return None: the response is used as it is."""
        return None


def ensure_header(secret: SecretStr) -> None:
    """Refuse a secret that no header can carry. The error that requests would raise has the secret in its text.

    Raises:
        InvalidSettings: the text does not hold the secret.
    """
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise InvalidSettings("the secret holds characters that no header can carry; write it again")


class Http:
    """A session to one server."""

    def __init__(
        self,
        auth: AuthBase,
        *,
        timeouts: Timeouts | None = None,
        ensure_time: Callable[[], None] = lambda: None,
    ) -> None:
        """Take `ensure_time`, which raises where a request could not end in time; it is called before each."""
        self._auth = auth
        self._ensure_time = ensure_time
        self._timeouts = timeouts or Timeouts()
        self._session = _Session()
        self._session.mount("https://", _Adapter())
        self._last_used = float("-inf")

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: JSON = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Response:
        """Send one request.

        Raises:
            Busy: no time is left for it; it was not sent.
            Unreachable: the request was not sent.
            OutcomeUnknown: the request was sent, at least in part, and no answer came.
            InvalidSettings: the address cannot be used or its certificate is not trusted.
        """
        self._ensure_time()
        started = clock()
        if started - self._last_used > self._timeouts.idle:
            self._session.close()
        response = self._exchange(method, url, params, body, started, clock)
        self._last_used = clock()
        logger.info(
            "request",
            extra={
                "http_method": method,
                "http_host": urlsplit(url).hostname,
                "http_path": urlsplit(url).path,
                "http_status": response.status,
                "milliseconds": round((self._last_used - started) * 1000),
                # Atlassian's support asks for these two.
                "trace_id": response.headers.get("atl-traceid") or response.headers.get("x-arequestid"),
            },
        )
        return response

    def hide_credential(self, said: str) -> str:
        """Return what the server says of an error without our credential: it may repeat what it was sent.

        In bodies of answers outside 2xx, that is done already.
        """
        # Errors are rare, and a function that meets none starts without this.
        from backtrace_jira.adapters.credential_mask import mask_credential

        headers = requests.Request("GET", "https://localhost", auth=self._auth).prepare().headers
        return mask_credential(said, headers)

    def _exchange(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        body: JSON,
        started: float,
        clock: Callable[[], float],
    ) -> Response:
        where = f"{method} {urlsplit(url)._replace(query='').geturl()}"
        try:
            with self._session.request(
                method,
                url,
                params=params,
                json=body,
                auth=self._auth,
                headers={"Accept": "application/json", "User-Agent": "backtrace-jira"},
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,  # a redirect must not carry the credential elsewhere
                stream=True,
            ) as received:
                content, whole = self._read(received, started, clock)
                if received.status_code >= 300:
                    content = self.hide_credential(content.decode("utf-8", "surrogateescape")).encode(
                        "utf-8", "surrogateescape"
                    )
                return Response(received.status_code, received.headers, content, whole)
        except requests.RequestException as error:
            raise _translated(error, where) from None
        except (
            ValueError
        ) as error:  # raised for the answer's headers: `ensure_header` has checked what we send
            kind = type(error).__name__
            raise OutcomeUnknown(f"{where}: sent, but the answer was unusable ({kind})") from None

    def _read(
        self, response: requests.Response, started: float, clock: Callable[[], float]
    ) -> tuple[bytes, bool]:
        """Read the body within the bounds. If it is cut off, the status still counts."""
        content = bytearray()
        try:
            # read1 returns the bytes that have come; iter_content would wait until a chunk is full, past any bound.
            while chunk := response.raw.read1(64 * 1024, decode_content=True):
                content += chunk
                if len(content) > LARGEST_RESPONSE or clock() - started > self._timeouts.total:
                    return bytes(content), False
        except (requests.RequestException, HTTPError):
            return bytes(content), False
        return bytes(content), True


def _translated(error: requests.RequestException, where: str) -> Exception:
    """Return our error: it says whether the request was surely not sent, or may have been executed."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return InvalidSettings(f"{where}: the address cannot be used")
    if isinstance(error, requests.exceptions.SSLError) and _is_distrust(reason):
        return InvalidSettings(f"{where}: the server's certificate is not trusted")
    # urllib3 blames a proxy only for a connection that never came to be.
    no_connection = requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError
    if isinstance(error, no_connection) or isinstance(reason, NewConnectionError):
        return Unreachable(f"{where}: no connection ({type(reason).__name__})")
    return OutcomeUnknown(f"{where}: sent, but no answer came ({type(error).__name__})")


def _is_distrust(reason: object) -> bool:
    while isinstance(reason, BaseException):
        if isinstance(reason, ssl.SSLCertVerificationError):
            return True
        reason = reason.args[0] if reason.args else None
    return False
