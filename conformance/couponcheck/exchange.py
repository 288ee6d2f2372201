"""Requests sent to a target and what came back."""

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.client import SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS
from queue import SimpleQueue
from threading import Barrier
from typing import Any, TypeVar

from couponspec.request import HttpRequest

from couponcheck.transport import Access, Allowance, Line

LONGEST_WAIT = 30
"""Seconds that a Retry-After is obeyed for at most."""
DEEPEST = 100
"""Levels of a body; no vendor has more than four, and a thousand would end the suite instead of failing the target."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that HTTP calls safe."""
Thing = TypeVar("Thing")
Result = TypeVar("Result")
KINDS = READS, WRITES, AT_ONCE, GENERATED = "reads", "writes", "at_once", "generated"
"""Kinds of requests that are counted: one after the other, at the same moment, made up."""
_BUSY = {TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE}
_AROUND = 40
"""Characters of a text that are shown on either side of a mistake."""
_PAUSE = 1.0
"""Seconds until a 429 without Retry-After is asked again; no vendor documents the header."""
_PATIENCE = 20
"""How often a request is sent again that was sent along with others, which keep a server busy."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    request: HttpRequest
    operation: str
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes
    fault: str = ""
    """Why the content cannot be read, if it cannot."""
    at_once: bool = False
    """Whether the request was sent along with those beside it."""

    @property
    def media_type(self) -> str:
        """Return the answer's media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """Return the answer's body as people read it."""
        return self.content.decode("utf-8", "replace")

    @cached_property
    def parsed(self) -> tuple[Any, str]:
        """Return the answer's JSON, or None and what is wrong with it as JSON."""
        if self.fault:
            return None, self.fault
        content_type = Message()
        content_type["Content-Type"] = self.headers.get("content-type", "")
        charset = content_type.get_content_charset("utf-8")
        if charset not in {"utf-8", "utf8"}:
            return None, f"the charset of JSON is UTF-8, not {charset}"
        try:
            return strict_json(self.content), ""
        except ValueError as error:
            return None, f"it is not strict JSON: {error}"

    @property
    def is_read(self) -> bool:
        """Tell whether the request is one that changes nothing on a correct server, as HTTP has it."""
        return self.request.method in READING

    @property
    def body(self) -> Any:
        """Return the answer's JSON; None if it is none."""
        return self.parsed[0]


def strict_json(content: bytes) -> Any:
    """Read JSON that every reader understands in the same way.

    Raises:
        ValueError: it is something else.
    """
    try:
        text = content.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_members, parse_constant=lambda name: _refuse(name, text), parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no character") from error
    except RecursionError as error:
        raise ValueError(f"it has more than {DEEPEST} levels") from error
    except json.JSONDecodeError as error:
        raise ValueError(_told(error, len(content))) from error
    if _depth(value) > DEEPEST:
        raise ValueError(f"it has more than {DEEPEST} levels")
    return value


def _told(error: json.JSONDecodeError, length: int) -> str:
    """Say where a text stops to be JSON, with what stands there."""
    if not error.doc.strip():
        return "there is no body"
    inside = error.msg.startswith(("Unterminated", "Invalid \\\\", "Invalid control"))
    if error.pos >= len(error.doc.rstrip()) or (inside and '"' not in error.doc[error.pos + 1 :]):
        return f"after {length} bytes it ends before its JSON does: ...{error.doc[-_AROUND:]}"
    place = max(0, error.pos - _AROUND)
    return f"{error.msg} at character {error.pos + 1}: ...{error.doc[place : error.pos + _AROUND]}..."


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return members


def _refuse(name: str, text: str) -> Any:
    place = text.find(name)
    raise ValueError(f"{name} is no JSON number: ...{text[max(0, place - _AROUND) : place + _AROUND]}...")


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


