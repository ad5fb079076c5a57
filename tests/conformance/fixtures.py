"""What the conformance suite calls by name, on our own server class; never part of the product."""

from __future__ import annotations

import base64
import io
import json
import wave
from typing import Annotated, Any

from mcp import MCPError
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from PIL import Image
from pydantic import BaseModel, Field
from task_fixtures import CertifiedTasks, add_tasks

from hailuo_mcp.server.mcp_server import Server


class Certified(Server):
    """Our server, which lets the suite's own tools pass beside its own."""

    fixtures: frozenset[str] = frozenset()

    async def call_tool(self, name, arguments, context=None):
        if name in self.fixtures:
            return await MCPServer.call_tool(self, name, arguments, context)
        return await super().call_tool(name, arguments, context)


def certify(server: Server) -> None:
    """Add every fixture to a server as the product builds it."""
    own = {tool.name for tool in server._tool_manager.list_tools()}
    for add in (_content, _questions, _rounds, _schemas, _resources, _prompts, add_tasks):
        add(server)
    server.__class__, server.tasks.__class__ = Certified, CertifiedTasks
    server.tasks.jobs = {}
    server.fixtures = frozenset(tool.name for tool in server._tool_manager.list_tools()) - own
    for made in (*server._tool_manager.list_tools(), *server._prompt_manager.list_prompts()):
        made.description = made.description or "One of the conformance suite's fixtures."


def _png() -> str:
    data = io.BytesIO()
    Image.new("RGB", (1, 1), (255, 0, 0)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def _wav() -> str:
    data = io.BytesIO()
    with wave.open(data, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 8)
    return base64.b64encode(data.getvalue()).decode()


def _image() -> ImageContent:
    return ImageContent(type="image", data=_png(), mime_type="image/png")


def _embedded(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type=mime_type, text=text)
    return EmbeddedResource(type="resource", resource=contents)


def _content(server: Server) -> None:  # noqa: C901  a list
    @server.tool()
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool()
    def test_image_content() -> list[ImageContent]:
        return [_image()]

    @server.tool()
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=_wav(), mime_type="audio/wav")]

    @server.tool()
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [_embedded("test://embedded-resource", "This is an embedded resource content.")]

    @server.tool()
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        said = TextContent(type="text", text="Multiple content types test:")
        data = json.dumps({"test": "data", "value": 123})
        return [
            said,
            _image(),
            _embedded("test://mixed-content-resource", data, "application/json"),
        ]

    @server.tool()
    def test_error_handling() -> str:
        raise ToolError("This tool intentionally returns an error for testing")

    @server.tool()
    async def test_tool_with_progress(ctx: Context) -> str:
        for step in (0, 50, 100):
            await ctx.report_progress(step, 100, f"Completed step {step} of 100")
        return str((ctx.request_context.meta or {}).get("progress_token", 0))

    @server.tool()
    def test_x_mcp_header(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "none",
    ) -> str:
        return region

    @server.tool()
    def test_missing_capability(ctx: Context) -> str:
        known = ctx.session.client_capabilities
        if known is None or known.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="This tool requires sampling",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return "declared"

    @server.tool()
    async def test_trigger_tool_change(ctx: Context) -> str:
        await ctx.notify_tools_changed()
        return "told"

    @server.tool()
    async def test_trigger_prompt_change(ctx: Context) -> str:
        await ctx.notify_prompts_changed()
        return "told"


class Word(BaseModel):
    response: str = Field(description="User's response")


class Defaults(BaseModel):
    name: str = Field(default="John Doe")
    age: int = Field(default=30)
    score: float = Field(default=95.5)
    status: str = Field(
        default="active", json_schema_extra={"enum": ["active", "inactive", "pending"]}
    )
    verified: bool = Field(default=True)


def _titled(**names: str) -> list[dict[str, str]]:
    return [{"const": value, "title": title} for value, title in names.items()]


class Enums(BaseModel):
    untitledSingle: str = Field(  # noqa: N815  the suite's names
        json_schema_extra={"enum": ["option1", "option2", "option3"]}
    )
    titledSingle: str = Field(  # noqa: N815
        json_schema_extra={"oneOf": _titled(value1="First", value2="Second", value3="Third")}
    )
    untitledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2", "option3"]}}
    )
    titledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={
            "items": {"anyOf": _titled(value1="First", value2="Second", value3="Third")}
        }
    )
    legacyEnum: str = Field(  # noqa: N815
        json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]}
    )


def _probe() -> Elicit[Word]:
    return Elicit("A word, please", Word)


