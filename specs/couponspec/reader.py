"""Reads a vendor's OpenAPI file into a `Document`, and holds its examples against its schemas."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema_rs

from couponspec import locate, schema, yamlfile
from couponspec.document import (
    BASES,
    CREDENTIAL_CLASSES,
    JSON,
    Document,
    Example,
    Operation,
    Parameter,
    Response,
    Security,
    SecurityScheme,
    weakest,
)
from couponspec.faults import Fault, FaultyFile
from couponspec.schema import Option
from couponspec.sources import Sources, load_sources
from couponspec.standin import stand_in_faults
from couponspec.wellformed import GENERAL, METHODS, nodes, place_of, wellformed_faults
from couponspec.yamlfile import YamlFile, escape


def load_document(vendor: str, at: Path | None = None) -> Document:
    """Read a vendor's document and sources.

    Raises:
        FaultyFile: one of the files has a mistake that makes it unreadable as an OpenAPI document.
    """
    sources = load_sources(vendor, at)
    file = yamlfile.load(locate.document_file(vendor, at))
    return _Reader(vendor, file, sources).document()


@dataclass(frozen=True)
class _Reader:
    vendor: str
    file: YamlFile
    sources: Sources

    def document(self) -> Document:
        if faults := wellformed_faults(self.file):
            raise FaultyFile(faults)
        raw = self.file.value
        operations = [
            self._operation(f"/paths/{escape(path)}/{method}", path, method, item[method])
            for path, item in raw["paths"].items()
            for method in METHODS
            if method in item
        ]
        general = Operation(
            id=GENERAL,
            method="*",
            path="",
            summary="Requests that reach no operation.",
            parameters=(),
            body=None,
            body_samples={},
            security=(),
            responses=self._responses("/x-general-responses", raw.get("x-general-responses", {})),
            problems=raw.get("x-problems", {}),
            pointer="/x-general-responses",
            components=raw.get("components", {}),
        )
        return Document(
            vendor=self.vendor,
            file=self.file,
            sources=self.sources,
            operations={operation.id: operation for operation in operations},
            general=general,
            identifier=raw.get("x-identifier"),
            bases=self._bases(),
        )

    def _bases(self) -> dict[Option, str]:
        found: dict[Option, str] = {}
        for _, node in nodes(self.file.value):
            option, basis = _option(node), node.get("x-basis")
            if option is not None and basis in BASES and "value" not in node:
                found[option] = weakest((basis, found.get(option, basis)))
        return found

    def _operation(self, pointer: str, path: str, method: str, raw: Mapping[str, Any]) -> Operation:
        document = self.file.value
        content = self._deref(raw.get("requestBody", {})).get("content", {}).get(JSON, {})
        return Operation(
            id=raw["operationId"],
            method=method.upper(),
            path=path,
            summary=raw.get("summary", ""),
            parameters=tuple(self._parameter(self._deref(item)) for item in raw.get("parameters", ())),
            body=content.get("schema"),
            body_samples={name: item["value"] for name, item in content.get("examples", {}).items()},
            security=tuple(
                Security(self._scheme(name), tuple(scopes))
                for requirement in raw.get("security", document.get("security", ()))
                for name, scopes in requirement.items()
            ),
            responses=self._responses(f"{pointer}/responses", raw["responses"]),
            problems={**document.get("x-problems", {}), **raw.get("x-problems", {})},
            pointer=pointer,
            components=document.get("components", {}),
            companion=raw.get("x-companion", False),
            page=raw.get("x-source", "").partition("#")[0],
        )

    def _deref(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        return schema.resolve(self.file.value, raw["$ref"]) if "$ref" in raw else raw

    def _parameter(self, raw: Mapping[str, Any]) -> Parameter:
        samples = [item["value"] for item in raw.get("examples", {}).values()]
        return Parameter(
            name=raw["name"],
            place=raw["in"],
            required=raw.get("required", False),
            schema=raw["schema"],
            problems=raw.get("x-problems", {}),
            when=raw.get("x-when", {}),
            sample=samples[0] if samples else None,
        )

    def _scheme(self, name: str) -> SecurityScheme:
        raw = self.file.value["components"]["securitySchemes"][name]
        problems = {CREDENTIAL_CLASSES.get(key, key): value for key, value in raw.get("x-problems", {}).items()}
        kind = raw["in"] if raw["type"] == "apiKey" else raw["scheme"]
        parameter = raw.get("name", "Authorization")
        return SecurityScheme(name, kind, parameter, raw.get("x-prefix", ""), problems)

    def _responses(self, pointer: str, raw: Mapping[str, Any]) -> dict[str, Response]:
        return {
            key: self._response(place_of(item, f"{pointer}/{key}"), key, self._deref(item)) for key, item in raw.items()
        }

    def _response(self, pointer: str, key: str, raw: Mapping[str, Any]) -> Response:
        headers = {
            name: header["x-template"]
            for name, item in raw.get("headers", {}).items()
            if "x-template" in (header := self._deref(item))
        }
        examples = {
            name: Example(
                name=name,
                status=int(item.get("x-status", key)),
                media_type=media_type,
                value=item["value"],
                headers=headers,
                templates=item.get("x-template", {}),
                basis=item["x-basis"],
                source=item["x-source"],
                note=item.get("x-note", ""),
                option=_option(item),
                response=key,
                instead_of=_names(item.get("x-instead-of", ())),
            )
            for media_type, content in raw.get("content", {}).items()
            for name, item in content.get("examples", {}).items()
        }
        schemas = {media_type: content.get("schema", {}) for media_type, content in raw.get("content", {}).items()}
        return Response(key, raw.get("description", ""), schemas, examples, _option(raw), pointer)


def _option(raw: Mapping[str, Any]) -> Option | None:
    return Option.parse(raw[schema.MARK]) if schema.MARK in raw else None


def _names(raw: str | list[str]) -> tuple[str, ...]:
    return (raw,) if isinstance(raw, str) else tuple(raw)


def example_faults(document: Document) -> list[Fault]:
    """List the examples that do not fit the schema they stand beside, as the readings they belong to have it.

    Those that cannot stand in for the ones they are said to replace are listed too.
    """
    faults: list[Fault] = stand_in_faults(document)
    for operation in (*document.operations.values(), document.general):
        for response in operation.responses.values():
            for example in response.examples.values():
                content = f"{response.pointer}/content/{escape(example.media_type)}"
                readings = dict(document.sources.taken)
                for option in (response.option, example.option):
                    if option is not None:
                        readings[option.reading] = option.option
                compiling = partial(operation.validator, response, example.media_type, readings)
                faults += _misfits(document.file, content, compiling, {example.name: example.value})
        for index, parameter in enumerate(operation.parameters):
            place = f"{operation.pointer}/parameters/{index}"
            samples = {} if parameter.sample is None else {"": parameter.sample}
            faults += _misfits(document.file, place, partial(schema.compiled, parameter.schema, {}), samples)
        if operation.body is not None:
            content = f"{operation.pointer}/requestBody/content/{escape(JSON)}"
            compiled = partial(schema.compiled, operation.body, operation.components)
            faults += _misfits(document.file, content, compiled, operation.body_samples)
    return [*dict.fromkeys(faults)]  # a response that several operations share is faulty once


def _misfits(
    file: YamlFile, place: str, compiling: Callable[[], jsonschema_rs.Validator], samples: Mapping[str, Any]
) -> Iterator[Fault]:
    """Yield what is wrong with a schema, or with the examples beside it."""
    try:
        validator = compiling()
    except jsonschema_rs.ValidationError as error:
        reason = f"the schema is not valid: {error.message}"
        yield file.fault(f"{place}/schema", reason, "correct it, or what it refers to")
        return
    for name, value in samples.items():
        for misfit in validator.iter_errors(value):
            reason = f"the example does not fit its schema: {misfit.message}"
            yield file.fault(f"{place}/examples/{name}".rstrip("/"), reason, "correct either")
