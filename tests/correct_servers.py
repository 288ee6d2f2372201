"""Servers that are right in another way than the mock: each takes one freedom or reading that the pages leave."""

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING, Any

from broken_server import VENDORS
from couponmock.defect import body_of, replying, with_body
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered
from couponspec import load_document

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Change = Callable[[Handler], Handler]


@dataclass(frozen=True)
class Freedom:
    """What a correct server may do otherwise."""

    handling: Change | None = None
    readings: tuple[str, ...] = ()
    """Options that the mock itself is told to act out."""
    transport: "Callable[[WSGIApplication], WSGIApplication] | None" = None
    path: str = ""
    """Prefix of the server's paths."""


def mixed(*freedoms: Freedom) -> Freedom:
    """Take several freedoms at once."""
    changes = [freedom.handling for freedom in freedoms if freedom.handling]
    return Freedom(
        lambda right: reduce(lambda handler, change: change(handler), changes, right),
        tuple(choice for freedom in freedoms for choice in freedom.readings),
    )


def _options(vendor: str) -> Mapping[str, Freedom]:
    """Take each option of a reading that the mock does not take by itself."""
    return {
        f"{reading.id}={option}": Freedom(readings=(f"{vendor}.{reading.id}={option}",))
        for reading in load_document(vendor).sources.readings.values()
        for option in reading.options
        if option != reading.taken
    }


# -- what HTTP and JSON leave open -------------------------------------------------------------------------------------


def _bodies(change: Callable[[Any], Any]) -> Freedom:
    return Freedom(replying(lambda _, reply: with_body(reply, change(body_of(reply)))))


def _texts(change: Callable[[Any], str]) -> Freedom:
    return Freedom(replying(lambda _, reply: replace(reply, body=change(body_of(reply)).encode())))


