"""Why no answer came, in one sentence, with the way out."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from http.client import BadStatusLine, HTTPException, RemoteDisconnected

import requests
from urllib3.exceptions import LocationParseError, NewConnectionError, ProxySchemeUnknown, ReadTimeoutError


def reason(error: Exception, base_url: str, timeout: float, proxy: str = "") -> str:
    """Say in one sentence why no answer came, and what can be done about it.

    Args:
        error: What the library says.
        base_url: Where the server is.
        timeout: Seconds for which it was waited.
        proxy: Host and port of the proxy that was asked; empty if none was.
    """
    causes = [*_causes(error)]

    def found(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    if (untrusted := found(ssl.SSLCertVerificationError)) is not None:
        why = getattr(untrusted, "verify_message", "") or "it cannot be verified"
        fix = "name a file with its authority in REQUESTS_CA_BUNDLE or as ca_file"
        return f"{base_url} has a certificate that is not trusted here ({why}); {fix}"
    if tunnel := next((text for cause in causes if (text := str(cause)).startswith("Tunnel connection failed")), ""):
        return refused(base_url, proxy, tunnel.partition(": ")[2])
    if found(requests.exceptions.InvalidSchema, requests.exceptions.InvalidProxyURL, ProxySchemeUnknown):
        return (
            f"{base_url} cannot be reached: {proxy or 'what is given'} is no proxy that can be asked; give http://..."
        )
    unreached = next((said for kind, said in _UNREACHED.items() if found(kind)), "")
    if unreached:
        through = f" through the proxy {proxy}" if found(requests.exceptions.ProxyError) else ""
        return f"{base_url} cannot be reached{through}: {unreached}"
    late = f"did not answer within {timeout:g} seconds" if found(requests.Timeout, ReadTimeoutError) else ""
    unread = next((said for kind, said in _UNREAD.items() if found(kind)), f"cannot be asked: {type(error).__name__}")
    return f"{base_url} {late or unread}"


_UNREACHED: Mapping[type[BaseException], str] = {
    ConnectionRefusedError: "nobody answers there",
    socket.gaierror: "its name is not known here",
    LocationParseError: "its name is none that a host can have",
    NewConnectionError: "there is no way to it from here",
}
"""What went wrong before a connection was there -> what is said of it; the first that fits."""
_UNREAD: Mapping[type[BaseException], str] = {
    ssl.SSLError: "speaks no TLS that is understood here; give http:// if it speaks none",
    RemoteDisconnected: "closed the connection without an answer",
    BadStatusLine: "does not speak HTTP; give https:// if it speaks TLS",
    ConnectionError: "closed the connection without an answer; give https:// if it speaks TLS",
    requests.exceptions.ChunkedEncodingError: "closed the connection in the middle of an answer",
    HTTPException: "sent headers that are longer or more than clients read",
}
"""As above, for what went wrong afterwards."""


def is_closed(error: Exception) -> bool:
    """Tell whether a connection was closed before anything of an answer came."""
    return any(isinstance(cause, ConnectionError) for cause in _causes(error)) and not any(
        isinstance(cause, requests.exceptions.ChunkedEncodingError) for cause in _causes(error)
    )


def refused(base_url: str, proxy: str, answer: str) -> str:
    """Say that a proxy does not let anything through."""
    return f"{base_url} cannot be reached through the proxy {proxy}: it answers {answer}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was raised for: each library wraps those of the one below."""
    seen: list[BaseException] = []
    left: list[BaseException] = [error]
    while left:
        one = left.pop(0)
        if one not in seen:
            seen.append(one)
            yield one
            inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
            left += [item for item in inner if isinstance(item, BaseException)]
