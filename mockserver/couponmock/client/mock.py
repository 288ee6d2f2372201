"""A mock beside a test: started, used, stopped."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit
from uuid import uuid4

from couponmock.client.admin import Admin, AdminError
from couponmock.client.clock import Moment, moment
from couponmock.client.namespace import Namespace, Strict
from couponmock.client.process import MockNotStarted, own_process

_DEFAULT = "default"


class _Nowhere(Admin):
    """Stands for the server before there is one, and after."""

    def __init__(self) -> None:
        """There is nothing to know."""

    @property
    def url(self) -> str:  # type: ignore[override]  # whoever reads it learns what to do
        self._refuse()

    def ask(self, method: str, *path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> NoReturn:  # noqa: ARG002 - nobody listens
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise MockNotStarted("this mock does not run; use it in a block: with couponmock.Mock() as mock: ...")


class Mock(Namespace):
    """A running mock of the vendors, and its namespace `default`.

    ::

        with Mock() as mock:
            shop = Shop(base_url=mock.base_url("crowdtwist"))
            shop.give_back("JDSI2JE")
            mock.verify("unuseCoupon", count=1)

    Args:
        pack: Name of the seeded world, or the path of its file; several are laid over one another, the uppermost last.
            `demo` if left out.
        vendors: Whom to act out; all if empty.
        readings: How to understand what the vendors' pages leave open: id -> option.
        strict: What happens to requests with members or parameters that no document knows.
        journal: Whether to keep what was asked.
        in_thread: Run in a thread of this process instead of one of its own: it starts several times as fast, and is
            for a single test's clients rather than for hundreds.
        url: Use the server that runs there; it is neither started nor stopped.

    Raises:
        ValueError: `url` is no URL, or comes with what only a server that is started here can be told.
    """

    def __init__(
        self,
        *,
        pack: str | Path | Sequence[str | Path] = (),
        vendors: Sequence[str] = (),
        readings: Mapping[str, str] | None = None,
        strict: Strict | None = None,
        journal: bool = True,
        in_thread: bool = False,
        url: str | None = None,
    ) -> None:
        super().__init__(_DEFAULT, _Nowhere(), ())
        if url is not None:
            _check(url)
            if pack or vendors or readings or strict or in_thread or not journal:
                raise ValueError(
                    "a server that runs keeps what it was started with; leave all but url out, "
                    "and give pack, readings and strict to Mock.namespace"
                )
        if isinstance(vendors, str):
            raise ValueError(f"give vendors as a list: [{vendors!r}]")  # noqa: TRY004 - a text is a sequence too
        self._given_url = url
        self._layers = tuple(str(layer) for layer in ([pack] if isinstance(pack, str | Path) else pack))
        self._acted = tuple(vendors)
        self._choices = dict(readings or {})
        self._strict = strict
        self._journal = journal
        self._in_thread = in_thread
        self._running: ExitStack | None = None

    def start(self) -> Self:
        """Start the server, or find the one at the URL; a block does that by itself.

        Raises:
            MockNotStarted: the server refuses what it is told, or nobody answers at the URL.
        """
        if self._running is not None:
            raise MockNotStarted("this mock runs already; make another one for a second server")
        with ExitStack() as stack:
            url = self._given_url or stack.enter_context(self._thread() if self._in_thread else self._process())
            admin = Admin(url.rstrip("/"))
            super().__init__(_DEFAULT, admin, _vendors(admin))
            self._running = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop the server, unless somebody else has started it. Harmless when repeated."""
        running, self._running = self._running, None
        super().__init__(_DEFAULT, _Nowhere(), ())
        if running is not None:
            running.close()

    def namespace(
        self,
        name: str | None = None,
        *,
        pack: str | None = None,
        clock: Moment | Mapping[str, Any] | None = None,
        readings: Mapping[str, str] | None = None,
        strict: Strict | None = None,
    ) -> Namespace:
        """Make a namespace: an isolated world; at the end of a block it is dropped.

        Args:
            name: 1 to 64 letters, digits, dots, underscores and hyphens; a new one if left out.
            pack: The seeded world it is made from; the server's if left out.
            clock: Its time; ``{"now": ..., "frozen": True}`` to let it stand still there.
            readings: How it understands what the vendors' pages leave open, where that is not the server's way.
            strict: What happens to requests with members or parameters that no document knows.

        Raises:
            AdminError: there is one of that name, or no such pack, reading or option.
        """
        time = clock if isinstance(clock, Mapping) or clock is None else {"now": clock}
        if time and "now" in time:
            time = {**time, "now": moment(time["now"])}
        wanted = {
            "name": name or f"python-{uuid4().hex}",
            "pack": pack,
            "clock": time,
            "readings": dict(readings) if readings else None,
            "strict": strict,
        }
        body = {member: value for member, value in wanted.items() if value is not None}
        made = self._admin.ask("POST", "namespaces", body=body)["name"]
        return Namespace(made, Admin(self._admin.origin, made), self.vendors)

    @property
    def namespaces(self) -> list[str]:
        """Return the names of all namespaces."""
        return [each["name"] for each in self._admin.ask("GET", "namespaces")["namespaces"]]

    def total_coverage(self) -> dict[str, Any]:
        """Return which documented answers were asked for in any namespace, dropped ones included."""
        coverage: dict[str, Any] = self._admin.ask("GET", "coverage", query={"format": "json", "namespace": "*"})
        return coverage

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return super().__repr__() if self._running is not None else "<Mock that does not run>"

    @contextmanager
    def _process(self) -> Iterator[str]:
        flags = [part for vendor in self._acted for part in ("--vendor", vendor)]
        flags += [part for id_, option in self._choices.items() for part in ("--reading", f"{id_}={option}")]
        flags += [part for layer in self._layers for part in ("--pack", layer)]
        flags += ["--strict", self._strict] if self._strict else []
        flags += [] if self._journal else ["--no-journal"]
        with own_process(*flags) as url:
            yield url

    @contextmanager
    def _thread(self) -> Iterator[str]:
        # The server's own modules are loaded only where the server runs.
        from couponspec import FaultyFile, locate

        from couponmock.store import StoreFault
        from couponmock.threaded import serving

        known = locate.vendors()
        for vendor in self._acted:
            if vendor not in known:
                raise MockNotStarted(f"there is no vendor {vendor!r}; there are {', '.join(known)}")
        acted = tuple(vendor for vendor in known if vendor in self._acted or not self._acted)
        readings = tuple(f"{id_}={option}" for id_, option in self._choices.items())
        choices = {"pack": self._layers, "strict": self._strict, "readings": readings, "journal": self._journal}
        given = {name: value for name, value in choices.items() if value not in {None, ()}}
        with ExitStack() as stack:
            try:
                url = stack.enter_context(serving(acted, given))
            except (FaultyFile, StoreFault, ValueError) as error:
                raise MockNotStarted(str(error)) from error
            yield url


def _check(url: str) -> None:
    """Refuse what cannot be the URL of a mock."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "/~" in parts.path:
        raise ValueError(f"{url!r} is no URL of a mock; give it as couponmock serve prints it, http://HOST:PORT")


def _vendors(admin: Admin) -> list[str]:
    """Return the vendors that a server acts out, and make sure that it is a couponmock."""
    try:
        about = admin.ask("GET", "version")
    except (AdminError, ConnectionError) as error:
        raise MockNotStarted(str(error)) from error
    if not isinstance(about, dict) or about.get("name") != "couponmock":
        raise MockNotStarted(f"what answers at {admin.origin} is no couponmock")
    vendors: list[str] = about["vendors"]
    return vendors
