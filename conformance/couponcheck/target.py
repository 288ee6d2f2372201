"""The implementation under test: where it is, what its data is, and what may be done to it."""

import json
import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from http.client import CREATED, OK
from typing import Any

from couponspec.request import Bindings
from couponspec.version import version

from couponcheck.catalogue import NOW, UNKNOWN, Companion, Requirement
from couponcheck.companion import stand_ins, ways
from couponcheck.environment import OpenedFile
from couponcheck.exchange import Client
from couponcheck.pool import Entities, Pools, missing
from couponcheck.provider import Provider, Supply
from couponcheck.targetfile import PACK, Consistency, VendorData, is_data, known
from couponcheck.transport import Access, Allowance, Answer, Line, TargetUnreachable, UnusableTarget

AGENT = f"couponcheck/{version()}"
_DAY = 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What may be done to a server that is not our mock, beside reading from it."""

    writes: bool = False
    """Whether its data may be changed."""
    concurrency: bool = False
    """Whether it may be sent requests at once."""
    generate: int | None = None
    """How many requests are made up for each requirement; if left out, none for such a server, and as many as the
    catalogue says for our mock."""
    production: tuple[str, ...] = ()
    """Hosts that all this is allowed for although they are marked as production."""


READ_ONLY = Permissions()


@dataclass
class Target:
    """One vendor's side of an implementation, ready to be asked."""

    vendor: str
    client: Client
    bindings: Bindings
    """Handle -> members; what the data is that requirements are now carried out with."""
    may_write: bool
    may_rush: bool = False
    """Whether requests may be sent at once."""
    generate: int | None = 0
    """How many requests are made up for each requirement that makes some up; None for as many as its entry says."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret value -> what stands for it in reports."""
    consistency: Consistency = field(default_factory=Consistency)
    unsupported: Mapping[str, str] = field(default_factory=dict)
    """Id of a requirement -> why the target is not meant to keep it."""
    supply: Supply | None = None
    """What a provider makes; None where there is none, or where it must not be asked."""
    ways: Mapping[str, Companion] = field(default_factory=dict)
    """Handle -> the companion operation that may be called to make an entity stand for it."""
    withheld: str = ""
    """What could make data and must not, and how that is changed; empty if there is nothing."""

    place: str = ""
    """Where a target file says where it is, as ``FILE:LINE``; empty without such a file."""
    companions: bool = False
    """Whether operations that only complete a life cycle may be called, such as the use of a coupon."""

    is_restored = False
    """Whether `prepare` brings the data back, so that nobody has to look whether it is as it should be."""

    def prepare(self) -> None:
        """Bring the target's data into the state that the bindings describe, where that is possible."""

    def lacking(self, requirement: Requirement) -> list[str]:
        """Return the handles and members that a requirement needs and the data has not."""
        return missing(requirement, self.bindings)

    def unpooled(self, requirement: Requirement) -> list[str]:
        """Return what of a requirement's needs only a provider could give."""
        return self.lacking(requirement)

    def provided(self, requirement: Requirement) -> Bindings | None:  # noqa: ARG002 - a target with a provider needs it
        """Return what a provider makes for a requirement; None if there is none, or nothing to be made.

        Raises:
            CannotProvide: the provider cannot make it.
            ProviderFailed: the provider did not do what it was asked.
        """
        return None

    def origins(self) -> dict[str, str]:
        """Return handle -> the handle for which the entity was given that stands for it now."""
        return {handle: handle for handle in self.bindings}

    def choices(self, requirement: Requirement) -> Iterator[Bindings]:  # noqa: ARG002 - a target with pools needs it
        """Yield what a requirement that nothing is lacking for can be carried out with."""
        yield self.bindings

    def spend(self, entities: Entities) -> None:
        """Remember entities that together cannot serve any more."""

    def take_back(self, entities: Entities) -> None:
        """Forget that entities were spent: they are again as they were."""

    def close(self) -> None:
        """Leave the target as it was found, where that is possible."""
        if self.supply is not None:
            self.supply.provider.close()
        self.client.close()


@dataclass
class GivenTarget(Target):
    """A stranger's server, with the data that its operator supplies."""

    pools: Pools = field(kw_only=True)

    def lacking(self, requirement: Requirement) -> list[str]:
        lacking = self.pools.lacking(requirement)
        return lacking if self.supply is None else [item for item in lacking if not is_data(item)]

    def provided(self, requirement: Requirement) -> Bindings | None:
        entities = self.supply.entities(requirement) if self.supply else {}
        return {**self.pools.always, **entities} if entities else None

    def origins(self) -> dict[str, str]:
        return self.pools.origins(self.bindings)

    def unpooled(self, requirement: Requirement) -> list[str]:
        return self.pools.lacking(requirement)

    def choices(self, requirement: Requirement) -> Iterator[Bindings]:
        return self.pools.choices(requirement)

    def spend(self, entities: Entities) -> None:
        self.pools.spend(entities)

    def take_back(self, entities: Entities) -> None:
        self.pools.take_back(entities)


