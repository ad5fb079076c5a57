"""The journal in one SQLite file: the questions and steps that the rest of the program knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

from hailuo_mcp.domain import Status, Task, Unit
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sqlite import change, consent, leases, losses, purchase, reads
from hailuo_mcp.journal.sqlite.change import IdTaken
from hailuo_mcp.journal.sqlite.file import JournalFile
from hailuo_mcp.journal.sqlite.losses import Losses


class SqliteJournal(JournalFile):
    """Another store, for several machines, offers the same methods and passes the same tests."""

    async def sign_in(
        self, owner: str, *, account: str, provider: str, base_url: str, pid: int, now: float
    ) -> None:
        def step(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (account, provider, base_url),
            )
            db.execute(
                "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", (owner, account, pid, now)
            )

        self._introduction = step
        await self.write(step)

    async def leave(self, owner: str) -> None:
        """Give back what this process held, as far as the journal still answers, and close."""
        if self._db is not None:
            with suppress(JournalError):
                await self.sign_out(owner)
        await self.close()

    async def sign_out(self, owner: str) -> None:
        await self.write(leases.release, [owner])

    async def record(
        self, draft: Task, reserved_amount: Decimal, limits: purchase.Limits, *, now: float
    ) -> purchase.Written | purchase.OverBudget | purchase.KeyTaken | Losses:
        return await self.write(purchase.record, draft, reserved_amount, limits, now=now)

    async def find_existing(
        self, draft: Task, *, now: float
    ) -> purchase.Written | purchase.KeyTaken | None:
        return await self.read(purchase.find_existing, draft, now=now)

    async def claim(
        self,
        accounts: Sequence[str],
        owner: str,
        *,
        rpm: int | None,
        sends: int,
        steps: int,
        submit_lease: float,
        lease: float,
        now: float,
    ) -> leases.Claimed:
        """Take what is due. Asks without a write lock first: usually there is nothing."""
        due = await self.read(leases.next_due, accounts, rpm=rpm, now=now)
        if due is None or due > now:
            return leases.Claimed(sends=(), steps=(), next_at=due)
        return await self.write(
            leases.claim,
            accounts,
            owner,
            rpm=rpm,
            sends=sends,
            steps=steps,
            submit_lease=submit_lease,
            lease=lease,
            now=now,
        )

    async def change(
        self,
        task_id: str,
        values: Mapping[str, object],
        *,
        now: float,
        status_in: Collection[Status] = (),
        attempt: int | None = None,
        held_by: str | None = None,
        remote_id: str | None = None,
    ) -> Task | None:
        """Set `values` if the task still has such a status, attempt, holder and id; else None."""
        return await self.write(
            change.change,
            task_id,
            values,
            now=now,
            status_in=status_in,
            attempt=attempt,
            held_by=held_by,
            remote_id=remote_id,
        )

    async def settle(
        self, task_id: str, values: Mapping[str, object], *, now: float
    ) -> Task | IdTaken | None:
        return await self.write(change.settle, task_id, values, now=now)

    async def adopt(self, task: Task) -> Task | None:
        return await self.write(change.adopt, task)

    async def unclaimed(self, account: str, caller: str) -> bool:
        return await self.read(change.unclaimed, account, caller)

    async def pause(self, account: str, seconds: float | None, *, now: float) -> float:
        return await self.write(purchase.pause, account, seconds, now=now)

    async def reset_backoff(self, account: str) -> None:
        """A submit was accepted: the next refusal starts with a short pause again."""

        def step(db: sqlite3.Connection) -> None:
            db.execute("UPDATE accounts SET refusals = 0 WHERE account = ?", (account,))

        await self.write(step)

    async def renew(self, owner: str, task_ids: Collection[str], *, until: float) -> None:
        await self.write(leases.renew, owner, task_ids, until=until)

    async def recover(self, dead: Collection[str], *, now: float) -> tuple[str, ...]:
        return await self.write(leases.recover, dead, now=now)

    async def owners(self) -> list[str]:
        return await self.read(reads.owners)

    async def submitting(self, owner: str) -> list[Task]:
        return await self.read(reads.submitting, owner)

    async def neighbours(
        self, account: str, provider: str, base_url: str, alive: Collection[str]
    ) -> list[str]:
        return await self.read(reads.neighbours, account, provider, base_url, alive)

    async def find(self, some_id: str, *, caller: str = "") -> Task | None:
        return await self.read(reads.find, some_id, caller=caller)

    async def sharing(self, task_id: str, account: str, remote_id: str) -> str:
        return await self.read(reads.sharing, task_id, account, remote_id)

    async def by_callback(self, token: str) -> Task | None:
        return await self.read(reads.by_callback, token)

    async def counts(self) -> dict[Status, int]:
        return await self.read(reads.counts)

    async def newest(
        self,
        *,
        caller: str | None = None,
        statuses: Collection[Status] = (),
        saved: bool | None = None,
        limit: int = 20,
    ) -> list[Task]:
        return await self.read(
            reads.newest, caller=caller, statuses=statuses, saved=saved, limit=limit
        )

    async def money(self, account: str, unit: Unit, since: float) -> reads.Sums:
        return await self.read(reads.money, account, unit, since)

    async def render_times(
        self, provider: str, model: str, resolution: str | None, duration: int | None
    ) -> list[reads.RenderTime]:
        return await self.read(reads.render_times, provider, model, resolution, duration)

    async def in_flight(self, account: str) -> int:
        return await self.read(reads.in_flight, account)

    async def pictures_in_use(self) -> str:
        return await self.read(reads.pictures_in_use)

    async def issue_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> None:
        await self.write(
            consent.issue_code, code, caller=caller, identity=identity, amount=amount, now=now
        )

    async def use_code(
        self, code: str, *, caller: str, identity: str, amount: Decimal | None, now: float
    ) -> bool:
        return await self.write(
            consent.use_code, code, caller=caller, identity=identity, amount=amount, now=now
        )

    async def use_approval(self, *, caller: str, identity: str, now: float) -> bool:
        return await self.write(consent.use_approval, caller=caller, identity=identity, now=now)

    async def accept_losses(self, *, now: float) -> None:
        await self.write(losses.accept, now=now)

    async def stamp(self) -> int:
        """A number that changes when another process has written."""

        def question(db: sqlite3.Connection) -> int:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

        return await self.read(question)
