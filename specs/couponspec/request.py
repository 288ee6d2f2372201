"""Requests written as data: in packs (how to reach each answer) and in catalogues (what a requirement sends).

A text may name a value of a seeded entity, ``{coupon.used.code}``, something like it that is another value,
``{coupon.used.code|longer}``, or what is made of that in turn, ``{coupon.used.code|longer|escaped}``. A text that is
nothing but such a name keeps the value's type.
"""

import base64
import json
import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from couponspec.document import JSON, Document, Operation, SecurityScheme

Bindings = Mapping[str, Mapping[str, Any]]
"""Handle -> members of the entity, as a client would see them."""

_NAME = re.compile(r"\{([a-z][a-z0-9_]*\.[a-z0-9_.-]+)\.([a-z0-9_]+)((?:\|[a-z0-9-]+)*)\}")


def _longer(text: str) -> str:
    return f"{text}0"


def _shorter(text: str) -> str:
    return text[:-1] if len(text) > 1 else _longer(text)


def _other_case(text: str) -> str:
    return _longer(text) if text.swapcase() == text else text.swapcase()


def _plus(number: int) -> Callable[[str], str]:
    return lambda text: str(int(text) + number) if text.isdecimal() else _longer(text)


_LONG_ENOUGH = 8
"""Letters and digits that can be others without meeting another real value."""
_OTHERS = str.maketrans(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "5678901234defabcqrstuvwxyzghijklmnopDEFABCQRSTUVWXYZGHIJKLMNOP",
)
"""Digits for digits, letters for letters, and of these hexadecimal digits for each other."""


def _same_form(text: str) -> str:
    if text.isdecimal() and len(text) < _LONG_ENOUGH:
        return str(int(text) + 1_500_000_000)  # which 32 bits still hold
    places = [place for place, character in enumerate(text) if place and character.isalnum()][-_LONG_ENOUGH:]
    other = "".join(
        character.translate(_OTHERS) if place in places else character for place, character in enumerate(text)
    )
    return _longer(text) if other == text else other


def _without_accents(text: str) -> str:
    bare = "".join(
        character for character in unicodedata.normalize("NFD", text) if not unicodedata.combining(character)
    )
    return _longer(text) if bare == text else bare


@dataclass(frozen=True, slots=True)
class Likeness:
    """A way to be like a text."""

    of: Callable[[str], str]
    """Makes of a text what looks like it to a careless server and is another one, a part of it, or it in JSON."""
    says: str
    """What it is as compared with that text."""


LIKENESSES: Mapping[str, Likeness] = {
    "longer": Likeness(_longer, "with one more character"),
    "shorter": Likeness(_shorter, "without its last character"),
    "same-end": Likeness(
        lambda text: _longer(text) if set(text[:-1]) <= {"x"} else "x" * (len(text) - 1) + text[-1:],
        "with another text before its last character",
    ),
    "same-form": Likeness(_same_form, "with other digits or letters"),
    "other-case": Likeness(_other_case, "in the other case"),
    "encoded": Likeness(lambda text: "".join(f"%{byte:02X}" for byte in text.encode()), "percent-encoded twice"),
    "wide": Likeness(
        lambda text: text.translate({character: character + 0xFEE0 for character in range(0x21, 0x7F)}),
        "in full-width characters",
    ),
    "beyond-32": Likeness(_plus(2**32), "plus 2^32"),
    "beyond-64": Likeness(_plus(2**64), "plus 2^64"),
    "next": Likeness(_plus(1), "plus 1"),
    "previous": Likeness(_plus(-1), "minus 1"),
    "without-accents": Likeness(_without_accents, "without accents"),
    "other-tag": Likeness(
        lambda text: re.sub(r"(\+[^@]*)?@", "+couponcheck@", text, count=1) if "@" in text else _longer(text),
        "with another tag",
    ),
    "without-zeros": Likeness(
        lambda text: text.lstrip("0") if text.startswith("0") else _longer(text), "without the zeros it begins with"
    ),
    "hexadecimal": Likeness(lambda text: hex(int(text)) if text.isdecimal() else _longer(text), "in hexadecimal"),
    "reversed": Likeness(lambda text: _longer(text) if text == text[::-1] else text[::-1], "written backwards"),
    "escaped": Likeness(lambda text: re.sub("(....)", r"\\u\1", text.encode("utf-16-be").hex()), "in escapes of JSON"),
    "user": Likeness(lambda text: text.partition(":")[0], "up to the colon"),
    "password": Likeness(lambda text: text.partition(":")[2], "from the colon on"),
    "password-other-case": Likeness(
        lambda text: _other_case(text.partition(":")[2]), "from the colon on in the other case"
    ),
    "swapped": Likeness(lambda text: ":".join(reversed(text.partition(":")[::2])), "with its parts swapped"),
}
"""Name -> how it is made."""

