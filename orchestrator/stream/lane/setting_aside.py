"""A record that cannot be applied: whether the partition may go on without it, and what is told of it."""

import traceback
from pathlib import PurePath
from typing import NamedTuple

import msgspec

from orchestrator.model.effect import INPUTS
from orchestrator.model.message import Applied, Change, decode_message
from orchestrator.stream.lane.records import Record


class Failed(NamedTuple):
    """A record that raised, and where: nothing of what it says."""

    topic: str
    partition: int
    offset: int
    error: str
    place: str


def may_be_set_aside(record: Record) -> bool:
    """Whether a record is an event, which dead-letter keeps for later.

    A message between nodes is not: a customer may be in it. Nor is a tick, which others would follow.
    """
    if record.topic != INPUTS:
        return True
    try:
        return isinstance(decode_message(record.value or b""), (Applied, Change))
    except (msgspec.DecodeError, ValueError):
        return False


def failed_at(record: Record, problem: Exception) -> Failed:
    """What is told of a record that raised."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return Failed(record.topic, record.partition, record.offset, type(problem).__name__, place)
