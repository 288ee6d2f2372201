"""The adversaries' defects: each breaks a rule that is written somewhere, and a client can notice it."""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import pytest
import yaml
from copied_halls import VENDORS
from couponmock.app import create_app
from couponmock.assembly import Assembly, _handler, assemble, load_vendor
from couponmock.defect import CLASSES, REGISTRIES, Defect, defects_of
from couponmock.defects.adversary import crowd
from couponmock.pipeline import Pipeline, Vendor
from couponmock.settings import Settings
from flask import Flask
from running_mock import ANSWER_SECONDS, Mock, couponmock, serving
from sampling import is_sampled
from vendor_answers import document

ADVERSARIES = {
    "adversary": "defects.yaml",
    "second": "defects_second.yaml",
    "third": "defects_third.yaml",
    "fourth": "defects_fourth.yaml",
}
"""Registry -> the file with its steps."""
STEPS: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {
    registry: yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    for registry, name in ADVERSARIES.items()
}
ADVERSARY: list[tuple[str, Defect]] = [
    (registry, defect)
    for registry in ADVERSARIES
    for vendor in VENDORS
    for defect in defects_of(vendor, registry).values()
]
RULES = {"RFC 3986", "RFC 7617", "RFC 8259", "RFC 9110", "RFC 9112"}
"""What a defect may break that no vendor's page repeats."""
VALUE = re.compile(r"\{(\w+\.\w+)\.(\w+)\}")
GOOD: dict[str, list[dict[str, Any]]] = {
    "crowdtwist": [{"unuse": "JDSI2JE"}, {"unuse": "JDSI2JF"}, {"list": "1001"}, {"list": "1007"}, {"list": "1004"}],
    "chargeover": [{"coupon": 1}, {"coupon": 5}, {"coupon": 900, "pair": "globex-public:globex-private"}],
    "shoplazza": [{"receive": ["welcome", "unlimited", "limit", "rainy"]}, {"receive": ["unicode"], "by": "5002"}],
}
"""What a careful client sends, from which some defects learn."""
ODD: dict[str, list[dict[str, Any]]] = {
    "crowdtwist": [
        {"ask": "POST /v2/coupon/unuse", "raw": raw}
        for raw in ("", "[]", "null", "1e999", '{"coupon_value": [1]}', '{"coupon_value": NaN}', "[" * 5000)
    ]
    + [{"list": name, "by": by} for name in ("%00", "%FF", "%2F", "9" * 5000, "*?[") for by in ("id", "email", "")],
    "chargeover": [
        {"coupon": name, "method": method}
        for name in ("", "%00", "%FF", "%2F", "0x" + "f" * 5000, "9" * 5000, "%D9%A1" * 5000, "-1", "1.5", "1/2/3")
        for method in ("GET", "PUT", "HEAD")
    ],
    "shoplazza": [
        {"ask": "POST /openapi/2022-01/coupons/receive", "raw": raw}
        for raw in ("", "[]", "null", "1e999", '{"coupon_ids": {}}', '{"coupon_ids": [[], NaN]}', "[" * 5000)
    ]
    + [{"receive": ["*", "[", "%", "0"], "by": name} for name in ("0", "'", "\U0001f389", "9" * 5000)],
}
"""What no careful client sends."""
DAMAGE: list[dict[str, Any]] = [
    {"kind": "malformed"},
    {"kind": "drop", "stage": "before"},
    {"kind": "drop", "stage": "after"},
    {"kind": "truncate"},
    {"kind": "truncate", "after": 1000000},
]
"""Fault rules after which a body is no JSON, or none at all."""
UNKNOWN: dict[str, dict[str, Any]] = {
    "crowdtwist": {"ask": "POST /v2/coupon/unuse", "body": {"coupon_value": "JDSI2JE", "odd": 1}},
    "chargeover": {"coupon": 1, "body": {"odd": 1}},
    "shoplazza": {"ask": "POST /openapi/2022-01/coupons/receive", "body": {"odd": 1}},
}
"""What strict mode refuses."""
UNREPEATABLE = {"date", "request-id"}
"""Headers that differ each time, but for their lengths; all that begins with X-Mock is not the vendor's."""

