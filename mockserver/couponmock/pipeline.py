"""One request, five steps: route, authenticate, validate, behave, render. Everything else is compiled at start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPMethod
from types import ModuleType
from typing import Any, NoReturn, Self

from couponspec.document import Document, Operation, SecurityScheme
from couponspec.faults import Fault
from couponspec.pack import Kind
from couponspec.schema import Option

from couponmock import strict
from couponmock.behaviour import Answer, Behaviour, Call, Precheck, Refused, World, behaviours_of, prechecks_of
from couponmock.exchange import Diagnosis, Reply, Request, Unknown, printable
from couponmock.finding import Finding, Query, Validator, buffered, credential, first
from couponmock.forced import Forced
from couponmock.form import Form, forms_of
from couponmock.injection import Injection, Limit
from couponmock.reading import Acting, Choices, acting_faults
from couponmock.renderer import BrokenAnswer, Renderer
from couponmock.store import NoSuchNamespace, Store

READS = {HTTPMethod.GET, HTTPMethod.HEAD}


class _Found(Exception):
    """A finding ends the request."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(str(finding))


@dataclass(frozen=True)
class _Route:
    operation: Operation
    behaviour: Behaviour
    prechecks: tuple[Precheck, ...]
    validator: Validator
    known: strict.Known


@dataclass(frozen=True)
class Vendor:
    """All that is needed to act as one vendor."""

    document: Document
    kinds: Mapping[str, Kind]
    behaviours: Mapping[str, Behaviour]
    prechecks: tuple[Precheck, ...] = ()
    forms: tuple[Form, ...] = ()

    @classmethod
    def of(cls, document: Document, kinds: Mapping[str, Kind], module: ModuleType) -> Self:
        """Put a document together with all that a vendor's module holds."""
        return cls(document, kinds, behaviours_of(module), prechecks_of(module), forms_of(module))

    @property
    def acted(self) -> tuple[Option, ...]:
        """Return the options of readings that the vendor's module acts out."""
        asked = [Option.parse(option) for behaviour in self.behaviours.values() for option in behaviour.options]
        return (*asked, *(each.option for each in self.prechecks), *(form.option for form in self.forms))


@dataclass(frozen=True)
class _Due:
    """Nothing has happened yet: limits and fault rules are to decide about the request first, outside of a session."""

    operation: Operation
    principal: str
    request: Request
    asked: Mapping[str, Any]
    """The request as the journal describes it."""
    facts: Mapping[str, Any]
    acting: Acting


