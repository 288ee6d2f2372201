"""The first line of what is told of a requirement: what was observed, to which request, and what was expected."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from couponspec.document import JSON, Operation, SecurityScheme
from couponspec.request import HttpRequest

from couponcheck.exchange import Exchange
from couponcheck.expect import Mismatch
from couponcheck.judge import Judge
from couponcheck.masking import masked
from couponcheck.outcome import Outcome
from couponcheck.targetfile import CREDENTIAL
from couponcheck.wording import as_text, counted, cut, shortened, texts

_LONGEST_PART = 200
"""Characters of what came, of the request, and of what was expected, each."""
_LONGEST_VALUE = 48
"""Characters of a value that was sent."""
_LONGEST_JSON = 80
"""Characters of a list or an object that is told whole."""
_BARE = re.compile(r"[\w@.+:-]+")
"""Values of paths and queries that are told from the words around them without quotation marks."""
_CALL = re.compile(r"\bcall ([0-9]+)\b")
_EARLIER = {"same_as", "kept", "added", "change", "any_of"}
"""Words of expectations that speak of earlier calls, by the numbers that reports give these."""
_ANSWERED = {"status", "example"}
"""Words of expectations that together say which answer was expected."""
_MAIN = f"{CREDENTIAL}.main"
_DECODER = json.JSONDecoder()
_OPENING = re.compile(r"[\[{]")
_ORDINALS = {"1": "1st", "2": "2nd", "3": "3rd"}


def headline(judge: Judge, outcome: Outcome) -> str:
    """Say in one line what came out, without any secret; empty for a plain pass.

    Args:
        judge: Who judged it.
        outcome: What came out.
    """
    told = _Teller(judge, outcome.exchanges)
    if not outcome.mismatches:
        seen = ", ".join(map(str, outcome.readings))
        return told.line(outcome.reason or (f"reading seen: {seen}" if seen else ""))
    first = outcome.mismatches[0]
    wrong = [one for one in outcome.mismatches if one.call == first.call and one.word in _ANSWERED]
    expected = " and ".join(one.expected for one in wrong) if first.word in _ANSWERED else first.expected
    said = told.observed(first, expected) if outcome.exchanges else told.unanswered(first)
    # A reason of its own is one that a failure is known and accepted for.
    derived = outcome.reason.startswith(f"expected {first.expected}")
    return told.line(said if derived else f"{said}; {outcome.reason}")


def sender(judge: Judge, exchange: Exchange) -> list[str]:
    """Say with which credentials a request was sent, without any secret; nothing if with the right one alone.

    Args:
        judge: Who judged it.
        exchange: What was sent, and what came.
    """
    return _Teller(judge, ()).sender(exchange)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Puts what was sent and what came into few words."""

    judge: Judge
    exchanges: Sequence[Exchange]

    def line(self, text: str) -> str:
        text = re.sub(r"\s*[\r\n]\s*", " ", self._masked(text))
        return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)

    def unanswered(self, mismatch: Mismatch) -> str:
        return f"{self._brief(mismatch.got)}; expected {self._brief(mismatch.expected)}"

    def observed(self, mismatch: Mismatch, expected: str) -> str:
        number = mismatch.call or len(self.exchanges)
        exchange = self.exchanges[number - 1]
        if mismatch.word in _EARLIER:
            expected = _CALL.sub(lambda match: self._earlier(exchange, int(match[1])), expected)
        came, request = self._came(exchange, mismatch), self._asked(exchange)
        when = self._circumstances(number, mismatch)
        again = f"{mismatch.again}: " if mismatch.again else ""
        return f"{again}{came} to {request}{when}; expected {self._brief(expected)}"

    # -- what came -----------------------------------------------------------------------------------------------------

    def _came(self, exchange: Exchange, mismatch: Mismatch) -> str:
        got = mismatch.got.removesuffix(f": {cut(exchange.text)}")
        if got == f"status {exchange.status}":
            return f"answered {exchange.status}{self._identified(exchange)}"
        where = "among the answers" if exchange.at_once else f"in the {exchange.status} answer"
        return f"{self._brief(got)}, {where}"

    def _identified(self, exchange: Exchange) -> str:
        """Name the kind of an answer where its status does not tell it."""
        body = exchange.body
        if not isinstance(body, dict):
            return f" ({exchange.media_type or 'no media type'})" if exchange.media_type != JSON else ""
        pointer = (self.judge.document.identifier or "").removeprefix("/")
        value = body.get(pointer)
        if value is None or str(value) == str(exchange.status):
            return ""
        return f" ({pointer} {self._shown(str(value), _LONGEST_VALUE)})"

    def _brief(self, text: str) -> str:
        """Leave of long JSON values in a text what tells which ones they are."""
        text = self._masked(text)
        names = {name for members in self.judge.catalogue.identities.values() for name in members}
        pieces, place = [], 0
        for match in _OPENING.finditer(text):
            if match.start() < place:
                continue
            try:
                value, end = _DECODER.raw_decode(text, match.start())
            except ValueError:
                continue
            written = text[match.start() : end]
            if len(written) > _LONGEST_JSON:
                known = {name: item for name, item in value.items() if name in names} if isinstance(value, dict) else {}
                short = f"{as_text(known)[:-1]}, ...}}" if known else shortened(written, _LONGEST_JSON)
                pieces += [text[place : match.start()], short]
            else:
                pieces.append(text[place:end])
            place = end
        return shortened("".join([*pieces, text[place:]]), _LONGEST_PART)

    # -- when it was asked ---------------------------------------------------------------------------------------------

    def _circumstances(self, number: int, mismatch: Mismatch) -> str:
        """Say what a request was sent after or along with, as far as that may be why its answer is wrong.

        Args:
            number: Of the request, from 1.
            mismatch: What is wrong with its answer, perhaps as compared with an earlier one.
        """
        exchange = self.exchanges[number - 1]
        if exchange.at_once:
            others = sum(one.at_once for one in self.exchanges) - 1
            return f", sent at once with {counted(others, 'other')}"
        time = self._time(number)
        before = [*enumerate(self.exchanges[: number - 1], 1)]
        since = max((n for n, one in before if one.request == exchange.request), default=0)
        writes = [one for n, one in before if n > since and not one.is_read]
        # What was refused may have had an effect, which a comparison shows.
        if not exchange.is_read and mismatch.word not in _EARLIER:
            writes = [one for one in writes if one.status < 400]
        told = f", the {_nth(time)} time" if time > 1 else ""
        if writes:
            done = [one for one in writes if one.status < 400] or writes
            telling = next((one for one in reversed(done) if _names(one.request, mismatch.expected)), done[-1])
            methods = dict.fromkeys(one.request.method for one in writes)
            by = f" ({', '.join(methods)})" if len(methods) > 1 else ""
            many = f"{len(writes)} requests{by}, among them " if len(writes) > 1 else ""
            told += f", after {many}{self._asked(telling)} got {telling.status}"
        return told

    def _earlier(self, exchange: Exchange, number: int) -> str:
        """Name an earlier call by what it asked; one that asked the same, by which time that was."""
        earlier = self.exchanges[number - 1]
        return f"the {_nth(self._time(number))} time" if earlier.request == exchange.request else self._asked(earlier)

    def _time(self, number: int) -> int:
        """Tell for which time an exchange asked what it asked, from 1."""
        return sum(one.request == self.exchanges[number - 1].request for one in self.exchanges[:number])

    # -- what was asked ------------------------------------------------------------------------------------------------

    def _asked(self, exchange: Exchange) -> str:
        """Say what a request asked for, and what is odd about it."""
        request, document = exchange.request, self.judge.document
        operation = document.operations.get(exchange.operation)
        path = request.target.partition("?")[0]
        place = operation.pattern.fullmatch(path) if operation else None
        if operation is None or place is None or request.method != operation.method.upper():
            named, told = f"{request.method} {path}", []
        else:
            named = operation.id
            told = [f"{name} {self._bare(unquote(value))}" for name, value in place.groupdict().items()]
        credentials = {scheme.parameter for scheme in self._schemes(exchange) if scheme.kind == "query"}
        told = [
            *self.sender(exchange),
            *told,
            *(f"{name} {self._bare(value)}" for name, value in _pairs(request) if name not in credentials),
            *self._headers(exchange),
            *self._body(request, operation),
        ]
        return self._shown(f"{named} ({', '.join(told)})" if told else named, _LONGEST_PART)

    def sender(self, exchange: Exchange) -> list[str]:
        """Tell which credentials were sent, but for the right one, or that there were none."""
        schemes = self._schemes(exchange)
        sent = [pair for scheme in schemes for pair in _sent(scheme, exchange.request)]
        if exchange.operation in self.judge.document.operations and schemes and not sent:
            missing = dict.fromkeys(scheme.parameter for scheme in schemes)
            return [f"no {' and no '.join(missing)}"]
        return [*self._others(sent)]

    def _schemes(self, exchange: Exchange) -> list[SecurityScheme]:
        operations = self.judge.document.operations
        operation = operations.get(exchange.operation)
        known = [operation] if operation else [*operations.values()]
        return [*{one.scheme.name: one.scheme for each in known for one in each.security}.values()]

    def _headers(self, exchange: Exchange) -> Iterator[str]:
        """Tell which headers this request sends and others do not, and the other way round."""
        told = {scheme.parameter for scheme in self._schemes(exchange)} | {
            "Content-Type",
            *self.judge.target.client.headers,
        }
        known = {name.lower() for name in told}
        for name, value in exchange.request.headers:
            if name.lower() not in known:
                yield f"{name} {self._bare(value)}"
        yield from (f"no {name}" for name in exchange.request.without)

    def _others(self, sent: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Tell which credentials were sent, but for the right one."""
        bindings = self.judge.target.bindings
        handles = {
            members.get("secret"): handle for handle, members in bindings.items() if handle.startswith(f"{CREDENTIAL}.")
        }
        right = bindings.get(_MAIN, {}).get("secret")
        for name, value in sent:
            if value != right:
                yield f"{name} {handles.get(value) or self._text(value)}"

    def _body(self, request: HttpRequest, operation: Operation | None) -> Iterator[str]:
        media_type = next((value for name, value in request.headers if name.lower() == "content-type"), JSON)
        if media_type != JSON:
            yield f"Content-Type {media_type}"
        if request.body is None:
            if operation is not None and operation.body is not None:
                yield "no body"
            return
        text = request.body.decode("utf-8", "replace")
        try:
            body: Any = json.loads(text, object_pairs_hook=_Members)
        except (ValueError, RecursionError):
            body = None
        if body and isinstance(body, _Members):
            schema = (operation.body if operation else None) or {}
            yield from (f"no {name}" for name in schema.get("required", ()) if name not in dict(body))
            yield from (f"{name} {self._text(value)}" for name, value in body)
        else:
            yield f"the body {self._shown(text, _LONGEST_VALUE) or 'empty'}"

    # -- texts ---------------------------------------------------------------------------------------------------------

    def _bare(self, value: str) -> str:
        return self._shown(value, _LONGEST_VALUE) if _BARE.fullmatch(value) else self._text(value)

    def _text(self, value: Any) -> str:
        return self._shown(json.dumps(_plain(value), ensure_ascii=False), _LONGEST_VALUE)

    def _shown(self, text: str, longest: int) -> str:
        return shortened(self._masked(text), longest)

    def _masked(self, text: str) -> str:
        """Mask secrets; always before a text is shortened, which could leave a part of one."""
        return masked(text, self.judge.target.secrets)


class _Members(list[tuple[str, Any]]):
    """Members of an object, also those whose name is given twice."""


def _plain(value: Any) -> Any:
    if isinstance(value, _Members):
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _sent(scheme: SecurityScheme, request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Yield the parameter and each secret that a request sends in it."""
    if scheme.kind == "query":
        yield from ((name, value) for name, value in _pairs(request) if name == scheme.parameter)
        return
    for name, value in request.headers:
        if name.lower() == scheme.parameter.lower():
            plain = request.key_pair if scheme.kind == "basic" else value.removeprefix(scheme.prefix)
            yield scheme.parameter, plain or value


def _names(request: HttpRequest, told: str) -> bool:
    """Tell whether a request's body has a text that is spoken of."""
    return any(as_text(text) in told for text in texts(request.said))


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl(request.target.partition("?")[2], keep_blank_values=True)


def _nth(number: int) -> str:
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    digits = str(number)
    return digits[:-1] + _ORDINALS.get(digits[-1], f"{digits[-1]}th")
