"""Answers that no page speaks of: by what stands before a server, by HTTP itself, or by operations beside the vendor's.

What such an answer looks like is nobody's rule, and its status no more than what a requirement says of it.
"""

import re
from http.client import (
    BAD_REQUEST,
    FORBIDDEN,
    LENGTH_REQUIRED,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    UNAUTHORIZED,
)
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
    if exchange.status < 500 and (_is_alias(document, path) or _is_of_another_page(document, path, exchange.status)):
        return True
    if exchange.request.method in {"HEAD", "OPTIONS"}:  # one has no body, the other is HTTP's own
        return True
    if exchange.status < 400 and exchange.request.method in {"PUT", "PATCH", "DELETE"}:  # another operation
        return True
    return exchange.status in {UNAUTHORIZED, FORBIDDEN, NOT_FOUND} and not document.methods_at(path)


def _is_alias(document: Document, path: str) -> bool:
    """Tell whether a path is one that the document knows but for its case or a slash at its end.

    Many frameworks serve such a path, or redirect from it.
    """
    return not document.methods_at(path) and any(
        re.fullmatch(operation.pattern.pattern, path.rstrip("/"), re.IGNORECASE)
        for operation in document.operations.values()
    )


def _is_of_another_page(document: Document, path: str, status: int) -> bool:
    """Tell whether only the page of another operation speaks of what becomes of a method that a path does not have."""
    response = document.general.response(status) if status in {BAD_REQUEST, METHOD_NOT_ALLOWED} else None
    told = {example.source.partition("#")[0] for example in response.examples.values()} if response else set()
    own = {operation.page for operation in document.operations.values() if operation.pattern.fullmatch(path)}
    others = {operation.page for operation in document.operations.values()} - own
    return bool(own and told) and told <= others


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
