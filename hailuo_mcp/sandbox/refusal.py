"""A refused create or read, before a dialect has worded it."""

from __future__ import annotations

_FIRST_API_CODE = 1000
INVALID_PARAMS = 2013
RESET = 0
"""No code at all: the connection is reset instead of answered."""
RATE_LIMIT = 1002
TIMEOUT = 1001
SENSITIVE_INPUT = 1026
SENSITIVE_OUTPUT = 1027

# The official wording where a page or a live sample shows it, else ours (facts 1.2, facts 1.8).
MESSAGES = {
    1000: "unknown error",
    1001: "request timeout",
    1002: "rate limit exceeded(RPM)",
    1004: "login fail: Please carry the API secret key in the 'Authorization' field"
    " of the request header",
    1008: "insufficient balance",
    1013: "internal service error",
    1024: "internal error",
    1026: "input new_sensitive",
    1027: "output new_sensitive",
    1028: "Daily quota exhausted",
    1030: "quota exhausted",
    1033: "system error, downstream service",
    1039: "token limit exceeded(TPM)",
    1041: "connection limit exceeded",
    1042: "invisible character ratio limit",
    2013: "invalid params",
    2045: "rate growth limit exceeded",
    2049: "invalid api key",
    2056: "usage limit exceeded",
    2061: "your current token plan not support model",
}

# Statuses that Python's http module has no words for.
_EDGE_WORDS = {529: "overloaded"}

# How a gateway with HTTP statuses of its own passes the API's codes on.
_STATUS_OF_CODE = {
    **dict.fromkeys((1002, 1039, 1041, 2045), 429),
    **dict.fromkeys((1004, 2049), 401),
    **dict.fromkeys((1008, 1028, 1030, 2056), 402),
    **dict.fromkeys((1026, 1042, 2013, 2061), 400),
}

RATE_CODES = frozenset({1002, 1039, 1041, 2045, 429})


class Refusal(Exception):  # noqa: N818  # it is an answer, not an error of ours
    """Codes from 1000 up are `base_resp` codes; those below are HTTP statuses of an edge."""

    def __init__(self, code: int, message: str = "", *, note: str = "") -> None:
        """Keep the code; the message defaults to the provider's own."""
        super().__init__(code, message)
        self.code = code
        # What is quoted from a request may hold half a character, which no answer could carry.
        self.message = (
            (message or MESSAGES.get(code) or _EDGE_WORDS.get(code, ""))
            .encode("utf-8", "replace")
            .decode()
        )
        self.note = note

    @property
    def is_http(self) -> bool:
        """Tell whether an edge refused, before the API was reached."""
        return self.code < _FIRST_API_CODE

    @property
    def http_status(self) -> int:
        """Return the status of a gateway that answers with HTTP statuses instead of codes."""
        return self.code if self.is_http else _STATUS_OF_CODE.get(self.code, 500)


def invalid(reason: str) -> Refusal:
    """Return the refusal for a request that the documents forbid."""
    return Refusal(INVALID_PARAMS, f"invalid params, {reason}")


class Unknown(Refusal):
    """A task or file that does not exist, or is another key's, which must look the same."""

    def __init__(self, what: str) -> None:
        """Name what was looked for; the code is undocumented (facts 13.1), 2013 is plausible."""
        super().__init__(INVALID_PARAMS, f"invalid params, {what} not found")

    @property
    def http_status(self) -> int:
        """Return 404."""
        return 404
