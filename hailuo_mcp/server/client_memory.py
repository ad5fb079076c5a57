"""What the server remembers of each client for a few minutes, for all sessions of a process.

Another process learns it anew, at the price of one answer that is longer, or that comes later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

if TYPE_CHECKING:
    from hailuo_mcp.catalog.mcp_clients import Signs

_NEXT_WAIT = 0.7
"""The next answer comes after this part of the time after which a client gave up."""
_SHORTEST_LESSON = 2.0
"""Seconds: a call that ends sooner was stopped by the person, or sent twice at the same time."""
_TRUSTED_AGAIN_SECONDS = 180.0
"""A client that gave up once may only have been stopped by its person."""
_ANSWER_KNOWN_SECONDS = 120.0
"""Longer than anybody pauses between two polls. After that a client is told everything again: an
agent's context may have been cut, and over HTTP it may be another agent."""

Clock = Callable[[], float]
ClientKey = tuple[str, str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who waits for an answer."""

    signs: Signs
    """What the client shows of itself with this call."""
    caller: str = ""
    session: str = ""
    """Empty on stdio, where the process has one client, and where the protocol has no sessions."""

    @property
    def key(self) -> ClientKey:
        """Equal for calls that come from one client, as far as anybody can tell."""
        return (self.caller, self.signs.name, self.session)


class _Expiring(Generic[T]):
    """A mapping whose entries are forgotten some seconds after they were last set."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: dict[Hashable, tuple[T, float]] = {}

    def get(self, key: Hashable) -> T | None:
        now = self._clock()
        self._entries = {k: it for k, it in self._entries.items() if now - it[1] < self._seconds}
        value, _ = self._entries.get(key, (None, 0.0))
        return value

    def set(self, key: Hashable, value: T) -> None:
        self._entries[key] = (value, self._clock())


class LastAnswers:
    """The last facts that each client was given, so that a poll need not repeat them."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._facts = _Expiring[object](_ANSWER_KNOWN_SECONDS, clock)

    def already_given(self, client: ClientKey, subject: str, facts: object) -> bool:
        """Whether this client was last given these facts; from now on it was."""
        known = self._facts.get((client, subject))
        self._facts.set((client, subject), facts)
        return known == facts


class WaitLimits:
    """How long each client can be made to wait: by table, by setting, by what it has shown."""

    def __init__(
        self,
        setting: float | None = None,
        *,
        answer_seconds: tuple[float, float] = (20.0, 60.0),
        clock: Clock = time.monotonic,
    ) -> None:
        self.setting = setting
        """The operator's number, which replaces the table of clients."""
        self._answer_seconds = answer_seconds
        self._clock = clock
        self._learned = _Expiring[float](_TRUSTED_AGAIN_SECONDS, clock)
        self._waiting: dict[tuple[ClientKey, str], float] = {}

    def limit(self, client: Client) -> float:
        """Seconds for which this client may be kept waiting."""
        from hailuo_mcp.catalog.mcp_clients import wait_limit

        table = self.setting if self.setting is not None else wait_limit(client.signs)
        return min(table, self._learned.get(client.key) or table)

    def answer_limit(self, client: Client) -> float:
        """Seconds that a person gets for a question, while their client waits for the call."""
        least, most = self._answer_seconds
        return min(max(self.limit(client), least), most)

    @contextmanager
    def watch(self, client: Client, task_id: str = "") -> Generator[None]:
        """Remember when a client gives up, so that it gets its next answer sooner.

        It shows that by cancelling. The Python SDK before 2.0 does not tell: it only asks for the
        same task again while its last call is still waiting here.
        """
        began = self._clock()
        waiting = (client.key, task_id)
        if task_id and not client.signs.modern:
            self._learn(client.key, began - self._waiting.get(waiting, began))
        self._waiting[waiting] = began
        try:
            yield
        except anyio.get_cancelled_exc_class():
            self._learn(client.key, self._clock() - began)
            raise
        finally:
            if self._waiting.get(waiting) == began:
                del self._waiting[waiting]

    def _learn(self, key: ClientKey, waited: float) -> None:
        if waited >= _SHORTEST_LESSON:
            limit = _NEXT_WAIT * waited
            self._learned.set(key, min(limit, self._learned.get(key) or limit))
