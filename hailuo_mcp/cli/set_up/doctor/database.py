"""Whether the journal's database can be used, what is unfinished in it, and who works on it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hailuo_mcp.cli.set_up.doctor.journal import LONG, other_units, processes, tasks
from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok
from hailuo_mcp.cli.words import count
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.journal import require_postgres
from hailuo_mcp.settings import Settings

_FAR = 0.05
"""Seconds of a question: a purchase asks about ten."""
_CLOCKS_DIFFER = 60.0


def check_database(settings: Settings, now: float) -> Iterator[Result]:
    if settings.database_url is None:
        return
    url = settings.database_url.get_secret_value()
    try:
        require_postgres()
        from hailuo_mcp.journal.postgres.examine import examine, spent_in_other_units

        found = examine(url, old_before=now - LONG)
    except HailuoError as error:
        yield of_error("journal", error)
        return
    latency = f"{found.latency * 1000:.0f} ms away"
    clock = f"its clock is {abs(found.clock_offset):.1f} s"
    clock += " ahead of this computer's" if found.clock_offset > 0 else " behind this computer's"
    facts = f"PostgreSQL {found.server}, {latency}, {clock}"
    contents = found.contents
    many = count(sum(contents.counts.values()), "task")
    version = f"format {contents.version}, {many}" if contents.version else "no tables yet"
    yield ok("journal", f"{facts} ({version})")
    if found.latency > _FAR:
        yield note(
            "journal",
            f"The database is {latency}, so each purchase takes longer.",
            "Run the server near its database.",
        )
    if abs(found.clock_offset) > _CLOCKS_DIFFER:
        yield note(
            "clock",
            f"The database's time counts for leases and budgets; {clock}.",
            "Let both computers set their clocks by the network.",
        )
    if contents.version:
        yield from tasks(contents)
        yield from other_units(settings, now, partial(spent_in_other_units, url))
        yield processes([one for one in contents.owners if one.name not in found.dead])
