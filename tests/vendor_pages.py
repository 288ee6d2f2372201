"""What the vendors' four pages print, copied by hand from the pages and never from our documents.

Protocol facts only: names, types, lengths, statuses, identifiers, messages, samples. Where `printed` is given, it is
the page's own wording, blanks aside, so that a test that has the pages can look it up. All tables, hence the length.
"""

from dataclasses import dataclass, field
from typing import Any

MISSING: Any = object()
"""A field for which the page has no sample."""


@dataclass(frozen=True)
class Page:
    """One page of a vendor, as `sources.yaml` calls it."""

    vendor: str
    id: str
    begins: str
    """What its text begins with, by which its file is known."""
    operation: str
    method: str
    path: str
    printed: str


UNUSE = Page(
    "crowdtwist",
    "unuse",
    "Unuse Coupon",
    "unuseCoupon",
    "POST",
    "/v2/coupon/unuse",
    "https://[environment]api[client_id].crowdtwist.com/v2/coupon/unuse?api_key=[api_key]",
)
LIST = Page(
    "crowdtwist",
    "usable-coupons",
    "Commerce – Usable Coupons",
    "listUsableCoupons",
    "GET",
    "/v2/users/{user_id}/usable_coupons",
    "https://api.crowdtwist.com/v2/users/[userId]/usable_coupons?api_key=[api_key]&id_type=[id_type]",
)
GET = Page(
    "chargeover",
    "get-coupon",
    "Retrieve a specific coupon",
    "getCoupon",
    "GET",
    "/api/v3/coupon/{coupon_id}",
    "GET/api/v3/coupon/:coupon_id",
)
RECEIVE = Page(
    "shoplazza",
    "receive",
    "Receive Coupons",
    "receiveCoupons",
    "POST",
    "/openapi/2022-01/coupons/receive",  # the page's text as we have it begins below its URL
    "The Receive Coupons API enables assigning specific coupons to a customer.",
)
PAGES = (UNUSE, LIST, GET, RECEIVE)


@dataclass(frozen=True)
class Parameter:
    """A parameter or a member of the request body."""

    page: Page
    place: str
    name: str
    type: str
    required: str
    """``Yes`` or ``No``, as printed."""
    sample: Any
    printed: str


PARAMETERS = (
    Parameter(UNUSE, "query", "api_key", "String", "Yes", "QWERTY", "api_key | QWERTY | Yes | String |"),
    Parameter(
        UNUSE, "body", "coupon_value", "String", "Yes", "1X3FJ9K003", "coupon_value | 1X3FJ9K003 | Yes | String |"
    ),
    Parameter(
        LIST, "path", "user_id", "String", "Yes", "alice@crowdtwist.com", "user_id alice@crowdtwist.com Yes String"
    ),
    Parameter(LIST, "query", "api_key", "String", "Yes", "QWERTYUIOP", "api_key QWERTYUIOP Yes String"),
    Parameter(LIST, "query", "id_type", "String", "No", "email", "id_type email No String"),
    Parameter(GET, "path", "coupon_id", "integer", "Yes", 1, "GET/api/v3/coupon/:coupon_id"),
    Parameter(RECEIVE, "body", "customer_id", "string", "Yes", MISSING, "customer_idstringYes"),
    Parameter(RECEIVE, "body", "coupon_ids", "array of strings", "Yes", MISSING, "coupon_idsarray of stringsYes"),
)

ID_TYPES = ("email", "facebook_user_id", "twitter_user_id", "id", "third_party_id", "username")
DEFAULT_ID_TYPE = "id"
CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Field:
    """A member of an answer."""

    page: Page
    answer: str
    """``success``, or the status or identifier that leads to the answer."""
    name: str
    """Path of the member, dotted; list positions are left out."""
    type: str
    printed: str
    length: int | None = None
    nullable: bool = False
    required: bool = True
    """Whether the page says so, or, where it says nothing, our contract (vendors.md C4, L20)."""