_LONGEST_ARGUMENT = 100_000
"""Bytes; a shell refuses arguments not much longer."""

_LEFT_ALONE = "/?&=%@:;,+!$'()*~"
"""Characters of a URL that stay as they are written; a percent sign may already be part of an encoding."""

NO_CREDENTIAL = "none"
"""The credential handle of a request that sends none."""


class Unbound(LookupError):
    """A request needs a value that nobody supplied."""

    def __init__(self, name: str) -> None:
        """Remember the value's name (``coupon.used.code``)."""
        self.name = name
        super().__init__(name)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request ready to be sent to a base URL."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    without: tuple[str, ...] = ()
    """Headers that a client usually sends and that are left out."""

    @property
    def said(self) -> Any:
        """Return the body's JSON; None if it is none."""
        try:
            return json.loads(self.body or b"null")
        except (ValueError, RecursionError):
            return None

    @property
    def is_chunked(self) -> bool:
        """Tell whether the body is sent in chunks, without its length."""
        return any(name.lower() == "transfer-encoding" for name, _ in self.headers)

    @property
    def takes_json(self) -> bool:
        """Tell whether the request says nothing of what it takes, or that JSON is among it."""
        accept = next((value for name, value in self.headers if name.lower() == "accept"), JSON)
        return any(one in accept for one in (JSON, "application/*", "*/*"))

    @property
    def key_pair(self) -> str:
        """Return user and password of a Basic credential in the clear; empty if there is none."""
        return next((_key_pair(value) or "" for name, value in self.headers if name == "Authorization"), "")

    def curl(self, base_url: str, secrets: Mapping[str, str] | None = None) -> str:
        """Render the request as a command for a POSIX shell.

        Args:
            base_url: Where the target begins.
            secrets: Secret -> shell variable (``$NAME``) to print in its place.
        """
        parts = ["curl", "-sS"]
        if self.method == "HEAD":
            parts.append("-I")
        elif self.method != ("GET" if self.body is None else "POST"):
            parts += ["-X", self.method]
        for name, value in self.headers:
            pair = _key_pair(value) if name == "Authorization" else None
            if pair is not None:
                parts += ["-u", pair]
            else:
                # With a colon and nothing behind it, curl would leave the header out.
                parts += ["-H", f"{name}: {value}" if value else f"{name};"]
        for name in self.without:
            parts += ["-H", f"{name}:"]
        source = ""
        if self.body is not None:
            source, data = _curl_data(self.body)
            parts += data
        parts.append(base_url.rstrip("/") + self.target)
        return source + " ".join(_quoted(part, secrets or {}) for part in parts)


def _key_pair(authorization: str) -> str | None:
    """Return user and password of a Basic credential, if curl would make exactly this header of them."""
    try:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    except ValueError:
        return None
    return pair if _basic(pair) == authorization and ":" in pair else None


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _curl_data(body: bytes) -> tuple[str, list[str]]:
    """Return what feeds curl's standard input, if anything has to, and the arguments that take the body."""
    if len(body) > _LONGEST_ARGUMENT and len(set(body)) == 1:
        return f"head -c {len(body)} /dev/zero | tr '\\0' {shlex.quote(chr(body[0]))} | ", ["--data-binary", "@-"]
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return "", ["--data-raw", text]  # data-binary would take a leading @ for the name of a file
    octal = "".join(f"\\{byte:03o}" for byte in body)
    return f"printf {shlex.quote(octal)} | ", ["--data-binary", "@-"]


def _quoted(text: str, secrets: Mapping[str, str]) -> str:
    """Quote an argument for a shell, with variables where it holds secrets."""
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        forms = (secret, quote(secret, safe=""), quote_plus(secret, safe="@"), _basic(secret).removeprefix("Basic "))
        for written in forms:
            if written in text:
                pieces = [_quoted(piece, secrets) if piece else "" for piece in text.split(written)]
                return f'"{secrets[secret]}"'.join(pieces)
    return shlex.quote(text)


def names_in(value: Any) -> set[str]:
    """Return the handles that a piece of request data names."""
    return {handle for handle, _ in members_in(value)}


