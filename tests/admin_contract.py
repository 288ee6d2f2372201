"""The admin interface's own document, and every exchange with the interface held against it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import couponmock.admin
import jsonschema_rs
from couponspec import yamlfile

METHODS = {"get", "put", "post", "delete"}


@cache
def document() -> dict[str, Any]:
    """Return the document of the interface."""
    value: dict[str, Any] = yamlfile.load(Path(couponmock.admin.__file__).with_name("openapi.yaml")).value
    return value


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of everything that is documented."""
    for path, item in document()["paths"].items():
        for method in sorted(METHODS & item.keys()):
            yield method.upper(), path, item[method]


def hold(method: str, target: str, asked: bytes | None, status: int, media_type: str | None, body: bytes) -> None:
    """Fail if an exchange with the admin interface is not as its document says; others are left alone."""
    path = re.sub(r"^/(?:~|%7[Ee])[^/]*(?=/__admin)", "", urlsplit(target).path)
    if method == "HEAD" or not path.startswith("/__admin/"):
        return
    operation = next((found for verb, known, found in operations() if verb == method and _matches(known, path)), None)
    if operation is None:
        assert status in {404, 405}, f"{method} {path} is not documented, and answers {status}"
        return
    if asked and status < 300 and "requestBody" not in operation:
        assert json.loads(asked) == {}, f"{method} {path} is documented without a body"
    elif asked and status < 300:
        wanted = _resolved(operation["requestBody"])["content"]
        # Where YAML is taken as well, it is told from JSON by its first character.
        if "application/json" in wanted and (len(wanted) == 1 or asked.lstrip().startswith(b"{")):
            _valid(wanted["application/json"]["schema"], json.loads(asked), f"the body of {method} {path}")
    responses = operation["responses"]
    assert str(status) in responses or status >= 400, f"{method} {path} is not documented to answer {status}"
    response = _resolved(responses.get(str(status), responses["default"]))
    if "content" not in response:
        assert body == b""
        return
    media_type = (media_type or "").partition(";")[0]
    assert media_type in response["content"], f"{method} {path} answers {status} as {media_type}"
    if media_type.endswith("json"):
        _valid(response["content"][media_type]["schema"], json.loads(body), f"the {status} of {method} {path}")


@cache
def _pattern(known: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[a-z]+\\}", "[^/]*", re.escape(known)) + r"\Z")


def _matches(known: str, path: str) -> bool:
    return bool(_pattern(known).match(path))


def _resolved(node: Any) -> Any:
    while "$ref" in node:
        target: Any = document()
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token]
        node = target
    return node


def _valid(schema: Mapping[str, Any], value: Any, what: str) -> None:
    error = next(iter(_validator(json.dumps(schema)).iter_errors(value)), None)
    assert error is None, f"{what}: {error}"


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    whole = {"components": document()["components"], "allOf": [json.loads(schema)]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