def _everywhere(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change a value from the inside out."""
    if isinstance(value, dict):
        value = {name: _everywhere(item, change) for name, item in value.items()}
    elif isinstance(value, list):
        value = [_everywhere(item, change) for item in value]
    return change(value)


def _more(value: Any) -> Any:
    return {**value, "x_more": {"since": [2024, None]}} if isinstance(value, dict) else value


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(reversed(value.items()))
    return value[::-1] if isinstance(value, list) else value


def _with_fractions(value: Any) -> str:
    """Write whole numbers as 200.0, also those that no float holds."""
    whole = _everywhere(value, lambda item: f"<{item}>" if isinstance(item, int) and item is not bool(item) else item)
    return re.sub(r'"<(-?[0-9]+)>"', r"\1.0", json.dumps(whole))


def _busy(right: Handler) -> Handler:
    """Send every second request away for a moment."""
    turns = count()

    def handle(request: Request) -> Reply:
        if next(turns) % 2:
            return right(buffered(request))
        return Reply(503, "text/html", b"<p>busy</p>", (("Retry-After", "0"),))

    return handle


def _without_length(app: "WSGIApplication") -> "WSGIApplication":
    """Let the server send bodies in chunks, for want of a length."""

    def chunked(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
            return start_response(status, kept, exc_info)

        for piece in app(environ, start):
            yield piece[:7]
            yield piece[7:]

    return chunked


def _compressed(app: "WSGIApplication") -> "WSGIApplication":
    """Compress bodies, as clients that say so accept."""

    def compressed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started.append((status, [pair for pair in headers if pair[0].lower() != "content-length"]))
            return lambda _: None

        body = b"".join(app(environ, start))
        status, headers = started[0]
        if body and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            body = gzip.compress(body)
            headers.append(("Content-Encoding", "gzip"))
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return compressed


def _is_at_slash(request: Request) -> bool:
    """Tell whether a request is for a path of the pages but for a slash at its end."""
    path = request.path.rstrip("/")
    operations = [one for name in VENDORS for one in load_document(name).operations.values()]
    return path != request.path and any(one.pattern.fullmatch(path) for one in operations)


def _redirecting(right: Handler) -> Handler:
    """Send who asks with a slash at the end to where there is none."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if not _is_at_slash(request):
            return reply
        where = request.path.rstrip("/") + (f"?{request.query}" if request.query else "")
        return replace(reply, status=308, media_type="text/plain", body=b"moved", headers=(("Location", where),))

    return handle


def _taking_slashes(right: Handler) -> Handler:
    """Serve who asks with a slash at the end as others."""
    return lambda request: right(replace(request, path=request.path.rstrip("/")) if _is_at_slash(request) else request)


def _with_lists_plainly_refused(right: Handler) -> Handler:
    """Refuse in plain text the methods that the list does not have, of which its page says nothing."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        is_list = request.path.endswith("/usable_coupons") and reply.status == 405
        return replace(reply, media_type="text/plain", body=b"Method Not Allowed") if is_list else reply

    return handle


def _under(prefix: str) -> "Callable[[WSGIApplication], WSGIApplication]":
    def wrap(app: "WSGIApplication") -> "WSGIApplication":
        def prefixed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            assert environ["PATH_INFO"].startswith(prefix)
            return app({**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix(prefix)}, start_response)

        return prefixed

    return wrap


EVERYWHERE: Mapping[str, Freedom] = {
    "more members": _bodies(lambda body: _everywhere(body, _more)),
    "another order of keys and lists": _bodies(lambda body: _everywhere(body, _backwards)),
    "pretty-printed and escaped": _texts(lambda body: json.dumps(body, indent=2)),
    "whole numbers as 200.0": _texts(_with_fractions),
    "charset in the content type": Freedom(
        replying(lambda _, reply: replace(reply, media_type='Application/JSON; Charset="UTF-8"; v=2'))
    ),
    "busy for a moment": Freedom(_busy),
    "chunked": Freedom(transport=_without_length),
    "compressed": Freedom(transport=_compressed),
    "a slash at the end is a redirect": Freedom(_redirecting),
    "a slash at the end is nothing": Freedom(_taking_slashes),
    "under a path prefix": Freedom(transport=_under("/loyalty/v7"), path="/loyalty/v7"),
}
"""What every vendor's implementation may do."""


# -- readings ----------------------------------------------------------------------------------------------------------


def _without_request_id(reply: Reply) -> Reply:
    return replace(reply, headers=tuple(pair for pair in reply.headers if pair[0] != "Request-Id"))


def _where(applies: Callable[[Reply], bool], change: Callable[[Reply], Reply]) -> Freedom:
    return Freedom(replying(lambda _, reply: change(reply) if applies(reply) else reply))


def _examples(*names: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.example in names


def _findings(*starts: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.finding.startswith(starts)


def _to(status: int | None = None, /, **members: Any) -> Callable[[Reply], Reply]:
    """Give a reply another status or other members."""
    return lambda reply: replace(with_body(reply, {**body_of(reply), **members}), status=status or reply.status)


def _instead(status: int, body: Any) -> Callable[[Reply], Reply]:
    return lambda reply: replace(with_body(reply, body), status=status)


def _example(vendor: str, operation: str, name: str) -> Any:
    return load_document(vendor).operations[operation].examples[name].value


def _succeeded(reply: Reply) -> bool:
    return reply.status < 300


def _refused(reply: Reply) -> bool:
    return reply.status >= 400


_KEY = "credential_"
_NO_ACTIVITIES = _example("crowdtwist", "listUsableCoupons", "no_activities")

CROWDTWIST: Mapping[str, Freedom] = {
    **_options("crowdtwist"),
    "no-coupons=error for used and expired": _where(_examples("none_usable"), _instead(404, _NO_ACTIVITIES)),
    "wrong parameters are input_error": _where(
        _examples("invalid_parameter", "missing_user_id"), _to(error="input_error")
    ),
    "malformed ids are unknown": _where(_examples("malformed_user_id"), _to(error="page_not_found")),
    "malformed ids are wrong parameters": _where(_examples("malformed_user_id"), _to(error="param_error")),
    "no page for an empty id": _where(_examples("missing_user_id"), _to(404, error="page_not_found")),
    "other clients' members get an empty list": _where(
        lambda reply: reply.diagnosis.example == "unknown_member" and b"2002" in reply.body, _instead(200, [])
    ),
    "unuse-status=201": _where(_examples("unused"), _to(201)),
    "other methods of the list refused in plain text": Freedom(_with_lists_plainly_refused),
    "refused keys are input_error": _where(_findings(_KEY), _to(error="input_error")),
    "refused keys are param_error": _where(_findings(_KEY), _to(error="param_error")),
    "another refusal of values that are no text": _where(_findings("invalid body:/coupon_value"), _to(422)),
    "other sentences": _where(lambda reply: isinstance(body_of(reply), dict), _to(message="¡Así no!")),
    "errors say success: false": _where(_refused, _to(success=False)),
}


def _coupon(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Freedom:
    def changed(reply: Reply) -> Reply:
        body = body_of(reply)
        return with_body(reply, {**body, "response": dict(change(body["response"]))})

    return _where(_examples("found"), changed)


def _detached(reply: Reply) -> Reply:
    return with_body(reply, {name: value for name, value in body_of(reply).items() if name != "details"})


def _always(_: Reply) -> bool:
    return True


CHARGEOVER: Mapping[str, Freedom] = {
    **_options("chargeover"),
    "paths and methods in HTTP's words": mixed(
        _where(_examples("unknown_endpoint"), _to(404, code=404)),
        _where(_examples("unsupported_command"), _to(405, code=405)),
    ),
    "times in another zone": _coupon(
        lambda row: (
            {**row, "write_datetime": f"{row['write_datetime'].replace(' ', 'T')}-06:00"}
            if row.get("write_datetime")
            else row
        )
    ),
    "details absent": _where(_always, _detached),
    "details null": _where(_always, _to(details=None)),
    "no message": _where(_always, _to(message=None)),
    "discount and freetrial empty": _coupon(lambda row: {"discount": [], "freetrial": [], **row}),
    "discount_item_id null": _coupon(lambda row: {"discount_item_id": None, **row}),
    "only what the contract requires": _coupon(
        lambda row: {name: row[name] for name in ("coupon_id", "code", "type", "enabled")}
    ),
    "what is null is left out": _coupon(lambda row: {name: value for name, value in row.items() if value is not None}),
    "another reason of a refused credential": _where(
        _findings(_KEY), _to(message="Invalid or incorrect authorization [Unknown key]")
    ),
}


def _items(change: Callable[[dict[str, Any]], Mapping[str, Any] | None]) -> Freedom:
    def changed(reply: Reply) -> Reply:
        body = body_of(reply)
        return with_body(reply, {**body, "items": [row for item in body["items"] if (row := change(item)) is not None]})

    return _where(_succeeded, changed)


def _as_one(reply: Reply) -> Reply:
    body = body_of(reply)
    return with_body(reply, {"error": body["errors"][0]} if "errors" in body else body)


def _as_list(reply: Reply) -> Reply:
    body = body_of(reply)
    return with_body(reply, {"errors": [body["error"]]} if "error" in body else body)


SHOPLAZZA: Mapping[str, Freedom] = {
    "errors as one error": _where(_refused, _as_one),
    "one error as errors": _where(_refused, _as_list),
    **_options("shoplazza"),
    "refused coupons are not listed": _items(lambda item: item if item["coupon_status"] == 1 else None),
    "wrong types are 422": _where(_findings("invalid body:"), _to(422)),
    "received is 1": _where(_examples("received"), _to(status=1)),
    "without Request-Id": _where(_always, _without_request_id),
    "other sentences": _where(_refused, _to()),
}

FREEDOMS: Mapping[str, Mapping[str, Freedom]] = {
    "crowdtwist": {
        **EVERYWHERE,
        **CROWDTWIST,
        "mixed: newer revision": mixed(
            CROWDTWIST["number-type=string"],
            CROWDTWIST["unknown-member=404"],
            CROWDTWIST["order-field-names=reward"],
            EVERYWHERE["more members"],
        ),
        "mixed: lenient and wrapped": mixed(
            CROWDTWIST["repeated-unuse=idempotent"],
            CROWDTWIST["no-coupons=empty-list"],
            EVERYWHERE["another order of keys and lists"],
            CROWDTWIST["order-field-names=reward"],
            CROWDTWIST["list-shape=wrapped"],
            CROWDTWIST["refused-credential-status=403"],
        ),
        "mixed: 400 for everything": mixed(
            CROWDTWIST["not-used-status=400"],
            CROWDTWIST["refused-credential-status=400"],
            CROWDTWIST["refused keys are param_error"],
            CROWDTWIST["wrong-method-status=400"],
            EVERYWHERE["whole numbers as 200.0"],
        ),
    },
    "chargeover": {
        **EVERYWHERE,
        **CHARGEOVER,
        "mixed: in HTTP's words": mixed(
            CHARGEOVER["invalid-id-status=404"],
            CHARGEOVER["paths and methods in HTTP's words"],
            CHARGEOVER["response-of-not-found=false"],
            CHARGEOVER["not-found-message=coupon"],
            CHARGEOVER["datetime-format=iso8601"],
        ),
        "mixed: sparse": mixed(
            CHARGEOVER["details absent"],
            CHARGEOVER["what is null is left out"],
            EVERYWHERE["pretty-printed and escaped"],
        ),
    },
    "shoplazza": {
        **EVERYWHERE,
        **SHOPLAZZA,
        "mixed: strings and counts of before": mixed(
            SHOPLAZZA["value-type=string"],
            SHOPLAZZA["stock-after=before"],
            SHOPLAZZA["item-status=absent"],
            SHOPLAZZA["received is 1"],
        ),
        "mixed: errors": mixed(
            SHOPLAZZA["refused-coupon=error"],
            SHOPLAZZA["unknown-coupon=404"],
            SHOPLAZZA["missing-field-status=422"],
            SHOPLAZZA["unauthorized-status=400"],
            SHOPLAZZA["missing-scope-status=401"],
            SHOPLAZZA["one error as errors"],
        ),
    },
}
"""Vendor -> name -> what its implementation may do otherwise."""