def _questions(server: Server) -> None:
    async def asked(ctx: Context, message: str, form: type[BaseModel]) -> str:
        result = await ctx.elicit(message=message, schema=form)
        content = result.data.model_dump_json() if result.action == "accept" else "{}"
        return f"action={result.action}, content={content}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Context) -> str:
        return f"User response: {await asked(ctx, message, Word)}"

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        return f"Elicitation completed: {await asked(ctx, 'Please fill in', Defaults)}"

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        return f"Elicitation completed: {await asked(ctx, 'Please choose', Enums)}"

    @server.tool()
    async def test_sampling(prompt: str, ctx: Context) -> str:
        said = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        answer = await ctx.session.create_message(
            messages=[said], max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {getattr(answer.content, 'text', '')}"

    @server.tool()
    def test_streaming_elicitation(
        answer: Annotated[ElicitationResult[Word], Resolve(_probe)],
    ) -> str:
        return answer.action


def _form(message: str, **fields: str) -> ElicitRequest:
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields),
    }
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text: str) -> CreateMessageRequest:
    said = SamplingMessage(role="user", content=TextContent(type="text", text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[said], max_tokens=50))


def _given(ctx: Context, name: str, field: str) -> str:
    answer = (ctx.input_responses or {}).get(name)
    content = answer.content if isinstance(answer, ElicitResult) else None
    return str((content or {}).get(field, "nothing"))


def _needs(state: str | None = None, **requests: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _rounds(server: Server) -> None:  # noqa: C901  a list
    def has(ctx: Context, *names: str) -> bool:
        return set(names) <= (ctx.input_responses or {}).keys()

    @server.tool()
    async def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "user_name"):
            return f"Hello, {_given(ctx, 'user_name', 'name')}!"
        return _needs(user_name=_form("What is your name?", name="string"))

    @server.tool()
    async def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "capital_question"):
            return "The model has answered."
        return _needs(capital_question=_sample("What is the capital of France?"))

    @server.tool()
    async def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "client_roots"):
            return "The roots have come."
        return _needs(client_roots=ListRootsRequest())

    @server.tool()
    async def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "confirm") and ctx.request_state == "kept":
            return "state-ok"
        return _needs("kept", confirm=_form("Please confirm", ok="boolean"))

    @server.tool()
    async def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "user_name", "greeting", "client_roots"):
            return "All have come."
        return _needs(
            "several",
            user_name=_form("What is your name?", name="string"),
            greeting=_sample("Say hello"),
            client_roots=ListRootsRequest(),
        )

    @server.tool()
    async def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
        if ctx.request_state == "first" and has(ctx, "step1"):
            second = _form("Step 2: What is your favorite color?", color="string")
            return _needs(f"second {_given(ctx, 'step1', 'name')}", step2=second)
        if (ctx.request_state or "").startswith("second ") and has(ctx, "step2"):
            return f"{str(ctx.request_state)[7:]} likes {_given(ctx, 'step2', 'color')}."
        return _needs("first", step1=_form("Step 1: What is your name?", name="string"))

    @server.tool()
    async def test_input_required_result_tampered_state(ctx: Context) -> str | InputRequiredResult:
        if ctx.request_state is not None:
            return "state-ok"
        return _needs("whole", confirm=_form("Please confirm", ok="boolean"))

    @server.tool()
    async def test_tool_with_task(ctx: Context) -> str | InputRequiredResult:
        if has(ctx, "user_name"):
            return f"Hello, {_given(ctx, 'user_name', 'name')}!"
        return _needs(user_name=_form("What is your name?", name="string"))

    @server.tool()
    async def test_input_required_result_capabilities(ctx: Context) -> InputRequiredResult:
        known = ctx.client_capabilities
        wanted: dict[str, Any] = {}
        if known is None or known.sampling is not None:
            wanted["sample"] = _sample("Say hello")
        if known is None or known.elicitation is not None:
            wanted["ask"] = _form("What is your name?", name="string")
        return _needs("by capability", **wanted)


def _schemas(server: Server) -> None:
    @server.tool()
    def json_schema_2020_12_tool() -> str:
        return "ok"

    made = next(
        t for t in server._tool_manager.list_tools() if t.name == "json_schema_2020_12_tool"
    )
    text = {"type": "string"}
    made.parameters = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": text, "city": text},
            }
        },
        "properties": {
            "name": text,
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": text,
            "email": text,
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    }


def _resources(server: Server) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(_png())

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002  the suite's name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _prompts(server: Server) -> None:
    def said(text: str) -> UserMessage:
        return UserMessage(content=TextContent(type="text", text=text))

    @server.prompt()
    def test_simple_prompt() -> list[UserMessage]:
        return [said("This is a simple prompt for testing.")]

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        return [said(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]

    @server.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
        text = "Embedded resource content for testing."
        return [UserMessage(content=_embedded(resourceUri, text)), said("Please read it.")]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(content=_image()), said("Please look at it.")]

    @server.prompt()
    async def test_input_required_result_prompt(
        ctx: Context,
    ) -> list[UserMessage] | InputRequiredResult:
        if "user_context" in (ctx.input_responses or {}):
            return [said(f"Use this: {_given(ctx, 'user_context', 'context')}")]
        return _needs(user_context=_form("What context?", context="string"))
