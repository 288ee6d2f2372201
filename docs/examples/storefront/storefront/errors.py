"""What can go wrong with a vendor, by what the caller can do about it."""


class VendorError(Exception):
    """A vendor has refused a request, or could not be reached.

    Attributes:
        status: HTTP status; None if there was no answer that could be read.
        identifier: The vendor's own short name of the error, where it has one.
    """

    def __init__(self, message: str, status: int | None = None, identifier: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.identifier = identifier


class InvalidRequest(VendorError):
    """The request was wrong: mend it."""


class Unauthorized(VendorError):
    """The credential was wrong, or not enough: check the configuration."""


class NotFound(VendorError):
    """There is no such thing, or it is in another state: tell the customer."""


class Unavailable(VendorError):
    """The vendor cannot answer now: try again later."""


def error_for(status: int, message: str, identifier: str = "") -> VendorError:
    """Return the error that fits a status."""
    kind = {401: Unauthorized, 403: Unauthorized, 404: NotFound, 429: Unavailable}.get(
        status, Unavailable if status >= 500 else InvalidRequest
    )
    return kind(message, status, identifier)
