"""What a verification sends for free: questions, and requests that have to be refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.dialect_of import capabilities_of, dialect_of
from hailuo_mcp.domain.remote import Api, Phase, RemoteStatus
from hailuo_mcp.domain.requests import TemplateRequest, VideoRequest
from hailuo_mcp.verification.facts import Operation
from hailuo_mcp.verification.replies.questions import (
    INCOMPLETE,
    NO_SUCH,
    NO_TEMPLATE,
    NOTHING,
    UNKNOWN_ID,
    UNKNOWN_IDS,
)

_ANY_REFUSAL = "a plain refusal; which code is not documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One request that is about to be sent."""

    name: str
    """As the page and the report name it."""
    operation: Operation
    request: HttpRequest
    documented: str
    """The documented answer, in a few words; of what must be refused, why."""
    codes: frozenset[str] = frozenset()
    """The codes of that answer, as `compare` takes them; empty if it is no refusal."""
    must_be_refused: bool = False
    """It asks to make something, and cannot be granted: there is nothing to make."""
    shows_key: bool = False
    """Its answer tells whether the key is accepted."""
    model: str = ""
    """A model of the API that it goes to; empty for the provider's first."""

    @property
    def sent(self) -> str:
        """What is sent, for people."""
        held = ", ".join(self.request.json or ())
        return f"{self.request.method} {self.request.path} with {held or 'an empty body'}"


def free_steps(provider: Provider) -> tuple[Planned, ...]:
    """The questions: they buy nothing and change nothing."""
    return tuple(_questions(provider))


def refused_steps(provider: Provider) -> tuple[Planned, ...]:
    """The requests that the provider has to refuse, at most three.

    None of them names a model or a prompt: hosts have accepted nonsense beside a legal model, and
    charged for it (facts 1.4).
    """
    return tuple(_refused(provider))


def _questions(provider: Provider) -> Iterator[Planned]:
    dialect, unknown = dialect_of(provider), UNKNOWN_IDS.get(provider.dialect, UNKNOWN_ID)
    no_such = NO_SUCH[_format(provider)]
    if provider.probe:
        yield Planned(
            name="the key",
            operation=Operation.BALANCE,
            request=HttpRequest(path=provider.probe),
            documented="what the plan has left, or that the key has no plan",
            shows_key=True,
        )
    yield Planned(
        name="a query with an unknown id",
        operation=Operation.STATUS,
        request=dialect.status(unknown),
        documented=_ANY_REFUSAL,
        codes=no_such,
        shows_key=not provider.probe,
    )
    no_file = RemoteStatus(phase=Phase.SUCCEEDED, word="", file_id=UNKNOWN_ID)
    if asked := dialect.file(no_file):
        yield Planned(
            name="a file with an unknown id",
            operation=Operation.FILE,
            request=asked,
            documented=_ANY_REFUSAL,
            codes=no_such,
        )
    if capabilities_of(provider).templates:
        yield Planned(
            name="a template query with an unknown id",
            operation=Operation.TEMPLATE_STATUS,
            request=dialect.status(unknown, template=True),
            documented=_ANY_REFUSAL,
            codes=no_such,
        )
    if model := _model_on_v2(provider):
        second = dialect_of(provider, model)
        yield Planned(
            name="a v2 query with an unknown id",
            operation=Operation.STATUS,
            request=second.status(unknown),
            documented="no such task",
            codes=NO_SUCH["minimax-v2"],
            model=model,
        )
        if asked := second.list_tasks(1):
            yield Planned(
                name="the v2 list of tasks",
                operation=Operation.LIST,
                request=asked,
                documented="the newest tasks of the last seven days",
                model=model,
            )


def _refused(provider: Provider) -> Iterator[Planned]:
    yield _empty(provider, "a request without a model")
    if model := _model_on_v2(provider):
        yield _empty(provider, "a v2 request without a model", model)
    if capabilities_of(provider).templates:
        yield Planned(
            name="a template that does not exist",
            operation=Operation.TEMPLATE_SUBMIT,
            request=dialect_of(provider).submit(TemplateRequest(template_id=NO_TEMPLATE)),
            documented="no such template",
            codes=INCOMPLETE[_format(provider)],
            must_be_refused=True,
        )


def _empty(provider: Provider, name: str, model: str = "") -> Planned:
    """The address where clips are bought, and nothing to buy."""
    address = dialect_of(provider, model).submit(VideoRequest(model=model, prompt=name)).path
    return Planned(
        name=name,
        operation=Operation.SUBMIT,
        request=HttpRequest(method="POST", path=address, json=NOTHING.get(provider.dialect, {})),
        documented="the model and the prompt are missing",
        codes=INCOMPLETE["minimax-v2" if model else _format(provider)],
        must_be_refused=True,
        model=model,
    )


def _format(provider: Provider) -> str:
    """The relays of MiniMax's format have errors of their own."""
    return "relay" if provider.prefix else provider.dialect


def _model_on_v2(provider: Provider) -> str:
    if not provider.v2:
        return ""
    return next((model.name for model in models() if model.api is Api.V2), "")
