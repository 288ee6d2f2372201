"""Answers that no page speaks of: by what stands before a server, by HTTP itself, or by operations beside the vendor's.

What such an answer looks like is nobody's rule, and its status no more than what a requirement says of it.
"""

import re
from http.client import FORBIDDEN, LENGTH_REQUIRED, NOT_ACCEPTABLE, NOT_FOUND, UNAUTHORIZED
from urllib.parse import unquote

from couponspec.document import Document

from couponcheck.exchange import Exchange

_ODD = re.compile(r"[%;\\*<>\x00-\x1f\x7f]|//|' OR '")
"""What usual servers and firewalls keep from an application, in a path that is decoded once."""


def is_beyond_the_pages(document: Document, exchange: Exchange) -> bool:
    """Tell whether the form of an answer is left open by the vendor's pages.

    Args:
        document: The vendor's document, which knows the paths.
        exchange: A request and its answer.
    """
    path = exchange.request.target.partition("?")[0]
    if (is_odd(path) and 300 <= exchange.status < 500) or _is_of_http(exchange):
        return True
    if exchange.operation != document.general.id:
        return False
    if exchange.request.method in {"HEAD", "OPTIONS"}:  # one has no body, the other is HTTP's own
        return True
    if exchange.status < 400 and exchange.request.method in {"PUT", "PATCH", "DELETE"}:  # another operation
        return True
    return exchange.status in {UNAUTHORIZED, FORBIDDEN, NOT_FOUND} and not document.methods_at(path)


def _is_of_http(exchange: Exchange) -> bool:
    """Tell whether HTTP itself has the answer, to what a request says of its body or of what it takes."""
    request = exchange.request
    return (exchange.status == LENGTH_REQUIRED and request.is_chunked) or (
        exchange.status == NOT_ACCEPTABLE and not request.takes_json
    )


def is_odd(path: str) -> bool:
    """Tell whether a path, percent-encoded, need not reach any application."""
    try:
        return _ODD.search(unquote(path, errors="strict")) is not None
    except UnicodeDecodeError:
        return True
