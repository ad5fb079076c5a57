"""What is asked in each format to be refused, and the codes of the refusal."""

from __future__ import annotations

from collections.abc import Mapping

UNKNOWN_ID = "100000000000000001"
"""An id of the form that a provider's own have, and that no task or file of this account has."""
UNKNOWN_IDS: Mapping[str, str] = {"xcompute": "task_00000000000000000000000000"}
"""The same where ids have another form."""
NO_TEMPLATE = "1"
"""Templates have ids of 18 digits."""
OUR_IDS = frozenset({UNKNOWN_ID, *UNKNOWN_IDS.values(), NO_TEMPLATE})
"""Nobody's: they are sent on purpose, and may be published."""
NOTHING: Mapping[str, Mapping[str, object]] = {"compat": {"enable_prompt_expansion": True}}
"""What a request without a model and a prompt holds, if anything: at an address that two formats
share, a field says which of them it is."""
URLS_ONLY = frozenset({"compat", "compat-v3"})
"""Formats whose documents take pictures as links only; no provider can reach a drawn one."""
NO_SUCH: Mapping[str, frozenset[str]] = {
    # What an unknown id gets is not documented (facts 1.6). 1004 would be as plausible, but means a
    # refused key too: one that was just accepted must not get it, so a report shows it.
    "minimax": frozenset({"2013"}),
    "minimax-v2": frozenset({"2013", "http_404"}),
    "relay": frozenset({"2013", "upstream_not_found_or_no_permission"}),
    "xcompute": frozenset({"invalid_request_error"}),
    "compat": frozenset({"http_400", "http_404"}),
    "compat-v3": frozenset({"http_400", "http_404"}),
}
INCOMPLETE: Mapping[str, frozenset[str]] = {
    "minimax": frozenset({"2013"}),
    "minimax-v2": frozenset({"2013"}),
    "relay": frozenset({"2013", "invalid_request"}),
    "xcompute": frozenset({"invalid_request_error"}),
    "compat": frozenset({"http_400", "http_422"}),
    "compat-v3": frozenset({"http_400", "http_422"}),
}
"""The codes of the documented answers, or where the documents are silent, of plain ones."""