@dataclass
class MockTarget(Target):
    """Our own mock, in a namespace of its own."""

    admin: "MockAdmin" = field(kw_only=True)
    namespace: str = field(kw_only=True)
    seed: int = field(kw_only=True)
    epoch: int = field(kw_only=True)
    """Unix seconds from which the times in the bindings count."""

    is_restored = True

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
        self._line = Line(self.base_url, Access())

    def about(self) -> dict[str, Any] | None:
        """Return what the server says of itself; None if it is not our mock.

        Raises:
            TargetUnreachable: nobody answers.
        """
        answer = self._send("GET", "/version")
        try:
            raw = json.loads(answer.content)
        except (ValueError, RecursionError):
            return None
        is_mock = answer.status == OK and isinstance(raw, dict) and raw.get("name") == "couponmock"
        return raw if is_mock else None

    def create(self, namespace: str) -> None:
        """Make a namespace.

        Raises:
            UnusableTarget: the mock refuses.
        """
        answer = self._send("POST", "/namespaces", {"name": namespace, "pack": PACK, "strict": "off"})
        if answer.status != CREATED:
            raise UnusableTarget(f"the mock makes no namespace with the pack {PACK!r}: {answer.text.strip()}")

    def unlimit(self, namespace: str, vendors: Iterable[str]) -> None:
        """Let a namespace be asked as fast as the suite likes, whatever the server's limits are.

        Raises:
            UnusableTarget: the mock refuses.
        """
        limits = {vendor: {"size": 1_000_000, "leak": 1_000_000} for vendor in vendors}
        self._told("PUT", "/limits", limits, namespace)

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
        self._line.close()

    def _told(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, namespace: str = ""
    ) -> dict[str, Any]:
        answer = self._send(method, path, body, namespace)
        if answer.status != OK:
            raise UnusableTarget(f"the mock refuses {method} {path}: {answer.text.strip()}")
        told: dict[str, Any] = json.loads(answer.content)
        return told

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, namespace: str = "") -> Answer:
        prefix = f"/~{namespace}" if namespace else ""
        return self._line.ask(method, f"{prefix}/__admin{path}", json=body)


def open_target(
    url: str,
    vendor: str,
    seed: int,
    permissions: Permissions = READ_ONLY,
    allowance: Allowance | None = None,
) -> Target:
    """Find out what is at a URL and get ready to ask it as one vendor; a stranger's server has no data then.

    Args:
        url: Base URL of the implementation.
        vendor: Whose promises it is held to.
        seed: Makes the made-up values repeatable.
        permissions: What may be done to it if it is a stranger's.
        allowance: How many requests may be sent to such a server, where others share it.

    Raises:
        UnusableTarget: the URL cannot be used.
        TargetUnreachable: nobody answers.
    """
    with ExitStack() as undo:
        admin = undo.enter_context(closing(MockAdmin(url)))
        if (about := admin.about()) is not None:
            target = _mock_target(admin, about, vendor, seed, permissions.generate)
            undo.pop_all()
            return target
    client = Client(url, AGENT, allowance=allowance)
    return Target(
        vendor,
        client,
        unknown_values(seed),
        may_write=permissions.writes,
        may_rush=permissions.concurrency,
        generate=permissions.generate or 0,
    )


def open_given(
    opened: OpenedFile,
    vendor: str,
    seed: int,
    permissions: Permissions,
    allowance: Allowance,
    *,
    spent: Iterable[Entities] = (),
    provider: Provider | None = None,
) -> GivenTarget:
    """Get ready to ask the server of a target file as one vendor.

    Args:
        opened: The file, with what the environment gave.
        vendor: Whose promises it is held to.
        seed: Makes the made-up values repeatable.
        permissions: What may be done to it.
        allowance: How many requests may be sent, by all vendors together.
        spent: What earlier runs used up of its data.
        provider: Who makes test data; asked only where writes are allowed.
    """
    data = opened.file.vendors[vendor]
    always = {**opened.bindings(vendor), **unknown_values(seed)}
    _, catalogue, pack = known(vendor)
    companions = data.companions and permissions.writes
    pools = Pools(data.sets, always, stand_ins(catalogue, pack) if companions else {})
    for entities in spent:
        pools.spend(entities)
    return GivenTarget(
        vendor,
        Client(opened.base_urls[vendor], AGENT, opened.access, allowance),
        always,
        may_write=permissions.writes,
        may_rush=permissions.concurrency,
        generate=permissions.generate or 0,
        secrets=opened.secrets,
        consistency=opened.file.consistency,
        unsupported=data.unsupported,
        supply=Supply(provider, vendor) if provider and permissions.writes else None,
        ways=ways(catalogue, pack) if companions else {},
        companions=companions,
        withheld=_withheld(data) if not permissions.writes else "",
        place=opened.file.place_of_url(vendor),
        pools=pools,
    )


def _withheld(data: VendorData) -> str:
    might = [*(["the provider"] if data.provider else []), *(["companions"] if data.companions else [])]
    return f"{' and '.join(might)} may make data with --allow-writes only" if might else ""


def _mock_target(
    admin: MockAdmin, about: Mapping[str, Any], vendor: str, seed: int, generate: int | None
) -> MockTarget:
    if vendor not in about["vendors"]:
        known = ", ".join(about["vendors"])
        raise UnusableTarget(f"the mock at {admin.base_url} does not act as {vendor}; it acts as {known}")
    namespace = f"couponcheck-{vendor}-{secrets.token_hex(6)}"
    admin.create(namespace)
    admin.unlimit(namespace, about["vendors"])
    epoch, seeded = admin.bindings(namespace)
    return MockTarget(
        vendor,
        Client(f"{admin.base_url}/~{namespace}", AGENT),
        {**seeded[vendor], **unknown_values(seed)},
        may_write=True,
        may_rush=True,
        companions=True,
        generate=generate,
        admin=admin,
        namespace=namespace,
        seed=seed,
        epoch=epoch,
    )


def unknown_values(seed: int) -> dict[str, dict[str, Any]]:
    """Make up values that nothing has, a text and a number, the same for the same seed; and tell the time.

    Yesterday is given in Unix seconds: what was over then is over by anybody's clock.
    """
    number = random.Random(seed).randrange(700_000_000, 800_000_000)  # noqa: S311 - repeatable on purpose
    return {UNKNOWN: {"text": f"couponcheck-{number}", "number": number}, NOW: {"yesterday": int(time.time()) - _DAY}}