def members_in(value: Any) -> set[tuple[str, str]]:
    """Return the handle and the member of every value that a piece of request data names."""
    if isinstance(value, str):
        return {(match[1], match[2]) for match in _NAME.finditer(value)}
    if isinstance(value, Mapping):
        return {name for item in value.values() for name in members_in(item)}
    if isinstance(value, list):
        return {name for item in value for name in members_in(item)}
    return set()


def likenesses_in(value: Any) -> list[tuple[str, list[str]]]:
    """List the names in a piece of request data that something is like and not the same, each with the likenesses."""
    named = {match[0]: match for match in _NAME.finditer(json.dumps(value, ensure_ascii=False))}
    return [(f"{match[1]}.{match[2]}", names) for match in named.values() if (names := _likenesses(match))]


def fill(value: Any, bindings: Bindings) -> Any:
    """Replace every name in a piece of request data by its value.

    Raises:
        Unbound: a name has no value.
    """
    if isinstance(value, str):
        whole = _NAME.fullmatch(value)
        if whole:
            return _bound(whole, bindings)
        return _NAME.sub(lambda match: _text(_bound(match, bindings)), value)
    if isinstance(value, Mapping):
        return {key: fill(item, bindings) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, bindings) for item in value]
    return value


def _bound(match: re.Match[str], bindings: Bindings) -> Any:
    try:
        value = bindings[match[1]][match[2]]
    except KeyError:
        raise Unbound(f"{match[1]}.{match[2]}") from None
    for name in _likenesses(match):
        value = LIKENESSES[name].of(_text(value))
    return value


def _likenesses(match: re.Match[str]) -> list[str]:
    return match[3].split("|")[1:]


def _text(value: Any) -> str:
    """Write a value where only text can stand: as JSON has it, and not as Python would."""
    return value if isinstance(value, str) else json.dumps(value)


def build(document: Document, operation: Operation, data: Mapping[str, Any], bindings: Bindings) -> HttpRequest:
    """Make a request out of its data.

    Args:
        document: The vendor's document, which knows how credentials are sent.
        operation: The operation whose method and path are used where the data names no others.
        data: ``credential``, ``secret`` (sent as that credential's own), ``path``, ``query``, ``headers`` (null for one
            that is left out), ``body`` or ``raw`` (sent ``repeat`` times), ``method``, ``url``; all optional.
        bindings: Values for the names in the data.

    Raises:
        Unbound: a name or a parameter of the path has no value.
    """
    data = fill(data, bindings)
    target = (
        quote(_text(data["url"]), safe=_LEFT_ALONE) if "url" in data else _path(operation.path, data.get("path", {}))
    )
    query = [
        (name, _text(item))
        for name, value in data.get("query", {}).items()
        for item in (value if isinstance(value, list) else [value])
    ]
    headers: dict[str, str] = {}
    body = None
    if "raw" in data:
        body = _text(data["raw"]).encode() * data.get("repeat", 1)
    elif "body" in data:
        body = json.dumps(data["body"], ensure_ascii=False).encode()
    if body is not None:
        headers["Content-Type"] = JSON
    handle = data.get("credential", "main")
    if handle != NO_CREDENTIAL:
        credential = bindings.get(f"credential.{handle}")
        if credential is None:
            raise Unbound(f"credential.{handle}")
        _sign(_scheme(document, credential), str(data.get("secret", credential["secret"])), query, headers)
    given = data.get("headers", {})
    for name, value in given.items():
        for same in [known for known in headers if known.lower() == name.lower()]:
            del headers[same]
        if value is not None:
            headers[name] = _text(value)
    if query:
        target += ("&" if "?" in target else "?") + urlencode(query, safe="@")
    without = tuple(name for name, value in given.items() if value is None)
    return HttpRequest(data.get("method", operation.method), target, tuple(headers.items()), body, without)


def _path(template: str, values: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise Unbound(f"path.{match[1]}")
        return quote(_text(values[match[1]]), safe="@")

    return re.sub(r"\{([^}]+)\}", value, template)


def _scheme(document: Document, credential: Mapping[str, Any]) -> SecurityScheme:
    schemes = {security.scheme.name: security.scheme for op in document.operations.values() for security in op.security}
    return schemes[credential["scheme"]]


def _sign(scheme: SecurityScheme, secret: str, query: list[tuple[str, str]], headers: dict[str, str]) -> None:
    if scheme.kind == "query":
        query.append((scheme.parameter, secret))
    elif scheme.kind == "basic":
        headers[scheme.parameter] = _basic(secret)
    else:
        headers[scheme.parameter] = scheme.prefix + secret
