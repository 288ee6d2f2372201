"""The implementation under test: where it is, what its data is, and what may be done to it."""

import os
import random
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from couponspec import yamlfile
from couponspec.request import Bindings
from couponspec.version import version

from couponcheck.catalogue import UNKNOWN, catalogued
from couponcheck.exchange import Client, TargetUnreachable, open_session, reason

TIMEOUT = 10.0
PACK = "demo"
"""The mock's pack whose handles the catalogues name."""


class UnusableTarget(Exception):
    """The target, or what was said of it, cannot be used; the message is one sentence with the way out."""


@dataclass
class Target:
    """One vendor's side of an implementation, ready to be asked."""

    vendor: str
    client: Client
    bindings: Bindings
    """Handle -> members; what the target's data really is."""
    may_write: bool
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret value -> what stands for it in reports."""

    def prepare(self) -> None:
        """Bring the target's data into the state that the bindings describe, where that is possible."""

    def close(self) -> None:
        """Leave the target as it was found, where that is possible."""
        self.client.session.close()


@dataclass
class MockTarget(Target):
    """Our own mock, in a namespace of its own."""

    admin: "MockAdmin" = field(kw_only=True)
    namespace: str = field(kw_only=True)
    seed: int = field(kw_only=True)
    epoch: int = field(kw_only=True)
    """Unix seconds from which the times in the bindings count."""

    def prepare(self) -> None:
        """Reset the namespace, and learn its bindings anew if the moment they count from has changed."""
        if self.admin.reset(self.namespace) != self.epoch:
            self.epoch, seeded = self.admin.bindings(self.namespace)
            self.bindings = {**seeded[self.vendor], **unknown_values(self.seed)}

    def close(self) -> None:
        """Drop the namespace."""
        with suppress(TargetUnreachable):  # a mock that has gone has taken its namespaces along
            self.admin.drop(self.namespace)
        self.admin.close()
        super().close()


