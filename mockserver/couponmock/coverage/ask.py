"""Asks a running mock for its coverage."""

import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from couponmock.coverage.report import Report
from couponmock.settings import DEFAULT_URL

_SECONDS = 30
_PREFIX = "/~"
"""How a namespace begins in a path."""


class Unreachable(Exception):
    """No mock answers, or not with its coverage; the message is one sentence for whoever asked."""


def ask(url: str, namespace: str | None, vendors: Sequence[str] = ()) -> Report:
    """Ask for the coverage of a mock.

    Args:
        url: Base URL of the mock; with the prefix of a namespace, that one is meant unless another is named.
        namespace: A namespace, ``*`` for all, or None for the one of the URL, else all.
        vendors: Those to ask about; empty for all.

    Raises:
        Unreachable: there is no answer, or it has no coverage in it.
    """
    host, path = _parts(url)
    query = [("vendor", vendor) for vendor in vendors]
    if namespace is not None or not path.startswith(_PREFIX):
        query.append(("namespace", "*" if namespace is None else namespace))
    target = f"{url.rstrip('/')}/__admin/coverage?{urlencode(query)}"
    # A proxy would look for the loopback address on its own machine.
    proxies = urllib.request.ProxyHandler({} if _is_loopback(host) else None)
    try:
        with urllib.request.build_opener(proxies).open(target, timeout=_SECONDS) as answer:
            value = json.load(answer)
    except urllib.error.HTTPError as error:
        raise Unreachable(_refused(url, error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"no mock answers at {url}: {getattr(reason, 'strerror', None) or reason}") from error
    if not isinstance(value, dict) or not {"namespace", "total", "vendors"} <= set(value):
        raise Unreachable(f"{url} answers, but not as a couponmock does")
    return value


def _parts(url: str) -> tuple[str, str]:
    """Return host and path of an address."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts.hostname, parts.path
    except ValueError:
        pass
    raise Unreachable(f"{url!r} is no address of a mock, such as {DEFAULT_URL}")


def _refused(url: str, error: urllib.error.HTTPError) -> str:
    """Say why a mock refuses, in its own words if it is one."""
    with error:
        try:
            detail = json.load(error)["detail"]
        except (OSError, ValueError, KeyError, TypeError):
            return f"{url} answers {error.code}, and not as a couponmock does"
    return str(detail)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
