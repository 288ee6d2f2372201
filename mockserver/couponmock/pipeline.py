"""One request, five steps: route, authenticate, validate, behave, render. Everything else is compiled at start."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPMethod
from typing import Any

import jsonschema_rs
from couponspec.document import Document, Example, Operation, SecurityScheme
from couponspec.faults import Fault
from couponspec.pack import Kind
from couponspec.schema import Option

from couponmock import strict
from couponmock.behaviour import Answer, Behaviour, Call, Refused, World
from couponmock.exchange import Diagnosis, Reply, Request, Unknown
from couponmock.finding import Finding, Query, Validator, buffered, credential, first
from couponmock.forced import Forced
from couponmock.store import Store

READS = {HTTPMethod.GET, HTTPMethod.HEAD}


class BrokenAnswer(Exception):
    """Our own answer breaks the document: a fault of ours, which must never pass for a vendor's answer."""


class _Found(Exception):
    """A finding ends the request."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(str(finding))


@dataclass(frozen=True)
class _Route:
    operation: Operation
    behaviour: Behaviour
    validator: Validator
    known: strict.Known


@dataclass(frozen=True)
class Vendor:
    """All that is needed to act as one vendor."""

    document: Document
    kinds: Mapping[str, Kind]
    behaviours: Mapping[str, Behaviour]


@dataclass
class Pipeline:
    """Acts as one vendor over a store."""

    vendor: Vendor
    store: Store
    pack: str
    """Id of the pack that a namespace unknown so far is made from."""
    mode: str = strict.OFF
    """The strict mode where neither request nor namespace names one."""
    _routes: list[_Route] = field(init=False)
    _renderer: "Renderer" = field(init=False)

    def __post_init__(self) -> None:
        """Compile the document."""
        document = self.vendor.document
        self._routes = [
            _Route(operation, self.vendor.behaviours[operation.id], Validator(operation), strict.Known(operation))
            for operation in document.operations.values()
        ]
        self._renderer = Renderer(document)

    def answer(self, request: Request) -> Reply:
        """Answer a request as the vendor's document has it.

        Raises:
            BrokenAnswer: the answer would break the document.
            WrongMode: the request asks for a strict mode that there is not.
        """
        unknown: list[Unknown] = []
        reply = self._answer(request, unknown)
        if not unknown:
            return reply
        return replace(reply, diagnosis=replace(reply.diagnosis, unknown=tuple(unknown)))

    def _answer(self, request: Request, unknown: list[Unknown]) -> Reply:
        """Answer a request; `unknown` is filled with what strict mode finds."""
        operation = self.vendor.document.general
        facts: dict[str, Any] = {"request_id": request.id, "method": request.method}
        try:
            route, path = self._route(request, facts)
            operation = route.operation
            writes = operation.method not in READS
            with self.store.session(request.namespace, write=writes, pack=self.pack) as session:
                world = World(session, self.vendor.document.vendor, self.vendor.kinds, operation.id)
                query = Query(request.query)
                if (mode := strict.mode_of(request, session.namespace.settings, self.mode)) != strict.OFF:
                    request = buffered(request)
                    unknown += route.known.unknown(request, query)
                    if unknown and mode == strict.REFUSE:
                        return strict.refusal(self.vendor.document.vendor, operation.id, tuple(unknown))
                principal = _authenticate(operation, request, query, world)
                if forced := Forced.of(request, query):
                    return self._forced(operation, forced, facts)
                parameters, body = _validate(route.validator, request, path, query)
                call = Call(principal, parameters, body, self._renderer.values(operation))
                answer = route.behaviour(call, world)
                return self._renderer.render(operation, answer, facts)
        except _Found as found:
            problem = operation.problem(found.finding.kind, found.finding.places)
            if problem is None:
                raise BrokenAnswer(f"{operation.id} has no x-problems for {found.finding}") from found
            return self._renderer.render(operation, Answer(problem), facts, str(found.finding))
        except Refused as refused:
            return self._renderer.render(operation, Answer(refused.problem), facts)

    def _forced(self, operation: Operation, forced: Forced, facts: dict[str, Any]) -> Reply:
        """Give the answer that the client has asked for; nothing of the world is looked at or changed."""
        general = self.vendor.document.general
        example = forced.answer(operation, general, self.vendor.document.identifier)
        owner = operation if example.response in operation.responses else general
        reply = self._renderer.word(owner, example, Answer(example.name), {**facts, "allow": operation.method})
        diagnosis = replace(reply.diagnosis, operation=operation.id, forced=True)
        return replace(reply, headers=(*reply.headers, ("Preference-Applied", str(forced))), diagnosis=diagnosis)

    def _route(self, request: Request, facts: dict[str, Any]) -> tuple[_Route, dict[str, str]]:
        allowed = []
        for route in self._routes:
            match = route.operation.pattern.match(request.path)
            if match and route.operation.method == request.method:
                return route, match.groupdict()
            if match:
                allowed.append(route.operation.method)
                facts.update({name: _printable(value) for name, value in match.groupdict().items()})
        facts["allow"] = ", ".join(allowed)
        raise _Found(Finding("method_not_allowed" if allowed else "unrouted", ""))


def _printable(text: str) -> str:
    """Return a text without the lone surrogates that stand for bytes that are not UTF-8; no answer can hold them."""
    return text.encode(errors="replace").decode()


def _authenticate(operation: Operation, request: Request, query: Query, world: World) -> str:
    """Return the name of the entity that a credential of the request belongs to; empty where none is asked for."""
    if not operation.security:
        return ""
    refused: SecurityScheme | None = None
    for security in operation.security:
        try:
            secret = credential(security.scheme, request, query)
        except ValueError:
            refused = refused or security.scheme
            continue
        if secret is None:
            continue
        entity = world.find("credential", secret=secret)
        if entity is None or entity["principal"] is None:
            refused = refused or security.scheme
        elif not set(security.scopes) <= set(entity["scopes"] or ()):
            raise _Found(Finding("forbidden", security.scheme.location, (security.scheme.problems,)))
        else:
            return str(entity["principal"])
    scheme = refused or operation.security[0].scheme
    kind = "credential_invalid" if refused else "credential_missing"
    raise _Found(Finding(kind, scheme.location, (scheme.problems,)))


def _validate(
    validator: Validator, request: Request, path: Mapping[str, str], query: Query
) -> tuple[dict[str, Any], Any]:
    """Return parameters and body."""
    parameters, findings = validator.parameters(path, query)
    body, more = validator.body(request)
    finding = first([*findings, *more])
    if finding:
        raise _Found(finding)
    return parameters, body


class Renderer:
    """Makes replies out of a document's examples, and lets none leave that breaks the document."""

    def __init__(self, document: Document) -> None:
        """Keep what is compiled for a document."""
        self._document = document
        self._validators: dict[tuple[str, str, frozenset[Option]], jsonschema_rs.Validator] = {}
        self._values: dict[str, dict[str, Any]] = {}

    def values(self, operation: Operation) -> Mapping[str, Any]:
        """Return the values of an operation's examples by name."""
        if operation.id not in self._values:
            self._values[operation.id] = {name: example.value for name, example in operation.examples.items()}
        return self._values[operation.id]

    def render(self, operation: Operation, answer: Answer, facts: Mapping[str, Any], finding: str = "") -> Reply:
        """Word an answer.

        Args:
            operation: The operation, or the document's general answers.
            answer: Which example, and what this call makes of it.
            facts: Values for the example's templates.
            finding: What was wrong with the request, for the diagnosis.

        Raises:
            BrokenAnswer: the body does not fit its schema, as the readings of the example have it.
        """
        return self.word(operation, operation.examples[answer.example], answer, facts, finding)

    def word(
        self, operation: Operation, example: Example, answer: Answer, facts: Mapping[str, Any], finding: str = ""
    ) -> Reply:
        """Word an answer by an example that need not be one of the document's.

        Raises:
            BrokenAnswer: as `render` does; an answer of a status that the document does not list is not judged.
        """
        value = _value(example, answer, facts)
        validator = self._validator(operation, example) if example.response in operation.responses else None
        if validator and not validator.is_valid(value):
            reason = next(iter(validator.iter_errors(value))).message
            raise BrokenAnswer(f"{operation.id} {example.name} ({example.status}): {reason}")
        return Reply(
            status=example.status,
            media_type=example.media_type,
            body=json.dumps(value, ensure_ascii=False).encode(),
            headers=tuple((name, template.format_map(facts)) for name, template in example.headers.items()),
            diagnosis=Diagnosis(self._document.vendor, operation.id, finding, example.name, example.basis),
        )

    def _validator(self, operation: Operation, example: Example) -> jsonschema_rs.Validator:
        response = operation.responses[example.response]
        chosen = frozenset(option for option in (response.option, example.option) if option)
        key = (operation.id, response.key, chosen)
        if key not in self._validators:
            readings = {**self._document.sources.taken, **{option.reading: option.option for option in chosen}}
            self._validators[key] = operation.validator(response, example.media_type, readings)
        return self._validators[key]