def _crowdtwist(name: str, printed: str, **more: Any) -> Field:
    return Field(LIST, "success", name, printed.partition("[")[0].partition(" ")[0], f"{name} {printed}", **more)


def _chargeover(answer: str, name: str, type_: str, **more: Any) -> Field:
    suffix = "nullable" if more.get("nullable") else ""
    return Field(GET, answer, name, type_, f"{name.rpartition('.')[2]} {type_}{suffix}", **more)


def _shoplazza(name: str, type_: str, words: str) -> Field:
    return Field(RECEIVE, "success", name, type_, f"{name}{type_}{words}")


FIELDS = (
    Field(UNUSE, "success", "success", "Boolean", "success | true | Yes | Boolean |"),
    Field(UNUSE, "success", "message", "String", "message | Successfully submitted | Yes | String |"),
    Field(UNUSE, "error", "error", "String", "error | internal_error | Yes | String |"),
    Field(UNUSE, "error", "message", "String", "message | Coupon could not be found | Yes | String |"),
    _crowdtwist("reward_id", "Numeric"),
    _crowdtwist("redeem_order_id", "Numeric"),
    _crowdtwist("redeem_order_coupon_id", "Numeric"),
    _crowdtwist("total_points_redeemed", "Numeric"),
    _crowdtwist("ending_balance", "Numeric"),
    _crowdtwist("quantity", "Numeric"),
    _crowdtwist("code", "String[1000]", length=1000),
    _crowdtwist("reward_title", "String[100]", length=100),
    _crowdtwist("coupon_category_id", "Numeric"),
    _crowdtwist("coupon_category_name", "String[50]", length=50),
    _crowdtwist("coupon_category_expiration_days", "Numeric", nullable=True),
    _crowdtwist("batch_num", "Numeric"),
    _crowdtwist("date_to_expire", "Numeric / null", nullable=True),
    _crowdtwist("order_date_created", "Numeric"),
    _crowdtwist("coupon_date_created", "Numeric"),
    Field(LIST, "error", "error", "String", "error param_error Yes String"),
    Field(LIST, "error", "message", "String", "message Missing the user_id parameter Yes String"),
    _chargeover("success", "code", "integer"),
    _chargeover("success", "status", "string"),
    _chargeover("success", "message", "string", nullable=True),
    _chargeover("success", "details", "object", nullable=True, required=False),
    Field(GET, "success", "response", "object", "response object"),
    _chargeover("success", "response.coupon_id", "integer"),
    _chargeover("success", "response.code", "string"),
    _chargeover("success", "response.descrip", "string", required=False),
    _chargeover("success", "response.type", "string"),
    _chargeover("success", "response.discount_item_id", "integer", required=False),
    _chargeover("success", "response.enabled", "boolean"),
    _chargeover("success", "response.discount", "array", required=False),
    _chargeover("success", "response.freetrial", "array", required=False),
    _chargeover("success", "response.write_datetime", "string", required=False),
    _chargeover("success", "response.write_ipaddr", "string", required=False),
    *(
        entry
        for status in ("400", "401", "404")
        for entry in (
            _chargeover(status, "code", "integer"),
            _chargeover(status, "status", "string"),
            _chargeover(status, "message", "string", nullable=True),
            _chargeover(status, "details", "object", nullable=True, required=False),
            _chargeover(status, "response", "boolean", nullable=status == "404"),
        )
    ),
    _shoplazza("status", "int", "Operation status code."),
    _shoplazza("items", "array", "List of assigned coupons and their details."),
    _shoplazza("items.id", "string", "The ID of the assigned coupon."),
    _shoplazza("items.status", "int", "The status of the coupon."),
    _shoplazza("items.value", "float", "The value of the coupon."),
    _shoplazza("items.stock", "int", "The available stock of the coupon."),
    _shoplazza("items.coupon_status", "int", "The current status of the coupon."),
    _shoplazza("items.received_count", "int", "The count of times the coupon has been received."),
    _shoplazza("items.discount_text", "string", "Description of the discount applied by the coupon."),
    _shoplazza("items.prerequisite_text", "string", "Any prerequisite details for using the coupon."),
    _shoplazza("items.is_first_order", "bool", "Indicates if the coupon is for first orders only."),
    _shoplazza("limit", "int", "The maximum number of coupons that can be received."),
    _shoplazza("has_more", "bool", "Indicates if there are more coupons to receive."),
    _shoplazza("cursor", "string", "Cursor for pagination."),
    Field(RECEIVE, "400", "errors", "Array", 'errorsArray[ "invalid line_item id"]'),
    Field(RECEIVE, "401", "error", "String", 'errorString "store is not active"'),
)