MEASURED: dict[tuple[str, str], tuple[str, dict[str, str], bytes | None]] = {
    ("crowdtwist", "list-measured-in-characters"): ("/v2/users/1007/usable_coupons?api_key=QWERTY", {}, None),
    ("shoplazza", "items-measured-in-characters"): (
        "/openapi/2022-01/coupons/receive",
        {"Access-Token": "sunny-token", "Content-Type": "application/json"},
        b'{"customer_id": "5001", "coupon_ids": ["202314454241654721"]}',
    ),
}
"""Answers that hold characters beyond ASCII."""

Answer = tuple[int, tuple[tuple[str, str], ...], bytes]

named = pytest.mark.parametrize("defect", [defect for _, defect in ADVERSARY], ids=lambda defect: defect.id)


@cache
def vendor_named(slug: str) -> Vendor:
    """Return a vendor, whose document is compiled once for all mocks."""
    return load_vendor(document(slug))


@dataclass(frozen=True)
class Client:
    """Asks a mock about one namespace, in the words of `defects.yaml`."""

    mock: Assembly
    vendor: str
    namespace: str
    app: Flask

    def admin(self, method: str, path: str, value: Any = None) -> Any:
        """Ask the admin interface."""
        answer = self.app.test_client().open(
            f"/__admin{path}", method=method, json=value, headers={"X-Mock-Namespace": self.namespace}
        )
        assert answer.status_code < 300, answer.text
        return answer.json

    def answers(self, steps: list[dict[str, Any]]) -> list[Any]:
        """Take steps in a world that is as at its beginning, and return what came back."""
        self.admin("POST", "/snapshots/beginning/restore")
        return [self._taken(step) for step in steps for _ in range(step.get("times", 1))]

    def _taken(self, step: dict[str, Any]) -> Any:
        if "advance" in step:
            return self.admin("POST", "/clock/advance", {"by": step["advance"]})
        if "put" in step:
            wanted = {name: step[name] for name in ("state", "members") if name in step}
            return self.admin("PUT", f"/state/{self.vendor}/{step['put']}", wanted)
        together = step.get("race") or step.get("abreast")
        if together is None:
            return self._asked(step)
        start = Barrier(len(together))
        with ThreadPoolExecutor(len(together)) as pool:
            answers = list(pool.map(lambda one: self._asked(one, start), together))
        return sorted(answers) if "race" in step else answers

    def _asked(self, step: dict[str, Any], start: Barrier | None = None) -> Answer:
        method, target, credential, body = getattr(self, f"_{self.vendor}")(step)
        content = step.get("raw", "" if body is None else json.dumps(body)).encode() * step.get("repeat", 1)
        content = b" " * step.get("blanks", 0) + content
        headers = {"X-Mock-Namespace": self.namespace, **credential, **step.get("headers", {})}
        if content:
            headers["Content-Type"] = step.get("type", "application/json")
        if start:
            start.wait(ANSWER_SECONDS)
        answer = self.app.test_client(use_cookies=False).open(
            target,
            method=step.get("method", method),
            data=content,
            headers=headers,
            # The client would make question marks of bytes that are not UTF-8.
            environ_overrides={"PATH_INFO": unquote_to_bytes(target.partition("?")[0]).decode("latin-1")},
        )
        told = sorted(
            (name, str(len(value)) if name.lower() in UNREPEATABLE else value)
            for name, value in answer.headers
            if not name.startswith("X-Mock")
        )
        if step.get("only") == "length":
            return answer.status_code, (), str(len(json.loads(answer.data))).encode()
        return answer.status_code, tuple(told), answer.data

    def _crowdtwist(self, step: dict[str, Any]) -> tuple[str, str, dict[str, str], Any]:
        key = step.get("key", "QWERTY")
        query = f"?api_key={key}" if key else ""
        if "unuse" in step:
            return "POST", f"/v2/coupon/unuse{query}", {}, self._filled({"coupon_value": step["unuse"]})
        if "list" in step:
            by = f"{'&' if query else '?'}id_type={step['by']}" if "by" in step else ""
            return "GET", f"/v2/users/{step['list']}/usable_coupons{query}{by}", {}, None
        method, _, target = step["ask"].partition(" ")
        return method, target + query, {}, self._filled(step.get("body"))

    def _chargeover(self, step: dict[str, Any]) -> tuple[str, str, dict[str, str], Any]:
        pair = step.get("pair", "acme-public:acme-private")
        credential = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"} if pair else {}
        return "GET", step.get("path") or f"/api/v3/coupon/{step['coupon']}", credential, step.get("body")

    def _shoplazza(self, step: dict[str, Any]) -> tuple[str, str, dict[str, str], Any]:
        token = step.get("token", "sunny-token")
        credential = {"Access-Token": token} if token else {}
        if "ask" in step:
            method, _, target = step["ask"].partition(" ")
            return method, target, credential, self._filled(step.get("body"))
        ids = [self._seeded().get(f"coupon.{one}", {}).get("id", one) for one in step["receive"]]
        body = {"customer_id": step.get("by", "5001"), "coupon_ids": ids}
        return "POST", "/openapi/2022-01/coupons/receive", credential, body

    def _filled(self, value: Any) -> Any:
        seeded = self._seeded()
        text = VALUE.sub(lambda match: str(seeded[match[1]][match[2]]), json.dumps(value))
        return json.loads(text)

    def _seeded(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.mock.worlds["demo"].packs[self.vendor].bindings(0)
        return found


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Assembly]]:
    """Make a mock without defects of each vendor; a defective one shares its store, so that times are the same."""
    store = f"sqlite:///{tmp_path_factory.mktemp('defects') / 'state.db'}"
    mocks = {vendor: assemble(Settings(store, (vendor,), log_format="none", journal=False)) for vendor in VENDORS}
    yield mocks
    for mock in mocks.values():
        mock.store.close()


