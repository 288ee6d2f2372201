"""A namespace as a test sees it: an isolated world of the three vendors."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from couponmock.client.admin import Admin, AdminError
from couponmock.client.clock import Clock
from couponmock.client.faults import Fault, Times
from couponmock.client.journal import JournalEntry, VerificationFailed
from couponmock.client.readings import Readings
from couponmock.client.state import State

Strict = Literal["off", "warn", "refuse"]
"""What happens to requests with members or parameters that no document knows."""


class Namespace:
    """An isolated world: state, clock, faults, readings and journal of its own.

    As a context manager it is dropped at the end of the block.

    Attributes:
        name: Its name, which is in its URL too.
        clock: Its time, which every expiry follows.
        state: Its entities.
        readings: How it understands what the vendors' pages leave open.
    """

    def __init__(self, name: str, admin: Admin, vendors: Sequence[str]) -> None:
        """Take a namespace that is there; `Mock.namespace` makes one."""
        self.name = name
        self.vendors = tuple(vendors)
        """The vendors that the server acts out."""
        self._admin = admin
        self.clock = Clock(admin)
        self.state = State(admin)
        self.readings = Readings(admin)

    @property
    def url(self) -> str:
        """Return the URL before every path of this namespace, without a slash at its end."""
        return self._admin.url

    def base_url(self, vendor: str) -> str:
        """Return the URL that a client of this vendor is to use instead of the vendor's host.

        The vendor's paths begin after it, such as ``/v2/coupon/unuse``. It is the same for all vendors: their paths
        tell them apart.

        Raises:
            ValueError: the server does not act out such a vendor.
        """
        if vendor not in self.vendors:
            raise ValueError(f"there is no vendor {vendor!r}; there are {', '.join(self.vendors)}")
        return self.url

    def bindings(self, vendor: str) -> dict[str, dict[str, Any]]:
        """Return handle -> members of the seeded entities of a vendor, times as Unix seconds.

        They are as the pack seeds them; what has become of them `state` tells.

        Raises:
            ValueError: the server does not act out such a vendor.
        """
        self.base_url(vendor)
        found: dict[str, dict[str, Any]] = self._admin.ask("GET", "namespaces", self.name, "bindings")["bindings"][
            vendor
        ]
        return found

    def reset(self, *, settings: bool = False) -> None:
        """Bring state and clock back to the pack. Journal and snapshots stay.

        Args:
            settings: Whether faults, limits, readings and the strict mode go too. They stay otherwise, but faults count
                their requests from the first again, and what fills the limits is gone.
        """
        self._admin.ask("POST", "reset", body={"settings": True} if settings else None)

    def drop(self) -> None:
        """Drop the namespace with all that is in it. Harmless when it is gone already."""
        try:
            self._admin.ask("DELETE", "namespaces", self.name)
        except AdminError as error:
            if error.status != 404:
                raise

    # -- snapshots --------------------------------------------------------------------------------------------------

    @property
    def snapshots(self) -> list[str]:
        """Return the labels of the snapshots."""
        labels: list[str] = self._admin.ask("GET", "snapshots")["snapshots"]
        return labels

    def snapshot(self, label: str) -> None:
        """Keep state and time under a label; one that was kept under it before is replaced."""
        self._admin.ask("PUT", "snapshots", label)

    def restore(self, label: str) -> None:
        """Bring state and time of a snapshot back.

        Raises:
            AdminError: there is no such snapshot.
        """
        self._admin.ask("POST", "snapshots", label, "restore")

    def export(self) -> dict[str, Any]:
        """Return the namespace's state as a value that `import_` takes."""
        exported: dict[str, Any] = self._admin.ask("GET", "export")
        return exported

    def import_(self, exported: Mapping[str, Any]) -> None:
        """Bring in state that `export` has returned, here or in another mock.

        Raises:
            AdminError: it is no state that this server understands.
        """
        self._admin.ask("POST", "import", body=exported)

    # -- trouble ----------------------------------------------------------------------------------------------------

    def fault(
        self,
        operation: str | None = None,
        *,
        kind: str,
        times: Times | None = None,
        match: Mapping[str, Any] | None = None,
        stage: Literal["before", "after"] | None = None,
        **members: Any,
    ) -> Fault:
        """Let answers go wrong.

        Args:
            operation: operationId of the requests it is about; all if left out.
            kind: What goes wrong: ``problem``, ``status``, ``latency``, ``drip``, ``truncate``, ``malformed``,
                ``media-type`` or ``drop``.
            times: How often; always if left out.
            match: Members that the requests have, as in `verify`.
            stage: Whether the operation happens nevertheless: ``before``, it does not; ``after``, it does.
            members: What the kind further needs, such as ``status=503``.

        Returns:
            The fault, which can be removed again; as a context manager it is at the end of the block.

        Raises:
            AdminError: the rule cannot be understood.
        """
        optional = {
            "operation": operation,
            "times": {"first": times} if isinstance(times, int) else times,
            "match": match,
            "stage": stage,
        }
        rule = {"kind": kind, **{name: value for name, value in optional.items() if value is not None}, **members}
        return Fault(self._admin, self._admin.ask("POST", "faults", body=rule))

    @property
    def faults(self) -> list[Fault]:
        """Return the faults that are in force."""
        return [Fault(self._admin, rule) for rule in self._admin.ask("GET", "faults")["faults"]]

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._admin.ask("DELETE", "faults")

    def limit(self, vendor: str, size: float, leak: float) -> None:
        """Limit the requests to a vendor as by a leaky bucket.

        Args:
            vendor: Whose operations.
            size: Requests that the bucket holds.
            leak: Requests that leave it in a second.
        """
        self._admin.ask("PUT", "limits", body={vendor: {"size": size, "leak": leak}})

    @property
    def limits(self) -> dict[str, Any]:
        """Return vendor -> limit."""
        limits: dict[str, Any] = self._admin.ask("GET", "limits")["limits"]
        return limits

    def clear_limits(self) -> None:
        """Give every vendor the server's limit back, which is none unless it was started with one."""
        self._admin.ask("DELETE", "limits")

    def set_strict(self, mode: Strict | None) -> None:
        """Say what happens to requests with members or parameters that no document knows; None for the server's way."""
        self._admin.ask("PUT", "strict", body={"mode": mode})

    # -- the journal ------------------------------------------------------------------------------------------------

    def requests(self, **filters: Any) -> list[JournalEntry]:
        """Return what clients asked and got, oldest first, at most the newest 1000.

        Args:
            filters: Members that the entries have: ``method``, ``path``, ``vendor``, ``operation``, ``status``,
                ``example``, ``finding``, ``fault``, ``basis``, ``id``; and ``limit``, for the newest so many.
        """
        return [JournalEntry.read(each) for each in self._admin.ask("GET", "requests", query=filters)["requests"]]

    def clear_requests(self) -> None:
        """Forget what was asked."""
        self._admin.ask("DELETE", "requests")

    def verify(
        self,
        operation: str | None = None,
        *,
        count: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        match: Mapping[str, Any] | None = None,
    ) -> int:
        """Fail unless as many requests match as expected; at least one, if no number is given. Return how many do.

        Args:
            operation: operationId of the requests.
            count: Exactly so many.
            at_least: So many or more.
            at_most: So many or fewer.
            match: Members that they have; ``query`` and ``body`` match by the members given.

        Raises:
            VerificationFailed: too many or too few do.
            AdminError: there is no such operation or member.
        """
        __tracebackhide__ = True
        wanted = {"operationId": operation, "count": count, "atLeast": at_least, "atMost": at_most, "match": match}
        try:
            answer = self._admin.ask(
                "POST", "verify", body={name: value for name, value in wanted.items() if value is not None}
            )
        except AdminError as error:
            if error.status != 422:
                raise
            raise VerificationFailed(error.problem) from None
        return int(answer["count"])

    def coverage(self) -> dict[str, Any]:
        """Return which documented answers were asked for in this namespace, and which were not."""
        coverage: dict[str, Any] = self._admin.ask("GET", "coverage", query={"format": "json"})
        return coverage

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} at {self.url}>"
