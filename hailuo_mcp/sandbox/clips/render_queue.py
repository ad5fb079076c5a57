"""Renders clips in the background, each once, for any number of processes and requests."""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import Future
from pathlib import Path

from hailuo_mcp.sandbox.job import Job

_LOCK_SECONDS = 120.0


class RenderQueue:
    """A queue and a thread; it is a daemon, as an unfinished clip can be made again."""

    def __init__(self, state_dir: Path, *, fast: bool) -> None:
        """Start nothing yet: most sandboxes of a test suite never render."""
        self._state_dir = state_dir
        self._fast = fast
        self._running = False
        self._lock = threading.Lock()
        self._pending: dict[Path, Future[Path]] = {}
        self._queue: queue.SimpleQueue[tuple[Job, Path, Future[Path]]] = queue.SimpleQueue()

    def begin(self, task: Job) -> None:
        """Have the clip ready by the time it is asked for."""
        if task.ending == "success":
            self._ask(task)

    async def clip(self, task: Job) -> Path:
        """Return the finished clip, waiting for it or making it as need be."""
        path = self.path(task)
        if path.exists():
            return path
        return await asyncio.wrap_future(self._ask(task))

    def path(self, task: Job) -> Path:
        """Return where the clip lies once it is made."""
        sound = "-sound" if task.sound else ""
        size = f"{task.width}x{task.height}-{task.duration}s-{task.fps}{sound}"
        name = f"fast-{size}" if self._fast else task.task_id
        return self._state_dir / "clips" / f"{name}.mp4"

    def _ask(self, task: Job) -> Future[Path]:
        path = self.path(task)
        with self._lock:
            waiting = self._pending.get(path)
            if waiting is not None:
                return waiting
            done: Future[Path] = Future()
            # As "running" it cannot be cancelled: one who stops waiting does not stop the others.
            done.set_running_or_notify_cancel()
            if path.exists():
                done.set_result(path)
                return done
            self._pending[path] = done
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="sandbox-render", daemon=True).start()
            self._queue.put((task, path, done))
        return done

    def _work(self) -> None:
        while True:
            try:
                task, path, done = self._queue.get(timeout=2.0)
            except queue.Empty:
                with self._lock:
                    # Asking and leaving are both under the lock: nothing is left in the queue.
                    if self._queue.empty():
                        self._running = False
                        return
                continue
            try:
                self._develop(task, path)
            except BaseException as problem:  # noqa: BLE001  # it is handed to whoever waits
                done.set_exception(problem)
            else:
                done.set_result(path)
            with self._lock:
                self._pending.pop(path, None)

    def _develop(self, task: Job, path: Path) -> None:
        from filelock import FileLock

        from hailuo_mcp.sandbox.clips.render import render, render_still

        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Another process may be at it: the lock is the system's, a killed one leaves none behind.
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600):
            if path.exists():
                return
            part = path.with_suffix(".part")
            part.touch(mode=0o600)
            if self._fast:
                render_still(task, part)
            else:
                render(task, part, self._state_dir)
            part.replace(path)
