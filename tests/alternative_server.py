"""Another implementation of the three vendors: plain `http.server`, written from the pages, sharing no code of ours.

It can take every reading that the pages leave open and every freedom that HTTP and JSON leave to a correct server.
"""

import base64
import contextlib
import copy
import gzip
import json
import re
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

Entities = dict[str, dict[str, Any]]
"""Handle -> members."""


@dataclass(frozen=True)
class Response:
    """What goes back."""

    status: int
    body: Any
    """A JSON value, or the bytes that something before the service says."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What came in."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    """By lower-case name."""
    raw: bytes

    @property
    def is_json(self) -> bool:
        """Tell whether the body says it is JSON that this server reads."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


class Unreadable(Exception):
    """The body is no JSON."""


def _read(raw: bytes, *, strict: bool = True) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if strict and len({name for name, _ in pairs}) < len(pairs):
            raise Unreadable
        return dict(pairs)

    def constant(_: str) -> Any:
        raise Unreadable

    try:
        return json.loads(raw.decode(), object_pairs_hook=members, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


class Service:
    """One vendor."""

    usual: ClassVar[Mapping[str, str]] = {}
    """Reading -> what is done if nothing else is chosen."""

    def __init__(self, entities: Entities, readings: Mapping[str, str]) -> None:
        """Begin with a copy of the entities."""
        assert not set(readings) - set(self.usual), f"unknown: {set(readings) - set(self.usual)}"
        self._seeded = entities
        self.takes = {**self.usual, **readings}
        self.reset()

    def reset(self) -> None:
        """Forget every change."""
        self.entities = copy.deepcopy(self._seeded)

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the entities of a kind."""
        return (item for handle, item in self.entities.items() if handle.startswith(f"{kind}."))

    def one(self, kind: str, **members: Any) -> dict[str, Any] | None:
        """Find an entity."""
        return next((item for item in self.all(kind) if all(item.get(k) == v for k, v in members.items())), None)

    def name_of(self, kind: str, wanted: dict[str, Any]) -> str:
        """Return the name of an entity."""
        return next(
            handle.partition(".")[2]
            for handle, item in self.entities.items()
            if item is wanted and handle.startswith(f"{kind}.")
        )

    def answer(self, asked: Asked) -> Response:
        """Answer a request."""
        raise NotImplementedError


class CrowdTwist(Service):
    """Unuse Coupon and Usable Coupons."""

    usual: ClassVar[Mapping[str, str]] = {
        "not-used-status": "404",
        "repeated-unuse": "refused",
        "unuse-status": "200",
        "wrong-method-status": "405",
        "refused-credential-status": "401",
        "refused-credential-error": "input_error",
        "unknown-member": "400",
        "list-error-status": "400",
        "no-coupons": "error",
        "none-usable": "empty-list",
        "empty-id": "400",
        "order-field-names": "redeem",
        "list-shape": "array",
        "number-type": "number",
        "sentences": "printed",
        "member-names": "exact",
        "more-members": "ignored",
        "form": "unchecked",
        "lenience": "none",
    }
    SHOWN = (
        "reward_id",
        "redeem_order_id",
        "redeem_order_coupon_id",
        "total_points_redeemed",
        "ending_balance",
        "quantity",
        "code",
        "reward_title",
        "coupon_category_id",
        "coupon_category_name",
        "coupon_category_expiration_days",
        "batch_num",
        "date_to_expire",
        "order_date_created",
        "coupon_date_created",
    )

    def error(self, status: int | str, error: str, message: str) -> Response:
        """Make an error of the pages' form."""
        message = message if self.takes["sentences"] == "printed" else "Sentences are for people."
        return Response(int(status), {"error": error, "message": message})

    def answer(self, asked: Asked) -> Response:
        """Answer as the two pages say."""
        member = re.fullmatch(r"/v2/users/([^/]*)/usable_coupons", asked.path)
        if asked.path == "/v2/coupon/unuse":
            return self.unuse(asked) if asked.method == "POST" else self.wrong_method("POST")
        if member:
            return self.usable(asked, member[1]) if asked.method == "GET" else self.wrong_method("GET")
        return self.error(404, "page_not_found", "The requested page does not exist or has been removed.")

    def wrong_method(self, allowed: str) -> Response:
        """Refuse a method, which the page calls an input error."""
        refused = self.error(self.takes["wrong-method-status"], "input_error", "Use another HTTP method.")
        return Response(refused.status, refused.body, {"Allow": allowed})

    def client(self, asked: Asked) -> str | None:
        """Return whose key was sent."""
        keys = asked.query.get("api_key", [])
        sent = asked.headers.get("x-ct-authorization", "")
        if self.takes["lenience"] == "much":
            sent = sent or f"CTApiKey {asked.headers.get('x-api-key') or asked.headers.get('authorization', '')}"
            keys = keys[-1:]
        if len(keys) == 1 and keys[0]:
            found = self.one("credential", scheme="api_key", secret=keys[0])
        elif sent.startswith("CTApiKey "):
            found = self.one("credential", scheme="ct_authorization", secret=sent.removeprefix("CTApiKey "))
        else:
            found = None
        return found["principal"] if found else None

    def refused(self) -> Response:
        """Refuse a key."""
        status, error = self.takes["refused-credential-status"], self.takes["refused-credential-error"]
        # With 400 the pages know other errors, and who makes one up could mean any of them.
        error = "input_error" if (status, error) == ("400", "unauthorized") else error
        return self.error(status, error, "The API key is missing or wrong.")

    def unuse(self, asked: Asked) -> Response:
        """Make a used coupon usable again."""
        client = self.client(asked)
        if client is None:
            return self.refused()
        try:
            body = _read(asked.raw, strict=self.takes["lenience"] == "none") if asked.is_json else None
        except Unreadable:
            body = None
        if not isinstance(body, dict):
            return self.error(400, "input_error", "Send a JSON object.")
        if self.takes["member-names"] == "any-case":
            body = {name.lower(): value for name, value in body.items()}
        if self.takes["more-members"] == "refused" and body.keys() - {"coupon_value"}:
            return self.error(422, "input_error", "There are members that nobody knows.")
        value = body.get("coupon_value")
        if value is None or (isinstance(value, str) and not value.strip()):
            return self.error(400, "input_error", "Coupon value is required.")
        if not isinstance(value, str) or len(value) > 1000:
            return self.error(400, "input_error", "Coupon value is wrong.")
        # Whatever form codes have, each that was ever given out has it.
        is_formal = re.fullmatch("[A-Z0-9-]+", value) or self.one("coupon", code=value)
        if self.takes["form"] == "checked" and not is_formal:
            return self.error(400, "input_error", "Codes have letters and digits.")
        if self.takes["lenience"] == "much":
            value = value.strip()
        coupon = self.one("coupon", client=client, code=value)
        if coupon is None:
            return self.error(404, "no_data", "Unable to find coupon.")
        if coupon["state"] == "generated":
            return self.error(404, "not_issued", "Coupon has not been issued.")
        if coupon["state"] == "issued" and self.takes["repeated-unuse"] == "refused":
            return self.error(self.takes["not-used-status"], "not_used", "The coupon is not used.")
        coupon["state"] = "issued"
        return Response(int(self.takes["unuse-status"]), {"success": True, "message": "Successfully submitted"})

    def usable(self, asked: Asked, user_id: str) -> Response:
        """List what a member can use."""
        client = self.client(asked)
        if client is None:
            return self.refused()
        wrong = self.takes["list-error-status"]
        if not user_id.strip():
            return self.error(self.takes["empty-id"], "param_error", "Missing the user_id parameter")
        types = asked.query.get("id_type", ["id"])
        if self.takes["lenience"] == "much":
            user_id = user_id.strip()
            types = [(types[-1] or "id").lower()]
        known = {"email", "facebook_user_id", "twitter_user_id", "id", "third_party_id", "username"}
        if len(types) != 1 or types[0] not in known:
            return self.error(wrong, "param_error", "A missing or invalid parameter is included in the request.")
        if (types[0] == "id" and not re.fullmatch("[0-9]+", user_id)) or (types[0] == "email" and "@" not in user_id):
            return self.error(wrong, "input_error", "The input provided in invalid or formatted incorrectly.")
        forms = {"email": "[a-z0-9.+-]+@[a-z0-9.-]+", "username": r"[\w. ]+", "id": "[1-9][0-9]{0,18}"}
        if self.takes["form"] == "checked" and not re.fullmatch(forms.get(types[0], "[a-z0-9-]+"), user_id):
            return self.error(wrong, "input_error", "The input provided in invalid or formatted incorrectly.")
        if self.takes["lenience"] == "much":
            user_id = {"id": user_id.lstrip("0"), "email": user_id.lower()}.get(types[0], user_id)
        member = self.one("member", client=client, **{types[0]: user_id})
        if member is None:
            return self.error(self.takes["unknown-member"], "page_not_found", "User does not exist.")
        if member.get("answers"):
            return self.error(500, "internal_error", "Something went wrong on our end.")
        name = self.name_of("member", member)
        own = [coupon for coupon in self.all("coupon") if (coupon["client"], coupon.get("owner")) == (client, name)]
        rows = [self.row(coupon) for coupon in own if self.is_usable(coupon)]
        if not rows and self.takes["none-usable" if own else "no-coupons"] == "error":
            return self.error(wrong, "no_activities", "There are no rewards available to this user.")
        return Response(200, {"coupons": rows} if self.takes["list-shape"] == "wrapped" else rows)

    @staticmethod
    def is_usable(coupon: dict[str, Any]) -> bool:
        """Tell whether a coupon is issued, unused and not expired."""
        expires = coupon.get("date_to_expire")
        return coupon["state"] == "issued" and (expires is None or expires > time.time())

    def row(self, coupon: dict[str, Any]) -> dict[str, Any]:
        """Show a coupon."""
        shown = {name: coupon.get(name) for name in self.SHOWN}
        if self.takes["number-type"] == "string":
            shown = {name: str(value) if isinstance(value, int) else value for name, value in shown.items()}
        if self.takes["order-field-names"] == "reward":
            shown = {name.replace("redeem_order", "reward_order"): value for name, value in shown.items()}
        return shown


def _beyond_64(digits: str) -> bool:
    return len(digits) > 30 or abs(int(float(digits))) > 2**63


class ChargeOver(Service):
    """Retrieve a specific coupon."""

    usual: ClassVar[Mapping[str, str]] = {
        "response-of-not-found": "null",
        "not-found-message": "object",
        "invalid-id-status": "400",
        "unknown-endpoint-status": "400",
        "unsupported-command-status": "400",
        "details": "object",
        "datetime-format": "space",
        "message": "empty",
        "shown": "all",
        "lists": "as given",
        "commands": "unsupported",
        "id-range": "any",
        "challenge": "sent",
        "lenience": "none",
    }

    def envelope(self, status: int, message: str | None, response: Any) -> dict[str, Any]:
        """Put an answer into the vendor's envelope."""
        body = {"code": status, "status": "OK" if status < 300 else "Error", "message": message, "response": response}
        details: dict[str, Any] = {"object": {}, "null": None, "empty-list": []}
        if self.takes["message"] == "null":
            body["message"] = None
        return body if self.takes["details"] == "absent" else {**body, "details": details[self.takes["details"]]}

    def error(self, status: int | str, message: str, *, response: Any = False) -> Response:
        """Refuse."""
        return Response(int(status), self.envelope(int(status), message, response))

    def missing(self) -> Response:
        """Tell that there is no such coupon."""
        kind = self.takes["not-found-message"]
        response = None if self.takes["response-of-not-found"] == "null" else False
        return self.error(404, f"This {kind} does not exist.", response=response)

    def answer(self, asked: Asked) -> Response:
        """Answer as the page says."""
        account = self.account(asked)
        found = re.fullmatch("/api/v3/coupon/([^/]*)", asked.path)
        if not found:
            return self.error(self.takes["unknown-endpoint-status"], "There is no such endpoint.")
        if asked.method in {"PUT", "PATCH", "DELETE"} and self.takes["commands"] == "supported":
            return self.command(asked, account, found[1])
        if asked.method not in {"GET", "HEAD"}:
            refused = self.error(self.takes["unsupported-command-status"], "The command requested is not supported.")
            return Response(refused.status, refused.body, {"Allow": "GET"})
        if isinstance(account, Response):
            return account
        form = r"[+-]?[0-9]+(\.0)?" if self.takes["lenience"] == "much" else "-?(0|[1-9][0-9]*)"
        if not re.fullmatch(form, found[1]) or (self.takes["id-range"] == "64-bit" and _beyond_64(found[1])):
            if self.takes["invalid-id-status"] == "404":
                return self.missing()
            return self.error(400, "Missing or invalid parameter.")
        coupon = self.found(account, found[1])
        if coupon is None:
            return self.missing()
        return Response(200, self.envelope(200, "", self.shown(coupon)))

    def found(self, account: str, coupon_id: str) -> dict[str, Any] | None:
        """Find an account's coupon."""
        digits = coupon_id.partition(".")[0]
        return self.one("coupon", account=account, coupon_id=int(digits) if len(digits) < 30 else -1)

    def command(self, asked: Asked, account: str | Response, coupon_id: str) -> Response:
        """Modify or delete a coupon, as the vendor lets other objects be."""
        if isinstance(account, Response):
            return account
        coupon = self.found(account, coupon_id) if re.fullmatch("[0-9]+", coupon_id) else None
        if coupon is None:
            return self.missing()
        if asked.method == "DELETE":
            del self.entities[f"coupon.{self.name_of('coupon', coupon)}"]
            return Response(200, self.envelope(200, "", response=True))
        coupon |= _read(asked.raw)
        return Response(202, self.envelope(202, "", {"id": coupon["coupon_id"]}), {"Location": asked.path})

    def account(self, asked: Asked) -> str | Response:
        """Return whose key pair was sent, or the refusal."""
        challenge = {"WWW-Authenticate": 'Basic realm="coupons"'} if self.takes["challenge"] == "sent" else {}

        def refused(reason: str) -> Response:
            message = f"Invalid or incorrect authorization [{reason}]"
            return Response(401, self.envelope(401, message, response=False), challenge)

        sent = asked.headers.get("authorization")
        if not sent:
            return refused("Missing (basic) authorization header.")
        scheme, _, encoded = sent.partition(" ")
        try:
            padding = "==" if self.takes["lenience"] == "much" else ""
            secret = base64.b64decode(encoded + padding, validate=not padding).decode()
        except ValueError:
            return refused("That is not base64")
        found = self.one("credential", secret=secret) if scheme.lower() == "basic" else None
        return found["principal"] if found and found["principal"] else refused("Wrong key")

    def shown(self, coupon: dict[str, Any]) -> dict[str, Any]:
        """Show a coupon."""
        row = {name: value for name, value in coupon.items() if name != "account"}
        if self.takes["datetime-format"] == "iso8601" and "write_datetime" in row:
            row["write_datetime"] = row["write_datetime"].replace(" ", "T") + "-06:00"
        if self.takes["lists"] == "always":
            row = {"discount": [], "freetrial": [], **row}
        if self.takes["shown"] == "nulls":
            row = {"discount_item_id": None, **row}
        if self.takes["shown"] == "required":
            row = {name: row[name] for name in ("coupon_id", "code", "type", "enabled")}
        return row


class Shoplazza(Service):
    """Receive Coupons."""

    usual: ClassVar[Mapping[str, str]] = {
        "unauthorized-status": "401",
        "missing-scope-status": "403",
        "missing-field-status": "400",
        "wrong-type-status": "400",
        "checks-order": "body-first",
        "unknown-coupon": "status-code",
        "refused-coupon": "status-code",
        "refused-listed": "with reason",
        "value-type": "number",
        "item-status": "present",
        "stock-after": "after",
        "received-status": "0",
        "errors": "printed",
        "request-id": "sent",
        "form": "unchecked",
        "received-count": "customer's",
        "batch": "partial",
        "repeated-id": "once",
        "credential-order": "first",
        "header": "access-token",
        "lenience": "none",
        "more": "zeros",
    }

    def error(self, status: int | str, message: str, member: str = "errors") -> Response:
        """Refuse, in one of the two fields."""
        member = member if self.takes["errors"] == "printed" else self.takes["errors"]
        return Response(int(status), {member: [message] if member == "errors" else message}, self.head())

    def head(self) -> dict[str, str]:
        """Number the answer."""
        return {"Request-Id": "a-1"} if self.takes["request-id"] == "sent" else {}

    def answer(self, asked: Asked) -> Response:
        """Answer as the page says."""
        if asked.path != "/openapi/2022-01/coupons/receive":
            return self.error(404, "Not found")
        if asked.method != "POST":
            refused = self.error(405, "Method not allowed")
            return Response(refused.status, refused.body, {**refused.headers, "Allow": "POST"})
        sent = asked.headers.get("access-token")
        if self.takes["header"] == "both":
            sent = sent or asked.headers.get("authorization", "").removeprefix("Bearer ")
        credential = self.one("credential", secret=sent) if sent else None
        if self.takes["credential-order"] == "after-body" and (wrong := self.unread(asked)):
            return wrong
        if credential is None or credential["principal"] is None:
            return self.error(self.takes["unauthorized-status"], "Unauthorized", "error")
        if "write_price_rules" not in credential["scopes"]:
            return self.error(self.takes["missing-scope-status"], "This token lacks the scope", "error")
        return self.receive(asked, credential["principal"])

    def receive(self, asked: Asked, shop: str) -> Response:
        """Assign coupons to a customer."""
        body = self.parsed(asked)
        if isinstance(body, Response):
            return body
        customer_id = body.get("customer_id")
        customer = self.one("customer", shop=shop, customer_id=customer_id) if isinstance(customer_id, str) else None
        if self.takes["checks-order"] == "customer-first" and isinstance(customer_id, str) and customer is None:
            return self.error(404, "customer not exist")
        if wrong := self.wrong(body):
            return wrong
        if customer is None:
            return self.error(404, "customer not exist")
        ids = body["coupon_ids"] if self.takes["repeated-id"] == "each" else [*dict.fromkeys(body["coupon_ids"])]
        before = copy.deepcopy(self.entities)
        results = [self.assign(shop, customer, item) for item in ids]
        refused = [result for result in results if result[0] != 1]
        if refused and self.takes["batch"] == "atomic":
            self.entities = before
            results = refused = [(code, None) for code, _ in refused]
        if len(refused) == len(results) and (error := self.as_error(refused[0][0])):
            return error
        codes = [result[0] for result in results]
        status = int(self.takes["received-status"]) if 1 in codes else codes[0]
        items = [item for _, item in results if item]
        more = {"limit": 0, "has_more": False, "cursor": "0"}
        if self.takes["more"] == "others":
            more |= {"limit": 100, "cursor": ""}
        return Response(200, {"status": status, "items": items, **more}, self.head())

    def unread(self, asked: Asked) -> Response | None:
        """Tell what is wrong with a request whoever sends it."""
        body = self.parsed(asked)
        return body if isinstance(body, Response) else self.wrong(body)

    def parsed(self, asked: Asked) -> dict[str, Any] | Response:
        """Read the body."""
        lenient = self.takes["lenience"] == "much"
        try:
            body = _read(asked.raw, strict=not lenient) if asked.is_json else None
        except Unreadable:
            body = None
        if not isinstance(body, dict):
            return self.error(400, "Bad Request")
        if lenient:
            body = {name.lower(): item.strip() if isinstance(item, str) else item for name, item in body.items()}
        return body

    def wrong(self, body: dict[str, Any]) -> Response | None:
        """Tell what is wrong with a body without looking anything up."""
        customer_id, ids = body.get("customer_id"), body.get("coupon_ids")
        if customer_id is None or ids is None:
            return self.error(self.takes["missing-field-status"], "Bad Request")
        if not isinstance(customer_id, str) or not isinstance(ids, list):
            return self.error(self.takes["wrong-type-status"], "Bad Request")
        if any(not isinstance(item, str) for item in ids):
            return self.error(self.takes["wrong-type-status"], "Bad Request")
        if not ids or any(not item.strip() for item in ids):
            return self.error(422, "CouponIds is required")
        if not customer_id.strip():
            return self.error(self.takes["missing-field-status"], "Bad Request")
        if self.takes["form"] != "unchecked" and not (
            re.fullmatch("[0-9]{4,19}", customer_id) and all(re.fullmatch("[0-9]{18,19}", item) for item in ids)
        ):
            return self.error(self.takes["form"], "Bad Request")
        return None

    def as_error(self, code: int) -> Response | None:
        """Turn a refusal of everything into an error, where that is this server's way."""
        reading = self.takes["unknown-coupon" if code == 6 else "refused-coupon"]
        if reading == "status-code":
            return None
        return self.error(409 if reading == "error" else reading, "coupon not exist" if code == 6 else "not now")

    def assign(self, shop: str, customer: dict[str, Any], coupon_id: str) -> tuple[int, dict[str, Any] | None]:
        """Assign one coupon, and return what became of it (1 is received) and the item that shows it."""
        coupon = self.one("coupon", shop=shop, id=coupon_id)
        if coupon is None:
            return 6, None
        now = time.time()
        if (coupon.get("starts_at") or 0) > now:
            return 10, None
        if (coupon.get("ends_at") or now + 1) <= now:
            return 5, None
        who, what = self.name_of("customer", customer), self.name_of("coupon", coupon)
        receipt = self.one("receipt", customer=who, coupon=what)
        if receipt is None:
            receipt = {"customer": who, "coupon": what, "received_count": 0}
        before = coupon["stock"]
        if coupon["per_customer"] and receipt["received_count"] >= coupon["per_customer"]:
            code, state = (7 if coupon["per_customer"] == 1 else 3), 2
        elif before == 0:
            code, state = 8, 3
        else:
            code, state = 1, 1
            receipt["received_count"] += 1
            self.entities[f"receipt.{who}/{what}"] = self.entities.pop(f"receipt.{who}/{what}", receipt)
            coupon["stock"] = before - 1 if before > 0 else before
        if state != 1 and self.takes["refused-listed"] == "no":
            return code, None
        item = {name: coupon[name] for name in ("id", "discount_text", "prerequisite_text", "is_first_order")}
        item["value"] = str(coupon["value"]) if self.takes["value-type"] == "string" else coupon["value"]
        item["stock"] = before if self.takes["stock-after"] == "before" else coupon["stock"]
        count = receipt["received_count"]
        if self.takes["received-count"] == "everybody's":
            count = sum(other["received_count"] for other in self.all("receipt") if other["coupon"] == what)
        item |= {"coupon_status": state, "received_count": count}
        return code, item if self.takes["item-status"] == "absent" else {**item, "status": 0}


SERVICES: Mapping[str, type[Service]] = {"crowdtwist": CrowdTwist, "chargeover": ChargeOver, "shoplazza": Shoplazza}


def _deeply(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        value = {name: _deeply(item, change) for name, item in value.items()}
    elif isinstance(value, list):
        value = [_deeply(item, change) for item in value]
    return change(value)


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(reversed(value.items()))
    return value[::-1] if isinstance(value, list) else value


FREEDOMS = frozenset(
    {
        "more-members",
        "backwards",
        "pretty",
        "fractions",
        "charset",
        "chunked",
        "gzip",
        "deflate",
        "busy",
        "busy-date",
        "throttled",
        "close",
        "hangs-up",
        "http-1.0",
        "early-hints",
        "length-required",
        "small-letters",
        "session",
        "cross-origin",
        "prefix",
        "firewall",
        "gateway-404",
        "gateway-403",
        "gateway-page",
    }
)
"""What the server may do whatever it says."""
PREFIX = "/loyalty/v7"


def _written(body: Any, freedoms: frozenset[str]) -> bytes:
    if "more-members" in freedoms:
        body = _deeply(body, lambda item: {**item, "zzz": {"more": None}} if isinstance(item, dict) else item)
    if "backwards" in freedoms:
        body = _deeply(body, _backwards)
    if "fractions" in freedoms:
        body = _deeply(body, lambda item: f"<{item}>" if type(item) is int else item)
    text = json.dumps(body, indent=2) if "pretty" in freedoms else json.dumps(body, ensure_ascii=False)
    return re.sub(r'"<(-?[0-9]+)>"', r"\1.0", text).encode()


_CREDENTIALS = ("authorization", "x-ct-authorization", "access-token")
_GATEWAYS = {
    "gateway-404": Response(404, {"message": "no Route matched with those values"}),
    "gateway-403": Response(403, {"message": "Missing Authentication Token"}),
    "gateway-page": Response(404, b"<html><h1>404 Not Found</h1><hr>nginx</html>"),
}
"""What is said of a path that leads nowhere by what stands before a server."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    service: Service
    freedoms: frozenset[str]
    turns = 0
    lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sessions: list[tuple[dict[str, str], list[str]]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def answered(self, asked: Asked, target: str) -> Response:
        """Answer, or let what stands before a server do it."""
        self.turns += 1
        freedoms = self.freedoms
        if "busy" in freedoms and self.turns % 2:
            return Response(503, "a moment", {"Retry-After": "0"})
        if "busy-date" in freedoms and self.turns % 2:
            return Response(429, b"", {"Retry-After": formatdate(usegmt=True)})
        if "throttled" in freedoms and self.turns == 2 and not freedoms & {"busy", "busy-date"}:
            return Response(429, b"<p>Too many requests</p>")
        path, _, _ = target.partition("?")
        if "prefix" in freedoms and not path.startswith(PREFIX):
            return Response(404, "not here")
        if "firewall" in freedoms and (refused := _refused_unread(path)):
            return refused
        gateway = [answer for name, answer in _GATEWAYS.items() if name in freedoms]
        if "gateway-403" in freedoms and asked.path.startswith("/api/v3/"):
            gateway = []  # whose page has a 400 for it
        if gateway and not KNOWN.fullmatch(asked.path):
            return gateway[0]
        if "cross-origin" in freedoms and asked.method == "OPTIONS":
            return Response(204, b"", {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "*"})
        return self._remembered(asked) if "session" in freedoms else self.service.answer(asked)

    def _remembered(self, asked: Asked) -> Response:
        """Know whoever was known before, by a cookie."""
        own = {name: asked.headers[name] for name in _CREDENTIALS if name in asked.headers}
        keys = asked.query.get("api_key", [])
        session = re.search("session=([0-9]+)", asked.headers.get("cookie", ""))
        if session and not own and not keys:
            headers, keys = self.sessions[int(session[1])]
            asked = replace(asked, headers={**asked.headers, **headers}, query={**asked.query, "api_key": keys})
        answer = self.service.answer(asked)
        if answer.status == 200 and not session:
            self.sessions.append((own, keys))
            answer = replace(
                answer, headers={**answer.headers, "Set-Cookie": f"session={len(self.sessions) - 1}; Path=/"}
            )
        return answer


KNOWN = re.compile(
    r"/v2/coupon/unuse|/v2/users/[^/]*/usable_coupons|/api/v3/coupon/[^/]*|/openapi/2022-01/coupons/receive"
)
"""Paths that lead somewhere."""


def _refused_unread(path: str) -> Response | None:
    """Refuse what usual servers and firewalls never let an application see."""
    if "//" in path:
        return Response(301, b"<p>Moved Permanently</p>", {"Location": re.sub("/+", "/", path)})
    try:
        text = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return Response(400, b"")
    if re.search("' OR '", text):
        return Response(403, b"<html>Sorry, you have been blocked</html>")
    if re.search(r"[%;\\*<>\x00-\x1f\x7f]", text):
        return Response(400, b"<!doctype html><title>HTTP Status 400 - Bad Request</title>")
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer goes out whole; in pieces it would wait for the client's acknowledgements
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def send_header(self, keyword: str, value: str) -> None:
        """Write a header, of which case is no part."""
        super().send_header(keyword.lower() if "small-letters" in self.server.freedoms else keyword, value)

    def handle_one_request(self) -> None:
        """Serve any method, whatever its name."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if "http-1.0" in self.server.freedoms:
            self.protocol_version = "HTTP/1.0"
        if self.parse_request():
            self._serve()
            self.wfile.flush()
        if "hangs-up" in self.server.freedoms:
            self.close_connection = True

    def _serve(self) -> None:
        freedoms = self.server.freedoms
        chunked = "Transfer-Encoding" in self.headers
        raw = self._chunks() if chunked else self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path if self.path[:2] != "//" else f"/.{self.path}")
        path = url.path.removeprefix(PREFIX) if "prefix" in freedoms else url.path
        asked = Asked(
            self.command,
            "/".join(unquote(part) for part in path.split("/")),
            parse_qs(url.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            raw,
        )
        if chunked and "length-required" in freedoms:
            self._send(Response(411, b"<h1>Length Required</h1>"), freedoms)
            return
        with self.server.lock:
            answer = self.server.answered(asked, self.path)
        if "early-hints" in freedoms:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        self._send(answer, freedoms)

    def _chunks(self) -> bytes:
        """Read a body whose length nobody told."""
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def _send(self, answer: Response, freedoms: frozenset[str]) -> None:
        is_json = not isinstance(answer.body, bytes)
        content = _written(answer.body, freedoms) if is_json else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        charset = '; charset="UTF-8"' if "charset" in freedoms else ""
        if content:
            self.send_header("Content-Type", f"application/json{charset}" if is_json else "text/html")
        accepted = self.headers.get("Accept-Encoding", "")
        for coding, compress in (("gzip", gzip.compress), ("deflate", zlib.compress)):
            if content and coding in freedoms and coding in accepted:
                content = compress(content)
                self.send_header("Content-Encoding", coding)
                break
        if "close" in freedoms:
            self.send_header("Connection", "close")
        if answer.status == 204:
            self.end_headers()
            return
        if self.command == "HEAD":
            content = b""
        if "chunked" in freedoms and self.command != "HEAD" and self.protocol_version == "HTTP/1.1":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (content[:5], content[5:]):
                if piece:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@dataclass(frozen=True)
class Running:
    """The server while it runs."""

    url: str
    service: Service


@contextlib.contextmanager
def alternative(
    vendor: str, entities: Entities, readings: Mapping[str, str] | None = None, freedoms: frozenset[str] = frozenset()
) -> Iterator[Running]:
    """Run the server on a free port as long as the block lasts."""
    assert freedoms <= FREEDOMS
    server = _Server()
    server.service = SERVICES[vendor](entities, readings or {})
    server.freedoms = freedoms
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}" + (PREFIX if "prefix" in freedoms else "")
        yield Running(url, server.service)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
