"""The MCP Tasks extension (SEP-2663): a purchase in progress, as a task that the client follows.

The ids are those of our own tasks and everything else is read from the journal, so every process on
it can answer. A client that does not declare the extension is served as if there were none.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.shared.inbound import MCP_METHOD_HEADER, MCP_NAME_HEADER, decode_header_value
from mcp.types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ConfigDict

from hailuo_mcp.errors import HailuoError, TaskNotFoundError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.replies import tool_result
from hailuo_mcp.server.request import TASKS, takes_tasks
from hailuo_mcp.server.tools.arguments import Id

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView, View

VERSIONS = frozenset(MODERN_PROTOCOL_VERSIONS)
_SAVING_SECONDS = 5
"""Until the next look at a clip that is ready and being saved."""

Wire = dict[str, Any]
Request = ServerRequestContext[AppContext, Any]


class TaskParams(RequestParams):
    # defer_build: a validator is built at the first request, not when the server starts.
    model_config = ConfigDict(defer_build=True)

    task_id: Id


class UpdateParams(TaskParams):
    input_responses: dict[str, Any]


class TasksExtension(Extension):
    """The protocol's side; `read`, `answer` and `cancel` are what it means for a purchase."""

    identifier = TASKS

    def __init__(self, app: AppContext, buying: Collection[str]) -> None:
        """`buying`: the names of the tools that buy a clip or a film."""
        self._app = app
        self._buying = buying

    def methods(self) -> Sequence[MethodBinding]:
        return [
            MethodBinding("tasks/get", TaskParams, self._get, VERSIONS),
            MethodBinding("tasks/update", UpdateParams, self._update, VERSIONS),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Request, call_next: CallNext
    ) -> HandlerResult:
        """Answer a purchase that is still unfinished with its task."""
        result = await call_next(ctx)
        if not takes_tasks(ctx.protocol_version, ctx.session.client_capabilities):
            return result
        if params.name not in self._buying or not isinstance(result, CallToolResult):
            return result  # the question for the person's consent is asked first
        if result.is_error:
            return result
        answer: Wire = result.structured_content or {}
        try:
            view = await self._find(answer.get("task_id") or answer["film_id"])
        except (KeyError, HailuoError):
            return result  # nothing was bought, or the journal is away: the answer itself stands
        if view.settled or answer.get("status") == "planned":
            return result
        # The answer's own message says what was bought and whether money has moved.
        return {"resultType": "task", **_fields(view), "statusMessage": answer["message"]}

    async def _get(self, ctx: Request, params: TaskParams) -> Wire:
        self._admit(ctx, params)
        return {"resultType": "complete", **await self.read(params.task_id)}

    async def _update(self, ctx: Request, params: UpdateParams) -> Wire:
        self._admit(ctx, params)
        await self.answer(params.task_id, params.input_responses)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: Request, params: TaskParams) -> Wire:
        self._admit(ctx, params)
        await self.cancel(params.task_id)
        return {"resultType": "complete"}

    def _admit(self, ctx: Request, params: TaskParams) -> None:
        """Raise MCPError for a client without the extension, or a header that names another."""
        require_client_extension(ctx, self.identifier)
        headers: Mapping[str, str] = getattr(ctx.request, "headers", None) or {}
        if MCP_METHOD_HEADER not in headers:
            return  # stdio, or HTTP+SSE: only Streamable HTTP has such headers, and the SDK checks
        name = headers.get(MCP_NAME_HEADER)
        if name is None or decode_header_value(name) != params.task_id:
            raise MCPError(HEADER_MISMATCH, "The Mcp-Name header must be the taskId.")

    async def read(self, task_id: str) -> Wire:
        """The task as it stands, with its result once it has one: what query_task would answer."""
        from hailuo_mcp.views import FilmView

        known = await self.known(task_id)  # first, since a query asks the provider for unknown ids
        if isinstance(known, FilmView):
            return state(known)
        with _as_protocol_error(of_tenant=self._app.is_tenant):
            studio = await self._app.studio()
            view = await studio.query(task_id, caller=self._app.caller().name, wait_seconds=0)
        return state(view)

    async def answer(self, task_id: str, responses: Mapping[str, Any]) -> None:
        """Take answers to a task's questions; a purchase has none, and ignores them."""
        del responses
        await self.known(task_id)

    async def cancel(self, task_id: str) -> None:
        """Withdraw it if it was not sent yet; otherwise it goes on, which the protocol allows."""
        from hailuo_mcp.views import FilmView

        known = await self.known(task_id)
        with _as_protocol_error(of_tenant=self._app.is_tenant):
            studio = await self._app.studio()
            if isinstance(known, FilmView):
                await studio.cancel_film(known.film)
            else:
                await studio.cancel(task_id, caller=self._app.caller().name)

    async def known(self, task_id: str) -> View | FilmView:
        """The caller's task or film, as the journal has it; MCPError where there is none."""
        with _as_protocol_error(of_tenant=self._app.is_tenant):
            return await self._find(task_id)

    async def _find(self, some_id: str) -> View | FilmView:
        studio, caller = await self._app.studio(), self._app.caller().name
        film = await studio.film(some_id, caller)
        if film and film.film_id == some_id:
            return await studio.query_film(film)
        return await studio.known(some_id, caller=caller)


