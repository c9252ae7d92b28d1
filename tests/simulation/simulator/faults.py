"""What can go wrong, by name, and in how many seeds it must: a fault that never comes proves nothing."""

from collections import Counter
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """Something that a seed may have had."""

    IN_PARTS = "a batch that is taken back and applied in parts"
    RELEASE_TAKEN_BACK = "a release in such a batch"
    TOPICS_CROSS = "topics read in another order than their records came"
    TOLD_AGAIN = "an event told again under its key"
    TOLD_ELSEWHERE = "an event told again under another key"
    KEY_OF_ANOTHER = "an event under a key that is not its own"
    NO_KEY = "an event without a key"
    OUT_OF_ORDER = "an event told behind a newer one"
    LATE = "an event later than may be"
    ECHO = "a message that comes again"
    CRASH_BEFORE_WRITING = "a crash before a batch is written"
    CRASH_IN_WRITING = "a crash with part of a batch written"
    CRASH_BEFORE_SENDING = "a crash between writing and sending"
    CRASH_IN_SENDING = "a crash with part of a batch sent"
    CRASH_BEFORE_COMMIT = "a crash between sending and committing"
    CRASH_AFTER_COMMIT = "a crash just behind a commit"
    CRASH_IN_RECOVERY = "a crash before the first input"
    CRASH_WITH_MANY = "a crash with several batches in flight"
    REPLAY = "records read again after a crash"
    TICK_AGAIN = "a tick read again after a crash"
    ROWS_BEFORE_REPLAY = "rows that change between a crash and its replay"
    RELEASE_BEFORE_REPLAY = "a release between a crash and its replay"
    OUTBOX_AGAIN = "an outbox sent again"
    GIVEN_UP = "a partition given up in order"
    TABLE_KEPT = "a partition that comes back to who kept its table"
    ZOMBIE = "a worker that has lost a partition and does not know"
    ZOMBIE_DECIDES = "such a worker that works on"
    ZOMBIE_WRITES = "its writes behind those of its successor"
    FENCED = "a worker that meets such writes as it begins"
    TICK = "a tick"
    ENTRY_WAITS = "entries that wait for a merge"
    ENTRY_TRAVELS = "such entries in a parcel"
    ENTRY_ASKS = "such entries that ask who does not come"
    PARCEL = "a customer that moves"
    PARCEL_OF_MANY = "a customer of several identifiers that moves"
    PARCEL_UNDER_WAY = "a customer in the middle of a journey that moves"
    MOVES_TWICE = "an identifier that moves more than once"
    REFUSED = "a customer that is refused"
    CUT = "an identifier that is let go"
    CONFLICT = "identifiers that must not become one"
    LOGOUT = "a logout"
    ERASURE = "an erasure"
    REFERENCE = "a reference that gets its owner"
    REFERENCE_WAITS = "an event that waits for the owner of its reference"
    UNOWNED = "an event whose reference nobody owns"
    RELEASE = "a release at somebody who is under way"
    RELEASE_SKEW = "partitions on different releases"
    RELEASE_MISSING = "a release that a worker has not read"
    RETIRED = "a release that is retired"
    TICK_TO_RETIRED = "a change to a release that is retired meanwhile"
    RETIRED_TOO_EARLY = "somebody on a retired release"
    PUT_BACK = "a retired release that somebody turns out to be on"
    BUSY_CHANNEL = "a channel that takes a message later"
    DELIVERY_BEFORE_LEDGER = "delivery interrupted before its ledger"
    DELIVERY_BEFORE_TELLING = "delivery interrupted before it tells"
    DELIVERY_BEFORE_COMMIT = "delivery interrupted before it commits"
    RECALLED = "a message recalled"


_SELDOM: Final = (
    Fault.CRASH_IN_WRITING, Fault.CRASH_IN_SENDING, Fault.CRASH_AFTER_COMMIT, Fault.REFUSED, Fault.LOGOUT,
)  # fmt: skip
LEAST: Final[dict[Fault, float]] = {
    **dict.fromkeys(Fault, 0.05),
    **dict.fromkeys(_SELDOM, 0.01),
    Fault.RELEASE_MISSING: 0.002,
    Fault.RELEASE_TAKEN_BACK: 0.002,
    Fault.RECALLED: 0.0,
    **dict.fromkeys((Fault.RETIRED, Fault.TICK_TO_RETIRED, Fault.RETIRED_TOO_EARLY, Fault.PUT_BACK), 0.0),
}
"""In which share of the mixed seeds each must come, at least."""

LEAST_DEEP: Final[dict[Fault, float]] = dict.fromkeys(
    (Fault.CRASH_IN_WRITING, Fault.CRASH_IN_SENDING, Fault.CRASH_AFTER_COMMIT), 0.05
)
"""The same, of the seeds of one worker that crashes all the time."""

LEAST_DENIED: Final[dict[Fault, float]] = dict.fromkeys((Fault.RECALLED, Fault.ERASURE, Fault.PARCEL), 0.05)
"""The same, of the seeds of people who take their consent back."""

LEAST_RETIRED: Final[dict[Fault, float]] = {Fault.RETIRED: 0.2, Fault.PUT_BACK: 0.02}
"""The same, of the seeds of releases that are retired."""

Met = Counter[Fault]
"""How often each fault came: in a seed, or in how many seeds."""