def _value(example: Example, answer: Answer, facts: Mapping[str, Any]) -> Any:
    if answer.body is not None:
        return answer.body
    value = {**example.value, **answer.members} if answer.members else example.value
    if example.templates:
        value = dict(value)
        for pointer, template in example.templates.items():
            value[pointer.removeprefix("/")] = template.format_map(facts)
    return value


def start_faults(vendor: Vendor) -> list[Fault]:
    """List what keeps a vendor from being acted out: document, behaviours and named answers must match."""
    document = vendor.document
    faults = []
    for operation in document.operations.values():
        behaviour = vendor.behaviours.get(operation.id)
        if behaviour is None:
            fix = f"add a behaviour to couponmock/vendors/{document.vendor}.py"
            faults.append(document.file.fault(operation.pointer, f"operation {operation.id} has no behaviour", fix))
        for name in behaviour.examples if behaviour else ():
            if name not in operation.examples:
                reason = f"the behaviour of {operation.id} names an example {name!r}, which is not here"
                faults.append(document.file.fault(f"{operation.pointer}/responses", reason, "add the named example"))
    for operation_id in sorted(set(vendor.behaviours) - set(document.operations)):
        reason = f"behaviour {operation_id} belongs to no operation"
        faults.append(document.file.fault("/paths", reason, "correct the operationId on either side"))
    for operation in (*document.operations.values(), document.general):
        for finding in _possible(operation):
            answer = operation.problem(finding.kind, finding.places)
            if answer not in operation.examples:
                reason = f"the finding {finding} of {operation.id} is answered by {answer!r}, which is no example of it"
                fix = "name an example of the operation in x-problems"
                faults.append(document.file.fault(operation.pointer, reason, fix))
    return faults