def state(view: View | FilmView) -> Wire:
    """A task as `tasks/get` and `notifications/tasks` tell it, with its result once it has one."""
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.views import View
    from hailuo_mcp.wording.films import storyboard
    from hailuo_mcp.wording.tasks import video_task

    found = _fields(view)
    if found["status"] == "completed":
        answer: Mapping[str, Any]
        status: Status | None
        if isinstance(view, View):
            answer, status = video_task(view), view.task.status
        else:
            answer, status = storyboard(view), view.status
        lost = status in (Status.FAILED, Status.UNCONFIRMED)
        result = tool_result(answer, is_error=lost)
        found["result"] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return found


def _fields(view: View | FilmView) -> Wire:
    """What every form of a task has.

    `completed` is all that waiting longer does not change, failures and the uncertain included:
    `failed` is only for errors of the protocol, and a purchase has none.
    """
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.views import View
    from hailuo_mcp.wording import agent, cases, film_cases, phrases

    made, status = view.made, view.task.status if isinstance(view, View) else view.status
    if isinstance(view, View):
        progress, told = cases.progress_line(view), agent.task_text(view)
    else:
        progress, told = film_cases.progress_line(view), agent.film_text(view)
    found: Wire = {
        "taskId": view.known_as,
        "status": "completed",
        "createdAt": phrases.moment(made.created_at),
        "lastUpdatedAt": phrases.moment(max(made.created_at, made.updated_at)),  # clocks differ
        "ttlMs": None,  # the journal forgets nothing
    }
    if not view.settled:
        found["status"] = "working"
        found["statusMessage"] = phrases.join(view.notice, progress)
        found["pollIntervalMs"] = 1000 * (view.next_check_seconds or _SAVING_SECONDS)
    elif status is Status.CANCELLED:
        found["status"] = "cancelled"
        found["statusMessage"] = told
    return found


@contextmanager
def _as_protocol_error(*, of_tenant: bool) -> Generator[None]:
    """Say in the protocol's terms why there is no answer: nothing was sent or charged."""
    from hailuo_mcp.wording import agent

    try:
        yield
    except TaskNotFoundError:
        # The same words for everybody's and nobody's: they do not tell which ids exist.
        raise MCPError(INVALID_PARAMS, "None of your tasks has this taskId.") from None
    except HailuoError as error:
        told = agent.error_text(error, of_tenant=of_tenant)
        raise MCPError(INTERNAL_ERROR, told) from error