def _wait(exchange: Exchange) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or a date; None if it asks for nothing."""
    text = exchange.headers.get("retry-after", "").strip()
    if not text and exchange.status == TOO_MANY_REQUESTS:
        return _PAUSE
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return until.timestamp() - time.time()


class Client:
    """Sends requests to one base URL: no redirects, no credentials of its own."""

    def __init__(
        self, base_url: str, user_agent: str, access: Access | None = None, allowance: Allowance | None = None
    ) -> None:
        """Open a session.

        Args:
            base_url: Where the vendor's paths begin.
            user_agent: How the suite names itself.
            access: How the target is reached; as any machine would if left out.
            allowance: What may still be sent, where others share it.
        """
        access = access or Access()
        self._agent = user_agent
        self._line = Line(base_url, access)
        self._line.session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self._allowance = allowance or Allowance(access.limits)
        self.base_url = self._line.base_url
        self.headers = access.headers
        """Sent with every request that has no such header of its own."""
        self.sent: Counter[str] = Counter()
        """Kind -> how many requests."""

    @property
    def count(self) -> int:
        """Return how many requests were sent."""
        return self.sent.total()

    def greet(self) -> None:
        """Find out whether anybody is there; what is said does not matter.

        Raises:
            TargetUnreachable: no answer came.
            LimitReached: no more requests may be sent.
        """
        self.send("", HttpRequest("GET", "/", (), None))

    def send(self, operation: str, request: HttpRequest, patience: int = 0, *, kind: str = "") -> Exchange:
        """Send a request; a 429, or a 503 that says when to come back, is waited out.

        Args:
            operation: Whose answer it is to be.
            request: What is sent.
            patience: How often; at least as often as others of this run may have come first.
            kind: What it is counted as; a read or a write if left out.

        Raises:
            TargetUnreachable: no answer came.
            LimitReached: no more requests may be sent.
        """
        names = {name.lower() for name, _ in request.headers}
        extra = tuple(pair for pair in self.headers.items() if pair[0].lower() not in names)
        request = replace(request, headers=(*request.headers, *extra))
        kind = kind or (READS if request.method in READING else WRITES)
        exchange = self._send(operation, request, kind)
        for _ in range(max(patience, self._allowance.askers)):
            wait = _wait(exchange) if exchange.status in _BUSY else None
            if wait is None or wait > LONGEST_WAIT:
                break
            time.sleep(max(0.0, wait))
            exchange = self._send(operation, request, kind)
        return exchange

    def _send(self, operation: str, request: HttpRequest, kind: str) -> Exchange:
        self._allowance.take()
        self.sent[kind] += 1
        headers: dict[str, str | None] = {**dict(request.headers), **dict.fromkeys(request.without)}
        data: bytes | Iterator[bytes] | None = request.body
        if request.is_chunked and request.body is not None:  # requests says so itself where it does not know the length
            headers = {name: value for name, value in headers.items() if name.lower() != "transfer-encoding"}
            data = iter([request.body]) if self._line.takes_chunks else request.body
        is_safe = request.method in READING
        answer = self._line.ask(request.method, request.target, is_safe=is_safe, headers=headers, data=data)
        return Exchange(request, operation, answer.status, answer.headers, answer.content, answer.fault)

    def send_at_once(self, requests: Sequence[tuple[str, HttpRequest]]) -> list[Exchange]:
        """Send requests at the same moment, each on a connection of its own, and return the answers in their order.

        Args:
            requests: Each with its operation.

        Raises:
            TargetUnreachable: an answer did not come.
            LimitReached: no more requests may be sent.
        """
        ready = Barrier(len(requests))
        clients = [self.another() for _ in requests]

        def send(client: Client, operation: str, request: HttpRequest) -> Exchange:
            ready.wait()
            return client.send(operation, request, _PATIENCE, kind=AT_ONCE)

        try:
            with ThreadPoolExecutor(len(requests)) as threads:
                sent = [
                    threads.submit(send, client, operation, request)
                    for client, (operation, request) in zip(clients, requests, strict=True)
                ]
                return [replace(future.result(), at_once=True) for future in sent]
        finally:
            for client in clients:
                self.sent += client.sent
                client.close()

    @property
    def at_a_time(self) -> int:
        """Return how many reads may be sent at a time."""
        return self._line.access.limits.parallel

    def each_of(self, do: "Callable[[Client, Thing], Result]", things: Iterable[Thing]) -> Iterator[Result]:
        """Do something about each thing, several at a time where the target file allows it.

        Args:
            do: What to do; each of those at work gets a client of its own.
            things: What it is done about.

        Yields:
            The results, in the order of the things.
        """
        if self.at_a_time == 1:
            yield from (do(self, thing) for thing in things)
            return
        clients = [self.another() for _ in range(self.at_a_time)]
        idle: SimpleQueue[Client] = SimpleQueue()
        for client in clients:
            idle.put(client)

        def done(thing: Thing) -> Result:
            client = idle.get()
            try:
                return do(client, thing)
            finally:
                idle.put(client)

        threads = ThreadPoolExecutor(len(clients))
        try:
            for future in [threads.submit(done, thing) for thing in things]:
                yield future.result()
        finally:
            threads.shutdown(cancel_futures=True)
            for client in clients:
                self.sent += client.sent
                client.close()

    def another(self) -> "Client":
        """Return a client of the same server with connections of its own, which shares what may still be sent."""
        return Client(self.base_url, self._agent, self._line.access, self._allowance)

    def close(self) -> None:
        """Close the connections."""
        self._line.close()