@dataclass
class Pipeline:
    """Acts as one vendor over a store."""

    vendor: Vendor
    store: Store
    pack: str
    """Id of the pack that a namespace unknown so far is made from."""
    readings: Mapping[str, str] = field(default_factory=dict)
    """The server's own choices: name of a reading -> option."""
    limit: Limit | None = None
    """How fast the vendor may be asked, where a namespace does not say."""
    mode: str = strict.OFF
    """The strict mode where neither request nor namespace names one."""
    _choices: Choices = field(init=False)
    _routes: list[_Route] = field(init=False)
    _renderer: Renderer = field(init=False)
    _injection: Injection = field(init=False)

    def __post_init__(self) -> None:
        """Compile the document."""
        document = self.vendor.document
        self._routes = [
            _Route(
                operation,
                self.vendor.behaviours[operation.id],
                tuple(check for check in self.vendor.prechecks if check.before == operation.id),
                Validator(operation),
                strict.Known(operation),
            )
            for operation in document.operations.values()
        ]
        self._choices = Choices(document.vendor, document.sources, self.readings)
        self._renderer = Renderer(document, self.vendor.forms)
        self._injection = Injection(self.store, document, self.limit)

    def answer(self, request: Request) -> Reply:
        """Answer a request as the vendor's document has it.

        Raises:
            BrokenAnswer: the answer would break the document.
            WrongMode: the request asks for a strict mode that there is not.
        """
        unknown: list[Unknown] = []
        reply = self._answered(request, unknown, decided=False)
        if isinstance(reply, _Due):
            reply = self._injected(reply)
        return replace(reply, diagnosis=replace(reply.diagnosis, unknown=tuple(unknown))) if unknown else reply

    def _injected(self, due: _Due) -> Reply:
        """Let limits and fault rules decide about a request, then answer it."""
        decision = self._injection.decide(due.request.namespace, due.principal, due.operation.id, due.asked)
        reply = None if decision.prevents else self._answered(due.request, [], decided=True)
        if decision.instead:
            reply = self._instead(due.operation, decision.instead, due.facts, due.acting)
        if not isinstance(reply, Reply):  # the connection is dropped before the operation
            reply = Reply(0, "", b"", diagnosis=Diagnosis(self.vendor.document.vendor, due.operation.id))
        return decision.applied(reply)

    def _answered(self, request: Request, unknown: list[Unknown], *, decided: bool) -> Reply | _Due:
        """Answer a request, unless something is to be decided first; what strict mode finds is put into `unknown`."""
        operation = self.vendor.document.general
        facts: dict[str, Any] = {"request_id": request.id, "method": request.method}
        acting: Acting | None = None
        try:
            route, path = self._route(request, facts)
            operation = route.operation
            if operation.body is not None or _announces_body(request):
                # Read before the session: who sends it slowly must not keep others from the store.
                request = buffered(request)
            writes = operation.method not in READS
            with self.store.session(request.namespace, write=writes, pack=self.pack) as session:
                acting = self._choices.acting(session.namespace.settings)
                world = World(session, self.vendor.document.vendor, self.vendor.kinds, operation.id, acting)
                query = Query(request.query)
                settings = session.namespace.settings
                if not decided and (mode := strict.mode_of(request, settings, self.mode)) != strict.OFF:
                    unknown += route.known.unknown(request, query)
                    if unknown and mode == strict.REFUSE:
                        return strict.refusal(self.vendor.document.vendor, operation.id, tuple(unknown))
                principal = _authenticate(operation, request, query, world)
                if forced := Forced.of(request, query):
                    return self._forced(operation, forced, facts, acting)
                if not decided and (asked := self._injection.due(settings, operation, request)):
                    return _Due(operation, principal, request, asked, facts, acting)
                parameters, body, finding = _validate(route.validator, request, path, query)
                call = Call(principal, parameters, body, self._renderer.values(operation))
                if finding:
                    _refuse(finding, route, call, world, acting)
                answer = route.behaviour(call, world)
                return self._renderer.render(operation, answer, facts, acting)
        except _Found as found:
            problem = operation.problem(found.finding.kind, found.finding.places)
            if problem is None:
                raise BrokenAnswer(f"{operation.id} has no x-problems for {found.finding}") from found
            told = str(found.finding)
        except Refused as refused:
            problem, told = refused.problem, ""
        acting = acting or self._acting(request.namespace)
        return self._renderer.render(operation, Answer(problem), facts, acting, told)

    def _acting(self, namespace: str) -> Acting:
        """Return the readings chosen in a namespace that need not be there yet."""
        try:
            return self._choices.acting(self.store.namespace(namespace).settings)
        except NoSuchNamespace:
            return self._choices.acting({})

    def _forced(self, operation: Operation, forced: Forced, facts: dict[str, Any], acting: Acting) -> Reply:
        """Give the answer that the client has asked for; nothing of the world is looked at or changed."""
        reply = self._instead(operation, forced, facts, acting)
        diagnosis = replace(reply.diagnosis, forced=True)
        return replace(reply, headers=(*reply.headers, ("Preference-Applied", str(forced))), diagnosis=diagnosis)

    def _instead(self, operation: Operation, forced: Forced, facts: Mapping[str, Any], acting: Acting) -> Reply:
        general = self.vendor.document.general
        example = forced.answer(operation, general, self.vendor.document.identifier, acting)
        is_general = general.examples.get(example.name) is example
        owner = operation if example.response in operation.responses and not is_general else general
        facts = {**facts, "allow": operation.method}
        reply = self._renderer.word(owner, example, Answer(example.name), facts, acting)
        return replace(reply, diagnosis=replace(reply.diagnosis, operation=operation.id))

    def _route(self, request: Request, facts: dict[str, Any]) -> tuple[_Route, dict[str, str]]:
        allowed = []
        for route in self._routes:
            match = route.operation.pattern.match(request.path)
            if match:
                facts.update({name: printable(value) for name, value in match.groupdict().items()})
                if route.operation.method == request.method:
                    return route, match.groupdict()
                allowed.append(route.operation.method)
        facts["allow"] = ", ".join(allowed)
        raise _Found(Finding("method_not_allowed" if allowed else "unrouted", ""))


def _announces_body(request: Request) -> bool:
    """Tell whether a body is to come, which an operation that has none may still be sent."""
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


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
) -> tuple[dict[str, Any], Any, Finding | None]:
    """Return parameters, body, and what is wrong with them, if anything is."""
    parameters, findings = validator.parameters(path, query)
    body, more = validator.body(request)
    return parameters, body, first([*findings, *more])


def _refuse(finding: Finding, route: _Route, call: Call, world: World, acting: Acting) -> NoReturn:
    """End a request by what is wrong with it, or by what the chosen readings have looked up before that is told."""
    for check in route.prechecks:
        if acting.has(check.option):
            try:
                check(call, world)
            except Refused:
                acting.shape(check.option)
                raise
    raise _Found(finding)


def start_faults(vendor: Vendor) -> list[Fault]:
    """List what keeps a vendor from being acted out: document, behaviours and named answers must match."""
    document = vendor.document
    faults = []
    for operation in document.operations.values():
        behaviour = vendor.behaviours.get(operation.id)
        if behaviour is None:
            fix = f"add a behaviour to couponmock/vendors/{document.vendor}.py"
            faults.append(document.file.fault(operation.pointer, f"operation {operation.id} has no behaviour", fix))
        prechecks = [check for check in vendor.prechecks if check.before == operation.id]
        named = dict.fromkeys(name for each in (behaviour, *prechecks) if each for name in each.examples)
        for name in named:
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
    faults += _lost(vendor)
    return [*faults, *acting_faults(document, vendor.acted, (form.option for form in vendor.forms))]


def _lost(vendor: Vendor) -> Iterator[Fault]:
    """Yield forms and prechecks of operations that are nowhere else."""
    document = vendor.document
    named = [(str(check.option), check.before) for check in vendor.prechecks]
    named += [(str(form.option), operation) for form in vendor.forms for operation in form.operations]
    known = {*document.operations, *vendor.behaviours}  # which of the two lacks one has been told
    for option, operation in named:
        if operation not in known:
            reason = (
                f"what couponmock/vendors/{document.vendor}.py does for {option} belongs to no operation {operation!r}"
            )
            yield document.file.fault("/paths", reason, "correct the operationId on either side")


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
