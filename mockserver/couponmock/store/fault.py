"""What can go wrong in the store, one class for each thing a caller may do about it."""


class StoreFault(Exception):
    """The file or the database server fails us; the message is one sentence for the person running the mock.

    Never carries a password: neither the message nor a chained exception that is shown with it.
    """


class NoSuchNamespace(LookupError):
    """No namespace has this name."""

    def __init__(self, name: str) -> None:
        """Name the missing namespace."""
        super().__init__(f"There is no namespace {name!r}.")


class NoSuchPack(LookupError):
    """No pack with this id is installed."""

    def __init__(self, pack: str) -> None:
        """Name the missing pack."""
        super().__init__(f"There is no pack {pack!r}.")


class NoSuchSnapshot(LookupError):
    """A namespace has no snapshot with this label."""

    def __init__(self, name: str, label: str) -> None:
        """Name the namespace and the missing label."""
        super().__init__(f"The namespace {name!r} has no snapshot {label!r}.")


class NamespaceExists(Exception):
    """A namespace with this name exists already."""

    def __init__(self, name: str) -> None:
        """Name the namespace that is in the way."""
        super().__init__(f"There already is a namespace {name!r}.")


class DuplicateRow(Exception):
    """A bulk load holds the same key twice; the store says so in the words of its caller."""