DIFFERENT_IN_THE_SAMPLE = {"reward_order_id": "redeem_order_id", "reward_order_coupon_id": "redeem_order_coupon_id"}
"""Names of the printed sample -> names of the printed table."""


@dataclass(frozen=True)
class Refusal:
    """An error that a page prints: status or class, identifier and text, as far as it goes."""

    page: Page
    status: str
    """A status, a class such as ``5XX``, or empty where the page has none."""
    members: dict[str, Any] = field(hash=False)
    printed: tuple[str, ...]


REFUSALS = (
    Refusal(
        UNUSE,
        "404",
        {"error": "not_issued", "message": "Coupon has not been issued."},
        ("404 | not_issued | Coupon has not been issued. |",),
    ),
    Refusal(
        UNUSE,
        "404",
        {"error": "no_data", "message": "Unable to find coupon."},
        ("404 | no_data | Unable to find coupon. |",),
    ),
    Refusal(
        UNUSE,
        "400",
        {"error": "input_error", "message": "Coupon value is required."},
        ("400 | input_error | Coupon value is required. |",),
    ),
    Refusal(UNUSE, "4XX", {"error": "not_used"}, ("Input Error | 4xx |", "– not_used – not_issued – no_data")),
    Refusal(UNUSE, "4XX", {"error": "input_error"}, ("the body is malformed (e.g. HTTP method not supported",)),
    Refusal(UNUSE, "5XX", {"error": "internal_error"}, ("Server Error | 5xx |", "–internal_error: unexpected error")),
    Refusal(UNUSE, "5XX", {"error": "not_configured"}, ("– not_configured: error occurs when",)),
    Refusal(
        LIST,
        "400",
        {"error": "page_not_found", "message": "User does not exist."},
        ("Sample Error Response: Status Code 400", '"error": "page_not_found", "message": "User does not exist."'),
    ),
    Refusal(
        LIST,
        "",
        {"error": "param_error", "message": "Missing the user_id parameter"},
        ("error param_error Yes String", "message Missing the user_id parameter Yes String"),
    ),
    *(
        Refusal(LIST, "", {"error": identifier, "message": message}, (f"{identifier} {message}",))
        for identifier, message in {
            "input_error": "The input provided in invalid or formatted incorrectly.",
            "internal_error": "Something went wrong on our end.",
            "page_not_found": "The requested page does not exist or has been removed.",
            "param_error": "A missing or invalid parameter is included in the request.",
            "no_activities": "There are no rewards available to this user.",
        }.items()
    ),
    Refusal(
        GET,
        "400",
        {"code": 400, "status": "Error", "message": "Missing or invalid parameter.", "details": {}, "response": False},
        (
            '"message": "Missing or invalid parameter.", "details": {}, "response": false',
            '"code": 400, "status": "Error"',
        ),
    ),
    Refusal(
        GET,
        "401",
        {
            "code": 401,
            "status": "Error",
            "message": "Invalid or incorrect authorization [Missing (basic) authorization header.]",
            "details": {},
            "response": False,
        },
        (
            '"code": 401, "status": "Error"',
            '"message": "Invalid or incorrect authorization [Missing (basic) authorization header.]", "details": {}',
            '"details": {}, "response": false',
        ),
    ),
    Refusal(
        GET,
        "404",
        {"code": 404, "status": "Error", "message": "This object does not exist.", "details": {}, "response": None},
        ('"code": 404, "status": "Error", "message": "This object does not exist.", "details": {}, "response": null',),
    ),
    Refusal(RECEIVE, "400", {"errors": ["Bad Request"]}, ("400Bad RequestInvalid input format",)),
    Refusal(RECEIVE, "401", {"error": "Unauthorized"}, ("UnauthorizedThe request is missing valid",)),
    Refusal(RECEIVE, "404", {"errors": ["customer not exist"]}, ("is not existed.customer not exist",)),
    Refusal(
        RECEIVE, "422", {"errors": ["CouponIds is required"]}, ("422CouponIds is requiredEmpty Coupon IdCouponIds",)
    ),
)
"""The row of the 401 has lost its status; that it is one, and under which key a text stands, is our reading."""

