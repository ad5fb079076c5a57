"""Questions to a person whose client answers with a new call, or never.

They are in the journal beside the codes of consent, because the new call may reach another process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hailuo_mcp.studio.context import Context

_IDENTITY = "question"


async def may_ask(context: Context, client: Sequence[str], question: str) -> bool:
    """Note that it is asked; False where the client comes back without an answer to it.

    `client` begins with the caller's name. What a client cannot show, or cannot answer, is not
    asked again. A question is open for CONSENT_SECONDS, as long as the SDK accepts an answer.
    """
    if await close_question(context, client, question):
        return False
    await context.store.issue_code(
        _code(client, question),
        caller=client[0],
        identity=_IDENTITY,
        amount=None,
        now=context.clock(),
    )
    return True


async def close_question(context: Context, client: Sequence[str], question: str) -> bool:
    """The client has answered, or has come back without an answer. Returns whether it was open."""
    return await context.store.use_code(
        _code(client, question),
        caller=client[0],
        identity=_IDENTITY,
        amount=None,
        now=context.clock(),
    )


def _code(client: Sequence[str], question: str) -> str:
    text = "\0".join((_IDENTITY, *client, question))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
