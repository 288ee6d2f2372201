"""What an answer must not tell: credentials, the insides of a server, and who else there is."""

import base64
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import unquote_plus

from couponspec.request import Bindings, HttpRequest

from couponcheck.contract import Violation
from couponcheck.exchange import Exchange
from couponcheck.targetfile import is_data
from couponcheck.wording import texts

_SECRET = 6
"""Characters from which on a secret cannot stand in an answer by chance."""
_IDENTITY = 4
"""Characters from which on an identity in what an error says in words, or two anywhere in it, are no chance."""
_TELLING = 8
"""Characters from which on one is none."""
_SIGNS = (
    r"Traceback \(most recent call last\)",
    r"File \"[^\"]+\", line [0-9]+",
    r"\bat [\w.$<>]+ ?\([\w./\\-]+:[0-9]+(?::[0-9]+)?\)",
    r"/[\w.-]+/[\w./-]+\.[a-z]{1,5}(?:\([0-9]+\)|:[0-9]+)",
    r"\b(?:mysql|postgres(?:ql)?|mariadb|mongodb|redis|amqp|jdbc:\w+|sqlserver|oracle)(?:\+\w+)?://",
    r"\bSELECT\s[^;]+?\sFROM\s+\S+",
    r"(?i:\bselect\s[^;]+?\sfrom\s+\S+\s+where\s)",
    r"(?i:\binsert\s+into\s+\S+\s*\()",
    r"(?i:\bupdate\s+\S+\s+set\s+\S+\s*=)",
    r"(?i:\bdelete\s+from\s+\S+\s+where\b)",
    r"\bgoroutine [0-9]+ \[|\b(?:panic|runtime error|interface conversion): ",
    r"\b(?:Null(?:Pointer|Reference)|ClassCast|IllegalArgument|InvalidOperation|IndexOutOfBounds)Exception\b",
    r"\b(?:Key|Type|Value|Attribute|Index|Name|NoMethod|Reference|Range|Argument|Runtime|ZeroDivision)Error\b",
    r"(?i:\bundefined (?:method|index|variable|offset)\b|\bis not a function\b)",
    r"(?i:\bcannot read (?:property|properties)\b)",
    r"\bORA-[0-9]{5}\b|\bSQLSTATE\b|(?i:\bsyntax error (?:at or )?near\b|\byou have an error in your sql\b)",
)
"""Stack traces of usual languages, lines of source files, addresses, statements and errors of databases."""
_PLACES = {"location", "content-location", "link"}
"""Headers that may repeat the address that was asked for, whatever it holds."""
_NUMBERED = re.compile(r"(?i)\b(?:error|code|status|line|number|no)\b[\s:.#=]*[0-9]+")
"""Numbers of errors, of which one may happen to be somebody's."""
_BASE64 = re.compile(r"\b(?:[A-Za-z0-9+/_-]{4}){2,}(?:[A-Za-z0-9+/_-]{2,3})?\b")
_URL_SAFE = str.maketrans("-_", "+/")
_INSIDES = re.compile("|".join(_SIGNS), re.DOTALL)


