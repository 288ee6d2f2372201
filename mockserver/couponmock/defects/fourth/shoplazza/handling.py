"""Broken ways to read a request for coupons, and to write its answer."""

from dataclasses import replace
from typing import Any

from couponmock.defect import asking, body_of, mishearing, with_body
from couponmock.defects.adversary.making import answering, lending
from couponmock.defects.fourth.making import JSON_BLANKS, veiled, with_header
from couponmock.defects.fourth.shoplazza.parts import (
    CREDENTIALS,
    SUCCESS,
    defect,
    ids_of,
    is_receive,
    received,
    token_of,
)
from couponmock.defects.second.making import answered_by, with_headers
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

_BAD = ("receive#error-detail", "missing required fields or incorrect data types")
_IDS = ("receive#body-parameters", "coupon_idsarray of stringsYesArray of coupon IDs to be assigned to the customer.")

_NOTHING = {"status": 0, "items": [], "limit": 0, "has_more": False, "cursor": "0"}
_ZERO = {
    "id": "",
    "status": 0,
    "value": 0,
    "stock": 0,
    "coupon_status": 0,
    "received_count": 0,
    "discount_text": "",
    "prerequisite_text": "",
    "is_first_order": False,
}
_PAGE = 10
"""Items."""
_BUFFER = 4096
"""Bytes."""


# -- replies -----------------------------------------------------------------------------------------------------------


def _only_empty(request: Request, reply: Reply) -> bool:
    ids = ids_of(request)
    return is_receive(request) and reply.status == 422 and len(ids) > 1 and not any(ids)


def _zeros(right: Handler) -> Handler:
    """Make as many items as there are ids, and fill in those that can be shown."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if not received(request, reply):
            return reply
        items = {item["id"]: item for item in body_of(reply)["items"]}
        ids = list(dict.fromkeys(ids_of(request)))
        while ids and ids[-1] not in items:
            ids.pop()
        if len(ids) == len(items):
            return reply
        return with_body(reply, {**body_of(reply), "items": [items.get(each, _ZERO) for each in ids]})

    return handle


def _page_of_html(reply: Reply) -> Reply:
    page = f"<!doctype html>\n<title>{reply.status}</title>\n<h1>Sorry, something is not right</h1>\n"
    return replace(reply, media_type="text/html; charset=utf-8", body=page.encode())


def _full_page(request: Request, reply: Reply) -> bool:
    return received(request, reply) and len(body_of(reply)["items"]) == _PAGE


def _token_in_id(right: Handler) -> Handler:
    """Number refused requests by who has sent them."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status < 400 or not token_of(request):
            return reply
        return with_header(reply, "Request-Id", veiled(f"{token_of(request)}:{request.id[:8]}"))

    return handle


# -- requests ----------------------------------------------------------------------------------------------------------


def _begins_like_json(request: Request) -> Request:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    alike = media_type.startswith("application/json") and media_type != "application/json"
    return with_headers(request, content_type="application/json") if alike and is_receive(request) else request


def _one_buffer(request: Request) -> Request | None:
    """Read what fits into the first buffer."""
    body = request.read(BODY_LIMIT) or b""
    return replace(request, read=lambda _: body[:_BUFFER]) if is_receive(request) and len(body) > _BUFFER else None


def _flat(body: Any) -> Any:
    """Take lists apart that stand among ids; a list of nothing else is refused."""
    ids = body.get("coupon_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not any(isinstance(each, str) for each in ids):
        return body
    return {**body, "coupon_ids": [one for each in ids for one in (each if isinstance(each, list) else [each])]}


def _split(body: Any) -> Any:
    ids = body.get("coupon_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list):
        return body
    parts = [one for each in ids for one in (each.split(",") if isinstance(each, str) else [each])]
    return {**body, "coupon_ids": parts}


HANDLING_DEFECTS = (
    # -- status
    defect(
        "only-empty-ids",
        "Several ids that are all empty get a 200 without items; one gets the 422.",
        handler=answering(_only_empty, lambda reply: replace(with_body(reply, _NOTHING), status=200)),
        of="status",
        breaks=("receive#error-detail", "Empty Coupon Id"),
        hard=True,
    ),
    # -- shape
    defect(
        "items-of-zeros",
        "A coupon that is left out leaves an item of zeros and empty texts before those that follow it.",
        handler=_zeros,
        of="shape",
        breaks=(SUCCESS, "items.idstringThe ID of the assigned coupon."),
        hard=True,
    ),
    defect(
        "full-page-has-more",
        "An answer of exactly ten items says that there are more.",
        handler=answering(
            _full_page, lambda reply: with_body(reply, {**body_of(reply), "has_more": True, "cursor": "10"})
        ),
        of="shape",
        breaks=(SUCCESS, "has_moreboolIndicates if there are more coupons to receive."),
        hard=True,
    ),
    # -- identifiers
    defect(
        "pages-for-browsers",
        "Errors are pages of HTML for whoever takes those too, as browsers do.",
        handler=answering(
            lambda request, reply: (
                is_receive(request) and reply.status >= 400 and "text/html" in request.headers.get("accept", "")
            ),
            _page_of_html,
        ),
        of="identifiers",
        breaks=("receive#error-response", "two different fields: errors and error"),
        hard=True,
    ),
    # -- credentials
    defect(
        "any-of-several-tokens",
        "Of several tokens with commas between them one that was let in before is enough.",
        handler=lending(
            token_of,
            lambda request, known: with_headers(request, access_token=known),
            lambda sent, known: known in [part.strip() for part in sent.split(",")],
        ),
        of="credentials",
        breaks=CREDENTIALS,
        hard=True,
    ),
    # -- method
    defect(
        "types-that-begin-alike",
        "A body is taken for JSON if its type begins like that of JSON: application/json-seq, application/jsonlines.",
        handler=asking(_begins_like_json),
        of="method",
        breaks=("public-parameters#request-headers", "application/json"),
        hard=True,
    ),
    # -- limits
    defect(
        "one-buffer",
        "A body of more than four kilobytes is read no further: 400.",
        handler=answered_by(_one_buffer),
        of="limits",
        breaks=JSON_BLANKS,
        hard=True,
    ),
    # -- robustness
    defect(
        "lists-within-the-list",
        "A list of ids among the ids is taken apart, and its coupons are assigned.",
        handler=mishearing(_flat),
        of="robustness",
        breaks=_BAD,
        hard=True,
    ),
    defect(
        "commas-within-an-id",
        "An id with commas in it is taken for several: all coupons that stand between them are assigned.",
        handler=mishearing(_split),
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    # -- leaks
    defect(
        "token-in-the-request-id",
        "The Request-Id of a refused request is its token, in base64.",
        handler=_token_in_id,
        of="leaks",
        breaks=CREDENTIALS,
        hard=True,
    ),
)
