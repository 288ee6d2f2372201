"""Requests sent to a target and what came back."""

import json
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import requests
from couponspec.request import HttpRequest

LONGEST_WAIT = 30
"""Seconds that a Retry-After is obeyed for at most."""
DEEPEST = 100
"""Levels of a body; no vendor has more than four, and a thousand would end the suite instead of failing the target."""
_BUSY = {429, 503}


class TargetUnreachable(Exception):
    """The target does not answer; the message is one sentence with the reason."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    request: HttpRequest
    operation: str
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes

    @property
    def media_type(self) -> str:
        """Return the answer's media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def parsed(self) -> tuple[Any, str]:
        """Return the answer's JSON, or None and what is wrong with it as JSON."""
        content_type = Message()
        content_type["Content-Type"] = self.headers.get("content-type", "")
        charset = content_type.get_content_charset("utf-8")
        if charset not in {"utf-8", "utf8"}:
            return None, f"the charset of JSON is UTF-8, not {charset}"
        try:
            return _strict(self.content), ""
        except ValueError as error:
            return None, f"it is not strict JSON: {error}"

    @property
    def body(self) -> Any:
        """Return the answer's JSON; None if it is none."""
        return self.parsed[0]


def _strict(content: bytes) -> Any:
    """Read JSON that every reader understands in the same way.

    Raises:
        ValueError: it is something else.
    """
    try:
        text = content.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no character") from error
    except RecursionError as error:
        raise ValueError(f"it has more than {DEEPEST} levels") from error
    if _depth(value) > DEEPEST:
        raise ValueError(f"it has more than {DEEPEST} levels")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return members


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is beyond the range of numbers that clients read")
    return number


def _depth(value: Any) -> int:
    """Count the levels of a value, without recursion."""
    depth = 0
    level = [value]
    while level:
        depth += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def open_session(base_url: str) -> requests.Session:
    """Open a session that adds nothing of its own to a request: no ``.netrc``; proxies and trust are the machine's."""
    session = requests.Session()
    session.trust_env = False
    session.proxies.update(requests.utils.get_environ_proxies(base_url, no_proxy=None))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
    return session


def _wait(exchange: Exchange) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or a date; None if it asks for nothing."""
    text = exchange.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return until.timestamp() - time.time()


class Client:
    """Sends requests to one base URL: no redirects, no credentials of its own, every exchange kept."""

    def __init__(self, base_url: str, timeout: float, user_agent: str) -> None:
        """Open a session.

        Args:
            base_url: Where the vendor's paths begin.
            timeout: Seconds to wait for a connection or for the next bytes.
            user_agent: How the suite names itself.
        """
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.session = open_session(self.base_url)
        self.session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self.count = 0

    def send(self, operation: str, request: HttpRequest) -> Exchange:
        """Send a request; one 429 or 503 that says when to come back is waited out.

        Raises:
            TargetUnreachable: no answer came.
        """
        exchange = self._send(operation, request)
        wait = _wait(exchange) if exchange.status in _BUSY else None
        if wait is not None and wait <= LONGEST_WAIT:
            time.sleep(max(0.0, wait))
            exchange = self._send(operation, request)
        return exchange

    def _send(self, operation: str, request: HttpRequest) -> Exchange:
        self.count += 1
        try:
            response = self.session.request(
                request.method,
                self.base_url + request.target,
                headers=dict(request.headers),
                data=request.body,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TargetUnreachable(reason(error, self.base_url, self.timeout)) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Exchange(request, operation, response.status_code, headers, response.content)


def reason(error: requests.RequestException, base_url: str, timeout: float) -> str:
    """Say in one sentence why no answer came, and what can be done about it."""
    if isinstance(error, requests.exceptions.SSLError):
        fix = "name a file with its authority in REQUESTS_CA_BUNDLE, or give http:// if it speaks no TLS"
        return f"{base_url} has a certificate that is not trusted here; {fix}"
    if isinstance(error, requests.Timeout):
        return f"{base_url} did not answer within {timeout:g} seconds"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"{base_url} cannot be reached through the proxy of this machine"
    if isinstance(error, requests.ConnectionError):
        why = "nobody answers there" if "refused" in str(error) else "it closed the connection, or is unknown here"
        return f"{base_url} cannot be reached: {why}"
    return f"{base_url} cannot be asked: {type(error).__name__}"
