"""Where none of the mock's features is used, nothing of them shows: not one byte of an answer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from couponspec import load_pack
from couponspec.request import build
from running_mock import Mock, exchange, request_bytes, serving
from vendor_answers import document

RECORDED = Path(__file__).parent.parent / "golden" / "documented-bytes.json"
PACK = "documented"
VARIES = {"date", "server", "connection", "request-id", "x-request-id"}
"""Headers of the HTTP server, and ids that are another each time."""
CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("PUT", "/readings", {"crowdtwist.unknown-member": "404", "crowdtwist.number-type": "string"}),
    ("POST", "/faults", {"kind": "status", "status": 503}),
    ("PUT", "/limits", {"shoplazza": {"size": 1, "leak": 0}}),
    ("PUT", "/strict", {"mode": "refuse"}),
    ("POST", "/clock/advance", {"by": "400d"}),
    ("PUT", "/state/crowdtwist/coupon/used", {"state": "generated"}),
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock that adds no header of its own."""
    with serving(tmp_path_factory.mktemp("plain"), "--pack", PACK, "--no-mock-headers") as mock:
        yield mock


def answers(mock: Mock) -> dict[str, Any]:
    """Return the answer to every request of the pack, each asked of a fresh world."""
    found = {}
    for vendor in ("chargeover", "crowdtwist", "shoplazza"):
        known = document(vendor)
        pack = load_pack(known, PACK)
        assert pack.frozen is not None
        bindings = pack.bindings(pack.frozen)
        operations = {**known.operations, known.general.id: known.general}
        for reach in pack.reach:
            asked = build(known, operations[reach.operation], reach.request, bindings)
            answer = exchange(
                mock.port,
                request_bytes(asked.method, f"/~{mock.namespace}{asked.target}", asked.headers, asked.body),
                asked.method,
            )
            assert mock.admin("POST", "/reset", {"namespace": mock.namespace}).status == 200
            headers = sorted([name, value] for name, value in answer.headers.items() if name.lower() not in VARIES)
            found[f"{reach.operation} {reach.answer} {asked.method} {asked.target}"] = [
                answer.status,
                headers,
                answer.body.decode(),
            ]
    return found


def test_every_documented_answer_is_byte_for_byte_what_it_was(plain: Mock) -> None:
    """As recorded before there were features; a new answer, or a change on purpose, is recorded by hand."""
    assert answers(plain.new_world()) == json.loads(RECORDED.read_text(encoding="utf-8"))


def test_what_was_chosen_and_given_back_leaves_no_trace(plain: Mock) -> None:
    """A reset with settings makes a world as new."""
    mock = plain.new_world()
    for method, path, value in CHANGES:
        target, body = f"/~{mock.namespace}/__admin{path}", json.dumps(value).encode()
        changed = exchange(mock.port, request_bytes(method, target, [("Content-Type", "application/json")], body))
        assert changed.status in {200, 201}, changed
    assert mock.admin("POST", "/reset", {"namespace": mock.namespace, "settings": True}).status == 200
    assert answers(mock) == json.loads(RECORDED.read_text(encoding="utf-8"))