REQUESTS: tuple[tuple[Page, Any, str], ...] = ((UNUSE, {"coupon_value": "JDSI2JE"}, '{"coupon_value": "JDSI2JE"}'),)
"""Printed request bodies."""

SUCCESSES: tuple[tuple[Page, Any, tuple[str, ...]], ...] = (
    (
        UNUSE,
        {"success": True, "message": "Successfully submitted"},
        ("success | true | Yes | Boolean", "message | Successfully submitted"),
    ),
    (
        LIST,
        [
            {
                "reward_id": 127819,
                "reward_order_id": 28184278,
                "reward_order_coupon_id": 17298195,
                "total_points_redeemed": 200,
                "ending_balance": 22,
                "quantity": 1,
                "code": "ACC58191285",
                "reward_title": "$20 Sunshine Rewards Coupon",
                "coupon_category_id": 218,
                "coupon_category_name": "Sunshine Rewards",
                "coupon_category_expiration_days": 90,
                "batch_num": 82,
                "date_to_expire": 1479450627,
                "order_date_created": 1478820760,
                "coupon_date_created": 1478706211,
            },
            {
                "reward_id": 127817,
                "reward_order_id": 28184282,
                "reward_order_coupon_id": 17298198,
                "total_points_redeemed": 50,
                "ending_balance": 37,
                "quantity": 1,
                "code": "ACC58111301",
                "reward_title": "$5 Sunshine Rewards Coupon",
                "coupon_category_id": 218,
                "coupon_category_name": "Sunshine Rewards",
                "coupon_category_expiration_days": 90,
                "batch_num": 65,
                "date_to_expire": 1479441218,
                "order_date_created": 1478823150,
                "coupon_date_created": 1478721025,
            },
        ],
        (),
    ),
    (
        GET,
        {
            "code": 200,
            "status": "OK",
            "message": "",
            "details": {},
            "response": {
                "coupon_id": 1,
                "code": "ABC123",
                "descrip": "10% off your next purchase",
                "type": "give-a-discount",
                "enabled": True,
                "write_datetime": "2021-05-25 08:23:05",
                "write_ipaddr": "172.19.0.1",
                "discount_item_id": 673,
            },
        },
        (),
    ),
)
"""Printed answers; members without `printed` texts are looked up one by one."""

WORDS: tuple[tuple[Page, str], ...] = (
    (UNUSE, "mark a coupon as “unused”, available to be used again"),
    (UNUSE, "application/json"),
    (UNUSE, "Coupon could not be found"),
    (UNUSE, "including situations in which the body is malformed"),
    (UNUSE, "HTTP method not supported"),
    (LIST, "it has not yet itself been redeemed"),
    (LIST, "its expiration date (if it has one) has not yet passed"),
    (LIST, "null if expiration is not performed"),
    (LIST, "default ID if id_type is not specified"),
    (GET, "Object was fetched successfully"),
    (GET, "Bad request"),
    (GET, "Authentication error"),
    (GET, "Object not found"),
    (RECEIVE, "Requires price_rules access scope."),
    (RECEIVE, "invalid line_item id"),
    (RECEIVE, "store is not active"),
    (RECEIVE, "missing required fields or incorrect data types"),
    (RECEIVE, "404Not Found"),
)
"""Rules in prose, each of which has to be a recorded quotation."""