class MockAdmin:
    """The part of the mock's admin interface that the suite needs."""

    def __init__(self, base_url: str) -> None:
        """Talk to the admin interface of the server at a base URL."""
        self.base_url = base_url.rstrip("/")
        self._session = open_session(self.base_url)

    def about(self) -> dict[str, Any] | None:
        """Return what the server says of itself; None if it is not our mock.

        Raises:
            TargetUnreachable: nobody answers.
        """
        response = self._send("GET", "/version")
        try:
            raw = response.json()
        except ValueError:
            return None
        is_mock = (
            response.status_code == requests.codes.ok and isinstance(raw, dict) and raw.get("name") == "couponmock"
        )
        return raw if is_mock else None

    def create(self, namespace: str) -> None:
        """Make a namespace.

        Raises:
            UnusableTarget: the mock refuses.
        """
        response = self._send("POST", "/namespaces", {"name": namespace, "pack": PACK})
        if response.status_code != requests.codes.created:
            raise UnusableTarget(f"the mock makes no namespace with the pack {PACK!r}: {response.text.strip()}")

    def reset(self, namespace: str) -> int:
        """Bring a namespace back to its pack and return the moment that its times count from now, in Unix seconds.

        Raises:
            UnusableTarget: the mock refuses.
        """
        epoch: int = self._told("POST", "/reset", {"namespace": namespace})["epoch"]
        return epoch

    def drop(self, namespace: str) -> None:
        """Drop a namespace."""
        self._send("DELETE", f"/namespaces/{namespace}")

    def bindings(self, namespace: str) -> tuple[int, dict[str, Bindings]]:
        """Return the moment that a namespace's times count from, and vendor -> handle -> members.

        Raises:
            UnusableTarget: the mock refuses.
        """
        told = self._told("GET", f"/namespaces/{namespace}/bindings")
        return told["epoch"], told["bindings"]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _told(self, method: str, path: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
        response = self._send(method, path, body)
        if response.status_code != requests.codes.ok:
            raise UnusableTarget(f"the mock refuses {method} {path}: {response.text.strip()}")
        told: dict[str, Any] = response.json()
        return told

    def _send(self, method: str, path: str, body: Mapping[str, str] | None = None) -> requests.Response:
        url = f"{self.base_url}/__admin{path}"
        try:
            return self._session.request(method, url, json=body, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise TargetUnreachable(reason(error, self.base_url, TIMEOUT)) from error


def open_target(
    url: str, vendor: str, seed: int, given: "GivenBindings | None" = None, *, allow_writes: bool = False
) -> Target:
    """Find out what is at a URL and get ready to ask it as one vendor.

    Args:
        url: Base URL of the implementation.
        vendor: Whose promises it is held to.
        seed: Makes the made-up values repeatable.
        given: The operator's test data, for a server that is not our mock.
        allow_writes: Whether requests that change state may be sent to such a server.

    Raises:
        UnusableTarget: the URL or the data cannot be used.
        TargetUnreachable: nobody answers.
    """
    agent = f"couponcheck/{version()}"
    if given is None:
        with ExitStack() as undo:
            admin = undo.enter_context(closing(MockAdmin(url)))
            if (about := admin.about()) is not None:
                target = _mock_target(admin, about, vendor, agent, seed)
                undo.pop_all()
                return target
    bindings = {**(given.bindings.get(vendor, {}) if given else {}), **unknown_values(seed)}
    masked = given.secrets if given else {}
    return Target(vendor, Client(url, TIMEOUT, agent), bindings, may_write=allow_writes, secrets=masked)


def _mock_target(admin: MockAdmin, about: Mapping[str, Any], vendor: str, agent: str, seed: int) -> MockTarget:
    if vendor not in about["vendors"]:
        known = ", ".join(about["vendors"])
        raise UnusableTarget(f"the mock at {admin.base_url} does not act as {vendor}; it acts as {known}")
    namespace = f"couponcheck-{vendor}-{secrets.token_hex(6)}"
    admin.create(namespace)
    epoch, seeded = admin.bindings(namespace)
    return MockTarget(
        vendor,
        Client(f"{admin.base_url}/~{namespace}", TIMEOUT, agent),
        {**seeded[vendor], **unknown_values(seed)},
        may_write=True,
        admin=admin,
        namespace=namespace,
        seed=seed,
        epoch=epoch,
    )


def unknown_values(seed: int) -> dict[str, dict[str, Any]]:
    """Make up values that nothing has: a text and a number, the same for the same seed."""
    number = random.Random(seed).randrange(700_000_000, 800_000_000)  # noqa: S311 - repeatable on purpose
    return {UNKNOWN: {"text": f"couponcheck-{number}", "number": number}}


@dataclass(frozen=True, slots=True)
class GivenBindings:
    """Test data that the operator of a target supplies."""

    bindings: Mapping[str, Bindings]
    secrets: Mapping[str, str]


def read_bindings(file: Path) -> GivenBindings:
    """Read vendor -> handle -> members from a YAML file; a secret is given as ``$NAME`` of an environment variable.

    Raises:
        FaultyFile: the file is not YAML.
        UnusableTarget: the file has another shape, or a variable is not set.
    """
    raw = yamlfile.load(file).value
    vendors = raw.values() if isinstance(raw, dict) else [None]
    if not all(
        isinstance(handles, dict) and all(isinstance(item, dict) for item in handles.values()) for handles in vendors
    ):
        raise UnusableTarget(
            f"{file}: give vendor, handle and members, such as crowdtwist: {{coupon.used: {{code: X}}}}"
        )
    if unknown := sorted(set(raw) - set(catalogued())):
        raise UnusableTarget(f"{file}: there is no vendor {unknown[0]!r}; there are {', '.join(catalogued())}")
    masks: dict[str, str] = {}
    for handles in raw.values():
        for entity in handles.values():
            secret = entity.get("secret")
            if isinstance(secret, str) and secret.startswith("$"):
                value = os.environ.get(secret[1:])
                if not value:
                    raise UnusableTarget(f"{file}: the environment variable {secret[1:]} is not set")
                entity["secret"] = value
                masks[value] = secret
    return GivenBindings(raw, masks)