def _possible(operation: Operation) -> Iterator[Finding]:
    """Yield every finding that a request to an operation can give."""
    if operation.method == "*":
        yield Finding("unrouted", "")
        yield Finding("method_not_allowed", "")
    for security in operation.security:
        kinds = ("credential_missing", "credential_invalid", *(("forbidden",) if security.scopes else ()))
        yield from (Finding(kind, security.scheme.location, (security.scheme.problems,)) for kind in kinds)
    for parameter in operation.parameters:
        kinds = ("invalid", *(("missing",) if parameter.required else ()))
        yield from (Finding(kind, parameter.location, (parameter.problems,)) for kind in kinds)
    if operation.body is not None:
        yield from (Finding(kind, "body:") for kind in ("too_large", "unsupported_media_type", "malformed"))
        yield Finding("invalid", "body:", (operation.body_schema_at([]).get("x-problems", {}),))
        for path in _members(operation, []):
            location = "body:" + "".join(f"/{token}" for token in path)
            for kind in ("missing", "blank", "invalid"):
                yield Finding(kind, location, (operation.body_schema_at(path).get("x-problems", {}),))


def _members(operation: Operation, path: list[str | int]) -> Iterator[list[str | int]]:
    """Yield the place of every member and of a first item in an operation's body."""
    schema = operation.body_schema_at(path)
    for token in (*schema.get("properties", {}), *((0,) if "items" in schema else ())):
        yield [*path, token]
        yield from _members(operation, [*path, token])
