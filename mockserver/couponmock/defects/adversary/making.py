"""What the adversary's defects are made of: wrong at times, for some requests, or behind a refusal."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Refused, World
from couponmock.defect import behaving, body_of, replying, with_body
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

Wrong = Callable[[Handler], Handler]
"""Makes a broken handler of the right one."""
Misbehaving = Callable[[Behaviour], Behaviour]
"""Makes a broken behaviour of the right one."""

JSON_UNIQUE = ("RFC 8259, 4", "The names within an object SHOULD be unique.")
JSON_NUMBERS = ("RFC 8259, 6", "Numeric values that cannot be represented in the grammar below are not permitted.")
JSON_UTF8 = ("RFC 8259, 8.1", "JSON text exchanged between systems MUST be encoded using UTF-8.")
HTTP_LENGTH = ("RFC 9110, 8.6", "Content-Length indicates the length of the content in octets.")
HTTP_SAFE = ("RFC 9110, 9.2.1", "Request methods are considered safe if their semantics are essentially read-only.")
URI_DECODING = ("RFC 3986, 2.4", "Implementations must not percent-decode the same string more than once.")
"""Rules of HTTP, URIs and JSON that no vendor's page repeats, shortened."""


# -- requests and replies ----------------------------------------------------------------------------------------------


def sent_json(request: Request) -> Any:
    """Return the JSON body of a buffered request; None if it has none."""
    try:
        return json.loads(request.read(BODY_LIMIT) or b"")
    except (ValueError, RecursionError):
        return None


def sent_member(request: Request, member: str) -> Any:
    """Return a member of the JSON object that a buffered request holds; None if there is none."""
    body = sent_json(request)
    return body.get(member) if isinstance(body, dict) else None


def with_json(request: Request, value: Any) -> Request:
    """Give a request a JSON body and its media type."""
    body = json.dumps(value).encode()
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, headers=headers, read=lambda _: body)


def saying(reply: Reply, status: int | None = None, /, **members: Any) -> Reply:
    """Give a reply whose body is an object another status or other members."""
    return replace(with_body(reply, {**body_of(reply), **members}), status=status or reply.status)


def rows_of(reply: Reply, change: Callable[[int, Mapping[str, Any]], Mapping[str, Any]]) -> Reply:
    """Change members of each object in a reply that is a list, by its place from the end, which is 1."""
    rows = body_of(reply)
    return with_body(reply, [{**row, **change(len(rows) - index, row)} for index, row in enumerate(rows)])


def mojibake(text: str) -> str:
    """Read the UTF-8 of a text as Latin-1."""
    return text.encode().decode("latin-1")


def like(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern with SQL's ``%`` and ``_`` or the shell's ``*``."""
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("%", "*").replace("_", "?"))


def measured_in_characters(right: Handler) -> Handler:
    """Tell the length of an answer in characters; clients read no further."""

    def change(_: Request, reply: Reply) -> Reply:
        length = len(reply.body.decode())
        if length == len(reply.body):
            return reply
        return replace(reply, body=reply.body[:length], headers=(*reply.headers, ("Content-Length", str(length))))

    return replying(change)(right)


# -- only for some -----------------------------------------------------------------------------------------------------


def where(applies: Callable[[Request], bool], wrong: Wrong) -> Wrong:
    """Be wrong only about some requests."""

    def wrap(right: Handler) -> Handler:
        broken = wrong(right)

        def handle(request: Request) -> Reply:
            request = buffered(request)
            return (broken if applies(request) else right)(request)

        return handle

    return wrap


def answering(applies: Callable[[Request, Reply], bool], change: Callable[[Reply], Reply]) -> Wrong:
    """Change some replies."""

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            return change(reply) if applies(request, reply) else reply

        return handle

    return wrap


def when(applies: Callable[[Call, World], bool], wrong: Misbehaving) -> Misbehaving:
    """Misbehave only in some calls."""

    def wrap(right: Behaviour) -> Behaviour:
        broken = wrong(right)
        return behaving(lambda _, call, world: (broken if applies(call, world) else right)(call, world))(right)

    return wrap


# -- only sometimes ----------------------------------------------------------------------------------------------------


def at_times(
    which: Callable[[int], bool], applies: Callable[[Request, Reply], bool], change: Callable[[Reply], Reply]
) -> Wrong:
    """Change some of the replies that could be changed, by their number in the namespace, from 1."""

    def wrap(right: Handler) -> Handler:
        counts: Counter[str] = Counter()
        lock = Lock()

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            if not applies(request, reply):
                return reply
            with lock:
                counts[request.namespace] += 1
                count = counts[request.namespace]
            return change(reply) if which(count) else reply

        return handle

    return wrap


def every_third(count: int) -> bool:
    """Tell whether a call is the third, the sixth and so on."""
    return count % 3 == 0


def from_second(count: int) -> bool:
    """Tell whether a call is not the first."""
    return count > 1


def remembering(
    place: Callable[[Request], Any],
    kept: Callable[[Request, Reply], bool],
    change: Callable[[Request, Reply, Reply], Reply],
) -> Wrong:
    """Mix earlier replies into later ones.

    Args:
        place: Where a reply is remembered, beside its namespace.
        kept: Tells for a request and its right reply whether it is remembered.
        change: Makes a reply of a request, its right reply, and the one that was remembered before.
    """

    def wrap(right: Handler) -> Handler:
        memory: dict[tuple[str, Any], Reply] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            key = (request.namespace, place(request))
            before = memory.get(key)
            if kept(request, reply):
                memory[key] = reply
            return reply if before is None else change(request, reply, before)

        return handle

    return wrap


# -- behind a refusal --------------------------------------------------------------------------------------------------


def mending(refused: Callable[[Reply], bool], mend: Callable[[Request], Request | None], *, told: bool = True) -> Wrong:
    """Do what a refused request would have done if it had been right.

    Args:
        refused: Tells which refusals are none.
        mend: Makes the request that is carried out; None if there is none.
        told: Whether the client sees the answer of it, or the refusal nevertheless.
    """

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            mended = mend(request) if refused(reply) else None
            if mended is None:
                return reply
            done = right(mended)
            return done if told else reply

        return handle

    return wrap


def lending(
    read: Callable[[Request], str],
    write: Callable[[Request, str], Request],
    same: Callable[[str, str], bool],
    *,
    status: int = 401,
    told: bool = True,
) -> Wrong:
    """Let credentials in that are like one that was let in before.

    Args:
        read: Takes the credential from a request; empty if there is none.
        write: Gives a request another credential.
        same: Tells whether a refused credential passes for one that was let in.
        status: Which refusals are none.
        told: Whether the client sees what comes of it, or the refusal nevertheless.
    """

    def wrap(right: Handler) -> Handler:
        known: dict[str, None] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            sent = read(request)
            if reply.status < 400 and sent:
                known[sent] = None
            if reply.status != status:
                return reply
            for secret in known:
                if same(sent, secret):
                    done = right(write(request, secret))
                    return done if told else reply
            return reply

        return handle

    return wrap


def despite(problem: str, effect: Callable[[Call, World], object]) -> Misbehaving:
    """Change the world although the operation is refused with a problem, and answer the refusal."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            if refused.problem != problem:
                raise
            effect(call, world)
            # Raised again, the refusal would undo this.
            return Answer(problem)

    return behaving(changed)
