"""What the orchestrator decided, read where it writes it: the topics of actions, tasks, events for others, outcomes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from aiokafka import AIOKafkaConsumer

from demo.people import HOUSE, Person, whose

if TYPE_CHECKING:
    from types import TracebackType

    from demo.timeline import Timeline

TOPICS: Final = ("actions", "tasks", "emitted", "channel.email", "dead-letter")


@dataclass
class Watch:
    """Reads from the beginning, without a group, and tells the timeline.

    Attributes:
        bootstrap: Kafka.
        timeline: where it is shown.
        actions: every action by its id.
        tasks: the newest notice of every task by its id.
        emitted: every event for other systems.
        outcomes: how a message ended, by the id of its action.
        dead_letters: the reasons why records were refused.
    """

    bootstrap: str
    timeline: Timeline
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    emitted: list[dict[str, Any]] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    dead_letters: list[str] = field(default_factory=list)
    _persons: dict[str, Person] = field(default_factory=dict)
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        consumer = AIOKafkaConsumer(*TOPICS, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        self._task = asyncio.create_task(self._read(consumer))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def broken(self) -> None:
        """Returns never; raises what the reading broke down with."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def sent(self, person: Person, content: str = "") -> list[dict[str, Any]]:
        """Every message that was decided on for a person, of one content or of any."""
        return [
            action
            for action in self.actions.values()
            if self._whose(action) is person and content in ("", action["content"])
        ]

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(consumer.stop)
            async for record in consumer:
                self._take(record.topic, record.value, dict(record.headers))

    def _take(self, topic: str, value: bytes | None, headers: dict[str, bytes]) -> None:
        if topic == "dead-letter":
            self.dead_letters.append(headers["reason"].decode())
        elif value is not None:
            take = {"actions": self._action, "tasks": self._notice, "emitted": self._event}.get(topic, self._outcome)
            take(json.loads(value))

    def _action(self, action: dict[str, Any]) -> None:
        if action.get("kind", "send") != "send" or action["id"] in self.actions:
            return
        self.actions[action["id"]] = action
        self._row(action, action["channel"], f"is to get {action['content']}", _where_from(action))

    def _notice(self, task: dict[str, Any]) -> None:
        before = self.tasks.get(task["id"], {}).get("state")
        self.tasks[task["id"]] = task
        if task["state"] != before:
            self._row(task, "people", f"task for {task['queue']}: {task['state']}", _where_from(task))

    def _event(self, event: dict[str, Any]) -> None:
        self.emitted.append(event)
        told = ", ".join(f"{name} {value}" for name, value in event["data"].items())
        self._row(event, "systems", f"{event['type']}: {told}", "told to other systems on the topic emitted")

    def _outcome(self, event: dict[str, Any]) -> None:
        if event["source"] == "delivery":
            self.outcomes[event["data"]["message"]] = event["type"]

    def _row(self, about: dict[str, Any], channel: str, what: str, why: str) -> None:
        self.timeline.row("decided", self._whose(about).name, channel, what, why)

    def _whose(self, about: dict[str, Any]) -> Person:
        """Whom a record is about: by the deciding node, or by a person id seen before."""
        person = whose(about.get("node", ""))
        if person is HOUSE:
            return self._persons.get(about.get("person", ""), HOUSE)
        self._persons[about.get("person", "")] = person
        return person


def _where_from(record: dict[str, Any]) -> str:
    return f"scenario {record['scenario']}, step {record['step']}"
