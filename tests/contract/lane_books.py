"""The books that a lane under test must balance: what is sent in, what must come out, and the workers between."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from ledger_core import Entry, account_of, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PARTITIONS = 4
CUSTOMERS = 200
WORKER = Path(__file__).with_name("lane_worker.py")


class Worker:
    """One worker process; its lines on stdout are what it told."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log
        self.told: list[dict[str, Any]] = []
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.told.append(json.loads(line))

    def owned(self) -> set[int]:
        owned: set[int] = set()
        for each in self.told:
            if each["what"] == "ready":
                owned.add(each["partition"])
            elif each["what"] == "revoked":
                owned.discard(each["partition"])
        return owned

    async def ended(self, seconds: float = 120) -> int:
        code = await asyncio.wait_for(self.process.wait(), seconds)
        await self._reading
        return code

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)


class Books:
    """One run: its own topics, its own group, a seeded producer, any number of workers, and the balance."""

    def __init__(self, name: str, bootstrap: str, folder: Path, seed: int) -> None:
        self.name = name
        self.bootstrap = bootstrap
        self.folder = folder
        self.channels = (f"{name}-a", f"{name}-b")
        self.inputs = f"{name}-inputs"
        self.actions = f"{name}-actions"
        self.changelog = f"{name}-accounts-changelog"
        self.sent: list[Entry] = []
        self.workers: list[Worker] = []
        self._random = random.Random(seed)

    async def create(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            plain = {"message.timestamp.type": "LogAppendTime"}
            compacted = {"cleanup.policy": "compact"}
            topics = [(each, plain) for each in (*self.channels, self.inputs, self.actions)]
            await admin.create_topics(
                [
                    NewTopic(name, PARTITIONS, 1, topic_configs=how)
                    for name, how in [*topics, (self.changelog, compacted)]
                ]
            )
        finally:
            await admin.close()

    def entry(self) -> Entry:
        pick = self._random
        customer = f"c{pick.randrange(CUSTOMERS)}"
        to = f"c{pick.randrange(CUSTOMERS)}" if pick.random() < 0.2 else ""
        return Entry(f"{self.name}-{len(self.sent)}", customer, pick.randrange(1, 100), to)

    async def produce(self, count: int, per_second: int = 0) -> None:
        """Send entries, paced where asked for; each is acknowledged on return."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5, acks="all")
        await producer.start()
        try:
            acks, began = [], time.monotonic()
            for index in range(count):
                entry = self.entry()
                self.sent.append(entry)
                topic = self._random.choice(self.channels)
                acks.append(await producer.send(topic, encode(entry), key=entry.customer.encode()))
                if per_second and index % 20 == 0:
                    await asyncio.sleep(max(0.0, began + index / per_second - time.monotonic()))
            await asyncio.gather(*acks)
        finally:
            await producer.stop()

    async def produce_one(self, customer: str, amount: int) -> None:
        """One entry for a customer of one's choice."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            entry = Entry(f"{self.name}-one-{len(self.sent)}", customer, amount)
            self.sent.append(entry)
            await producer.send_and_wait(self.channels[0], encode(entry), key=customer.encode())
        finally:
            await producer.stop()

    async def start(self, crash_at: str = "", **more: Any) -> Worker:
        """A worker that reads in small pieces, so that a recovery or a batch that ends early is seen."""
        number = len(self.workers)
        log = self.folder / f"{self.name}-{number}.log"
        job = {
            "app": self.name,
            "bootstrap": self.bootstrap,
            "partitions": PARTITIONS,
            "data": str(self.folder / f"{self.name}-data"),
            "channels": self.channels,
            "inputs": self.inputs,
            "actions": self.actions,
            "settings": {"fetch_bytes": 4096},
            **more,
        }
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(WORKER),
                json.dumps(job),
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env={**os.environ, "CRASH_AT": crash_at},
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Books]:
        """Topics made before, workers ended after, whatever happens."""
        await self.create()
        try:
            yield self
        finally:
            for worker in self.workers:
                if worker.process.returncode is None:
                    worker.kill()
                await worker.ended()

    # -- the balance -----------------------------------------------------------------------------------------

    def expected_accounts(self) -> dict[str, tuple[int, int]]:
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for entry in self.sent:
            for customer in filter(None, (entry.customer, entry.to)):
                counts[customer][0] += 1
                counts[customer][1] += entry.amount
        return {customer: (count, total) for customer, (count, total) in counts.items()}

    def expected_actions(self) -> set[str]:
        passed_on = {entry.id + "/to" for entry in self.sent if entry.to and entry.amount % 4 == 0}
        return {entry.id for entry in self.sent if entry.amount % 4 == 0} | passed_on

    async def accounts(self) -> dict[str, tuple[int, int]]:
        """The state as its changelog has it, summed up for each customer, with the zombie rule applied."""
        newest: dict[bytes, bytes] = {}
        numbers: dict[int, int] = {}
        for partition, key, value in await self.read(self.changelog):
            if value is None:
                newest.pop(key, None)
                continue
            number = int.from_bytes(value[:8], "big")
            if number >= numbers.get(partition, 0):
                numbers[partition] = number
                newest[key] = value
        return {
            key.decode(): (account_of(value).count, account_of(value).total)
            for key, value in newest.items()
            if not key.startswith(b"partition:")
        }

    async def read(self, topic: str) -> list[tuple[int, bytes, Any]]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        rows: list[tuple[int, bytes, Any]] = []
        try:
            parts = [TopicPartition(topic, each) for each in range(PARTITIONS)]
            consumer.assign(parts)
            ends = await consumer.end_offsets(parts)
            while any([await consumer.position(part) < end for part, end in ends.items()]):
                for part, some in (await consumer.getmany(timeout_ms=100)).items():
                    rows += [(part.partition, each.key, each.value) for each in some]
        finally:
            await consumer.stop()
        return rows

    async def settle(self, seconds: float = 120) -> dict[str, tuple[int, int]]:
        """Wait until the state counts as many events as must be applied (or the time is over); the state then."""
        wanted = sum(count for count, _ in self.expected_accounts().values())
        until = time.monotonic() + seconds
        while True:
            accounts = await self.accounts()
            if sum(count for count, _ in accounts.values()) >= wanted or time.monotonic() > until:
                return accounts
            await asyncio.sleep(0.3)

    async def wait_for_account(self, customer: str, count: int, seconds: float = 120) -> dict[str, tuple[int, int]]:
        """Wait until an account counts that many events; all accounts then."""
        until = time.monotonic() + seconds
        while True:
            accounts = await self.accounts()
            if accounts.get(customer, (0, 0))[0] >= count or time.monotonic() > until:
                return accounts
            await asyncio.sleep(0.2)

    async def settle_accounts(self, expected: dict[str, tuple[int, int]], seconds: float = 120) -> None:
        """Wait until these accounts are what they must be; fails with some that are not."""
        until = time.monotonic() + seconds
        while True:
            accounts = await self.accounts()
            wrong = {each: (accounts.get(each), must) for each, must in expected.items() if accounts.get(each) != must}
            if not wrong:
                return
            assert time.monotonic() < until, f"{len(wrong)} of {len(expected)} are wrong: {list(wrong.items())[:3]}"
            await asyncio.sleep(0.2)

    async def balance(self, seconds: float = 120) -> Balance:
        accounts = await self.settle(seconds)
        for worker in self.workers:
            if worker.process.returncode is None:
                worker.terminate()
                await worker.ended()
        accounts = await self.accounts()
        actions: dict[str, set[bytes]] = defaultdict(set)
        copies = 0
        for _, _, value in await self.read(self.actions):
            actions[json.loads(value)["id"]].add(value)
            copies += 1
        return Balance(self, accounts, actions, copies)


class Balance:
    """What came out, against what must."""

    def __init__(
        self, books: Books, accounts: dict[str, tuple[int, int]], actions: dict[str, set[bytes]], copies: int
    ) -> None:
        self.books = books
        self.accounts = accounts
        self.actions = actions
        self.repeats = copies - len(actions)

    def check(self) -> None:
        expected = self.books.expected_accounts()
        wrong = {each for each in expected if self.accounts.get(each) != expected[each]}
        counted = sum(count for count, _ in self.accounts.values())
        must = sum(count for count, _ in expected.values())
        assert not wrong, f"{len(wrong)} of {len(expected)} accounts are wrong: {counted} events counted, {must} sent"
        assert set(self.accounts) == set(expected), "an account that nobody sent to"
        assert set(self.actions) == self.books.expected_actions(), "an action is missing or was never due"
        changed = [each for each, values in self.actions.items() if len(values) != 1]
        assert not changed, f"actions that were repeated with other bytes: {changed[:3]}"