@pytest.mark.parametrize(("registry", "defect"), ADVERSARY, ids=[defect.id for _, defect in ADVERSARY])
def test_a_client_can_tell_a_defective_mock_from_the_right_one(
    right: dict[str, Assembly], registry: str, defect: Defect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same requests get the same answers from the right mock each time, and another from the defective one."""
    steps = STEPS[registry][defect.vendor][defect.name]
    mock = right[defect.vendor]
    client = Client(mock, defect.vendor, f"test-{uuid4().hex}", create_app(mock))
    client.admin("POST", "/namespaces", {"name": client.namespace})
    client.admin("POST", "/clock/freeze")
    client.admin("PUT", "/snapshots/beginning")
    expected = client.answers(steps)
    assert client.answers(steps) == expected
    # Requests at once meet even on a busy machine.
    monkeypatch.setattr(crowd, "WINDOW_SECONDS", ANSWER_SECONDS)
    handler = _handler(Pipeline(vendor_named(defect.vendor), mock.store, mock.default_pack), [defect])
    wrong = replace(mock, handlers={defect.vendor: handler})
    assert Client(wrong, defect.vendor, client.namespace, create_app(wrong)).answers(steps) != expected


def sampled(vendor: str) -> Iterator[Defect]:
    """Yield a fair sample of a vendor's defects."""
    return (defect for defect in defects_of(vendor).values() if is_sampled(defect.id, 3))


def defective(mock: Assembly, defect: Defect) -> Client:
    """Return a client of a mock that is like another but for a defect, in a world of its own at its beginning."""
    handler = _handler(Pipeline(vendor_named(defect.vendor), mock.store, mock.default_pack), [defect])
    wrong = replace(mock, handlers={defect.vendor: handler})
    client = Client(wrong, defect.vendor, f"test-{uuid4().hex}", create_app(wrong))
    client.admin("POST", "/namespaces", {"name": client.namespace})
    client.admin("PUT", "/snapshots/beginning")
    return client


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_defect_makes_a_vendor_wrong_and_never_the_mock(
    right: dict[str, Assembly], vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of a defective mock, the answer is the vendor's: a failure of the mock proves nothing."""
    monkeypatch.setattr(crowd, "WINDOW_SECONDS", 0)
    failures = []
    for defect in sampled(vendor):
        client = defective(right[vendor], defect)
        answers = client.answers([*GOOD[vendor], *ODD[vendor]])
        failures += [defect.id for _, headers, _ in answers if "problem" in dict(headers)["Content-Type"]]
    assert not failures


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
def test_fault_rules_and_defects_together_never_make_the_mock_fail(
    right: dict[str, Assembly], vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a rule does to an answer on its way is done last: a defect finds the vendor's answer, or is left out."""
    monkeypatch.setattr(crowd, "WINDOW_SECONDS", 0)
    failures = []
    for number, defect in enumerate(sampled(vendor)):
        client = defective(right[vendor], defect)
        rule = DAMAGE[number % len(DAMAGE)]
        client.admin("POST", "/faults", rule)
        answers = client.answers(GOOD[vendor])
        failures += [(defect.id, rule) for _, told, _ in answers if "problem" in dict(told).get("Content-Type", "")]
    assert not failures


@pytest.mark.slow
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_defect_leaves_a_refusal_of_strict_mode_alone(
    right: dict[str, Assembly], vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the mock's own answer and not the vendor's."""
    monkeypatch.setattr(crowd, "WINDOW_SECONDS", 0)
    mock = right[vendor]
    client = Client(mock, vendor, f"test-{uuid4().hex}", create_app(mock))
    client.admin("POST", "/namespaces", {"name": client.namespace, "strict": "refuse"})
    client.admin("PUT", "/snapshots/beginning")
    [refused] = client.answers([UNKNOWN[vendor]])
    assert b"urn:couponmock:strict" in refused[2]
    changed = []
    for defect in sampled(vendor):
        handler = _handler(Pipeline(vendor_named(vendor), mock.store, mock.default_pack), [defect])
        wrong = replace(mock, handlers={vendor: handler})
        if Client(wrong, vendor, client.namespace, create_app(wrong)).answers([UNKNOWN[vendor]]) != [refused]:
            changed.append(defect.id)
    assert not changed


@named
def test_a_defect_of_the_adversary_breaks_a_rule_that_is_written(defect: Defect) -> None:
    """It has a class, and what it breaks is a recorded quotation of its vendor or a rule of HTTP, URIs or JSON."""
    assert defect.of in CLASSES
    source, words = defect.breaks
    assert words
    assert source.partition(",")[0] in RULES or document(defect.vendor).sources.has(source, words)


@named
def test_a_defect_of_the_adversary_says_in_a_sentence_what_a_client_would_notice(defect: Defect) -> None:
    """Its text is a sentence, and it does something."""
    assert defect.text.endswith(".")
    assert defect.behaviours or defect.handler


def test_the_table_of_this_test_has_each_defect_once() -> None:
    """No defect is without steps, and no steps are without a defect."""
    for registry, steps in STEPS.items():
        for vendor in VENDORS:
            assert list(steps[vendor]) == [defect.name for defect in defects_of(vendor, registry).values()]


def test_every_third_defect_of_a_vendor_is_held_out() -> None:
    """A third is kept aside, spread over the classes as the whole is."""
    for vendor in VENDORS:
        held_out = [defect.held_out for defect in defects_of(vendor, "adversary").values()]
        assert held_out == [place % 3 == 2 for place in range(len(held_out))]


def test_chance_decides_which_defects_of_the_second_adversary_are_held_out() -> None:
    """A digest of the id does, so that nobody chooses; it takes about a third."""
    defects = [defect for vendor in VENDORS for defect in defects_of(vendor, "second").values()]
    for defect in defects:
        assert defect.held_out == (int(sha256(defect.id.encode()).hexdigest(), 16) % 3 == 0)
    assert 0.25 < sum(defect.held_out for defect in defects) / len(defects) < 0.42


def test_the_second_adversary_has_defects_of_every_class_and_most_are_hard() -> None:
    """At least a dozen of the classes that a suite is most easily fooled in, and half a dozen of the others."""
    defects = [defect for vendor in VENDORS for defect in defects_of(vendor, "second").values()]
    classes = Counter(defect.of for defect in defects)
    dozens = {"concurrency", "credentials", "robustness", "state", "limits", "isolation"}
    assert [name for name in CLASSES if classes[name] < (12 if name in dozens else 6)] == []
    assert sum(defect.hard for defect in defects) * 2 >= len(defects) >= 120


def test_the_third_adversary_has_defects_of_every_class_and_half_of_them_are_held_out() -> None:
    """They measure the suite, and nobody writes it by them; every third at most is easily seen."""
    defects = [defect for vendor in VENDORS for defect in defects_of(vendor, "third").values()]
    assert len(defects) == 60
    assert sum(defect.held_out for defect in defects) >= 30
    assert {defect.of for defect in defects} == set(CLASSES)
    assert sum(not defect.hard for defect in defects) <= 20


def test_the_fourth_adversary_has_hard_defects_of_every_class_and_half_of_them_are_held_out() -> None:
    """Nobody has to be told of a defect that is easily seen: three registries are full of those."""
    defects = [defect for vendor in VENDORS for defect in defects_of(vendor, "fourth").values()]
    assert len(defects) == 48
    assert sum(defect.held_out for defect in defects) >= 24
    assert {defect.of for defect in defects} == set(CLASSES)
    assert all(defect.hard for defect in defects)


def test_no_two_defects_of_a_vendor_share_a_name() -> None:
    """A defect of one registry does not hide one of another."""
    for vendor in VENDORS:
        assert len(defects_of(vendor)) == sum(len(defects_of(vendor, registry)) for registry in REGISTRIES)


def test_the_simple_defects_only_prove_requirements() -> None:
    """They have no class, and none is held out."""
    for vendor in VENDORS:
        assert not [defect.id for defect in defects_of(vendor, "proofs").values() if defect.of or defect.held_out]


def test_the_command_lists_all_defects_and_tells_the_class_of_the_adversarys(tmp_path: Path) -> None:
    """A simple one is shown as ever, the adversary's with its class, and whether it is hard to see and held out."""
    listed = couponmock(tmp_path, "defects").stdout.splitlines()
    assert len(listed) == sum(len(defects_of(vendor)) for vendor in VENDORS)
    assert "crowdtwist.list-cut: A list ends after twenty coupons." in listed
    assert "crowdtwist.not-issued-conflicts (status, held out): not_issued has the status 409." in listed
    assert "chargeover.hexadecimal-ids (robustness, hard, held out): An id is read as hexadecimal behind 0x." in listed


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (("--registry", "proofs"), lambda name, _: name == "proofs"),
        (("--registry", "adversary"), lambda name, _: name == "adversary"),
        (("--registry", "second"), lambda name, _: name == "second"),
        (("--registry", "third"), lambda name, _: name == "third"),
        (("--registry", "fourth"), lambda name, _: name == "fourth"),
        (("--held-out",), lambda _, defect: defect.held_out),
        (("--registry", "adversary", "--no-held-out"), lambda name, each: name == "adversary" and not each.held_out),
    ],
)
def test_the_command_lists_a_part_of_the_defects(
    tmp_path: Path, flags: tuple[str, ...], wanted: Callable[[str, Defect], bool]
) -> None:
    """The flags choose a registry, and what is held out or is not."""
    listed = couponmock(tmp_path, "defects", *flags).stdout.splitlines()
    found = [
        defect.id
        for vendor in VENDORS
        for registry in REGISTRIES
        for defect in defects_of(vendor, registry).values()
        if wanted(registry, defect)
    ]
    assert [re.split("[ :]", line)[0] for line in listed] == found


def test_a_defect_of_the_adversary_is_served(tmp_path: Path) -> None:
    """`serve --defect` takes its name, beside one that proves a requirement."""
    flags = ("--defect", "crowdtwist.one-is-no-list", "--defect", "crowdtwist.no-expiry-is-zero")
    with serving(tmp_path, "--vendor", "crowdtwist", "--log-format", "none", *flags) as mock:
        assert isinstance(list_of(mock, "1002"), dict)
        assert 0 in [row["date_to_expire"] for row in list_of(mock, "1001")]


def list_of(mock: Mock, member: str) -> Any:
    """Ask for the coupons of a member."""
    return mock.send("GET", f"/v2/users/{member}/usable_coupons?api_key=QWERTY").json


@pytest.mark.parametrize("defect", [f"{vendor}.{name}" for vendor, name in MEASURED], ids=str)
def test_an_answer_that_is_measured_in_characters_still_ends(tmp_path: Path, defect: str) -> None:
    """A client gets as many bytes as were promised, which is no JSON."""
    vendor, _, _ = defect.partition(".")
    target, headers, body = MEASURED[vendor, defect.partition(".")[2]]
    with serving(tmp_path, "--vendor", vendor, "--log-format", "none", "--defect", defect) as mock:
        answer = mock.send("POST" if body else "GET", target, headers, body)
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)
