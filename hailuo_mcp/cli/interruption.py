"""What is said after Ctrl-C: what goes on without this process, and the command that resumes."""

from __future__ import annotations

from hailuo_mcp.cli import words
from hailuo_mcp.cli.session import Session
from hailuo_mcp.domain.task import Status


def report_interrupted(session: Session) -> None:
    """Say what goes on without this process, and how to resume."""
    say, note = session.terminal.paragraph, session.terminal.note
    if session.ends_with_interrupt:
        return
    note()
    if session.films:
        _report_films(session)
        return
    if session.again and session.buying:
        saved = sum(task.saved for task in session.tasks)
        so_far = f"{saved} of {words.count(len(session.tasks), 'clip')} saved so far. "
        hour = "" if getattr(session.args, "file", "") else " within the hour"
        say(
            "Stopped.",
            f"{so_far if session.tasks else ''}What was sent goes on at the provider. The same "
            f"command{hour} goes on with all of it, and buys nothing twice:",
        )
        note(f"  {session.again}")
        return
    if not session.tasks:
        if not session.buying:
            note("Stopped.")
            return
        say("Stopped", "while the request was being made; it may have been sent. Check first:")
        note(f"  {session.command('tasks')}")
        return
    if len(session.tasks) > 1:
        say("Stopped", f"waiting for {len(session.tasks)} tasks; nothing is lost. Resume with:")
        note(f"  {session.command('tasks', '--wait')}")
        return
    task = session.tasks[0]
    state = {
        Status.PENDING: "is recorded and not sent. If hailuo-mcp runs again within ten "
        "minutes, it is sent; later it is cancelled, free",
        Status.SUBMITTING: f"was just being sent to {task.provider}; check before you buy it again",
        Status.SUCCEEDED: f"is saved at {task.file}"
        if task.saved
        else f"is ready at {task.provider} and not saved yet",
    }.get(task.status, f"goes on at {task.provider}; nothing is lost")
    say("Stopped waiting.", f"Task {task.task_id} {state}. Resume with:")
    note(f"  {session.resume_command(task)}")


def _report_films(session: Session) -> None:
    say, note = session.terminal.paragraph, session.terminal.note
    film = session.films[0]
    if film.made_at is None:
        note("Stopped.")
        return
    say(
        "Stopped waiting.",
        f"Film {film.film_id}: what was sent goes on at {film.provider}; the rest is sent, and "
        "the film joined, when hailuo-mcp runs again within a day. Resume with:",
    )
    note(f"  {session.resume_command(film)}")