def disclosures(
    exchange: Exchange,
    bindings: Bindings,
    identities: Mapping[str, Sequence[str]],
    documented: Collection[str] = (),
) -> Iterator[Violation]:
    """Yield what an answer tells that its request did not say.

    Args:
        exchange: The request and its answer.
        bindings: The data, whose secrets and identities are looked for.
        identities: Kind -> members by which its entities are known.
        documented: Names of the members that the document has for such an answer; none if it has no such answer, and
            nothing is known of what belongs there.
    """
    headers = [value for name, value in exchange.headers.items() if name not in _PLACES]
    text = " ".join([*headers, _plain(exchange)])
    asked = _said(exchange.request)
    of = "success" if exchange.status < 400 else "errors"
    # A list of coupons has codes that look like anything, and is long.
    legible = " ".join([text, *_decoded(" ".join(headers) if of == "success" else text)])
    for secret in _secrets(bindings):
        if secret in legible:
            whose = "the one that was sent with it" if secret in asked else "one that was not sent with it"
            yield Violation("disclosure", of, "", "no credential in an answer", whose)
    # What a success says in its body is data, which may look like anything.
    if (found := _INSIDES.search(" ".join(headers) if of == "success" else text)) and found[0] not in asked:
        yield Violation("disclosure", of, "", "an answer without the insides of the server", found[0][:200])
    if of == "success":
        if not documented:
            return
        others = _others(bindings, identities, asked, documented)
        if told := sorted(others & {*_undocumented(exchange.body, documented)}):
            yield Violation(
                "disclosure", of, "", "an answer that names nobody else", f"it names {', '.join(told)[:200]}"
            )
        return
    named = {
        str(value)
        for handle, members in bindings.items()
        for name in identities.get(handle.partition(".")[0], ())
        if (value := members.get(name)) is not None and len(str(value)) >= _IDENTITY
    }
    told = sorted(value for value in named if _has(text, value) and not _has(asked, value) and value not in asked)
    words = _NUMBERED.sub("", " ".join(texts(exchange.body, names=True)))
    if len(told) > 1 or any(len(value) >= _TELLING or _has(words, value) for value in told):
        yield Violation("disclosure", of, "", "an error that names nobody else", f"it names {', '.join(told)[:200]}")


def _others(
    bindings: Bindings, identities: Mapping[str, Sequence[str]], asked: str, documented: Collection[str]
) -> set[str]:
    """Return the identities of all but those who are asked for, and those of what a success shows anyway."""
    found: set[str] = set()
    for handle, members in bindings.items():
        names = identities.get(handle.partition(".")[0], ())
        values = {str(members[name]) for name in names if members.get(name) is not None}
        if is_data(handle) and not set(names) & set(documented) and not any(_has(asked, value) for value in values):
            found |= {value for value in values if len(value) >= _IDENTITY}
    return found


def _undocumented(value: object, documented: Collection[str]) -> Iterator[str]:
    """Yield the texts of all members that no document has; what is documented may stand under a key of any name."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            inside = item[0] if isinstance(item, list) and item else item
            is_around = isinstance(inside, Mapping) and bool(inside.keys() & set(documented))
            yield from _undocumented(item, documented) if name in documented or is_around else texts(item, names=True)
    elif isinstance(value, list):
        for item in value:
            yield from _undocumented(item, documented)


def _secrets(bindings: Bindings) -> set[str]:
    """Return every secret, and of a pair of keys the private one, whose owner is known."""
    found = set()
    for handle, members in bindings.items():
        if not is_data(handle) and members.get("secret"):
            user, colon, password = str(members["secret"]).partition(":")
            found.add(password if colon else user)
    return {secret for secret in found if len(secret) >= _SECRET}


def _plain(exchange: Exchange) -> str:
    """Return the body's text, also as it is once escapes of JSON are undone."""
    return " ".join([exchange.text, *texts(exchange.body, names=True)])


def _decoded(text: str) -> Iterator[str]:
    """Yield what the words of a text say that may be base64, with either alphabet and with or without padding."""
    for word in _BASE64.findall(text):
        written = word.translate(_URL_SAFE)
        yield base64.b64decode(written + "=" * (-len(written) % 4)).decode("utf-8", "replace")


def _said(request: HttpRequest) -> str:
    """Return all that a request says, also percent-decoded and with a pair of keys in the clear."""
    parts = [request.target, unquote_plus(request.target), (request.body or b"").decode("utf-8", "replace")]
    return " ".join([*parts, *(value for _, value in request.headers), request.key_pair])


def _has(text: str, value: str) -> bool:
    # Hardly any value stands in a text at all, and to find that out takes no expression of its own.
    return value in text and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) is not None
