"""A core that keeps books, to prove the lane with: every customer's count and total, an action for some events.

It does what the lane asks of a core and nothing more: the offsets of what is applied and an outbox stand in the
value, an ownership number in its head. Some events name a second customer and are passed on to them through the
topic `inputs`, so that an event lost or doubled on the way shows in the sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orchestrator.stream.lane.records import Batch, Outgoing, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = 9


class Entry(msgspec.Struct, frozen=True):
    """An event of the books; with `to`, the same amount is passed on to that customer."""

    id: str
    customer: str
    amount: int
    to: str = ""


class Account(msgspec.Struct, array_like=True):
    count: int = 0
    total: int = 0
    offsets: dict[str, int] = {}
    """Topic -> the last offset applied."""
    outbox: list[tuple[str, int, str, bytes, bytes]] = []
    """(source topic, source offset, target topic, key, value)."""
    window: list[str] = []
    """Ids of what was passed on to this account: a resent outbox entry comes again, at another offset."""


decode_entry = msgspec.json.Decoder(Entry).decode
encode = msgspec.json.encode
pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.Decoder(Account).decode


def account_of(value: bytes) -> Account:
    return unpack(value[HEAD:])


class _Books:
    def __init__(self, values: Mapping[bytes, bytes], committed: Mapping[str, int]) -> None:
        self.values = values
        self.committed = dict(committed)
        self.number = 1
        self.ticked_at = 0


class LedgerCore:
    """Books for `channels` and `inputs`; actions go to `actions`, ticks to `inputs`."""

    def __init__(self, channels: tuple[str, ...], inputs: str, actions: str) -> None:
        self.input_topics = (*channels, inputs)
        self._inputs = inputs
        self._actions = actions
        self._books: dict[int, _Books] = {}

    def accepts(self, previous: int, value: bytes, /) -> int:
        number = int.from_bytes(value[:8], "big")
        return number if number >= previous else -1

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        books = self._books[partition] = _Books(values, committed)
        again = []
        for value in values.values():
            books.number = max(books.number, int.from_bytes(value[:8], "big") + 1)
            if value[8]:
                again += [
                    Outgoing(topic, to, sent)
                    for source, offset, topic, to, sent in account_of(value).outbox
                    if offset >= committed.get(source, 0)
                ]
        return Batch([(b"partition:%d" % partition, self._value(books, Account()))], again, {})

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        books = self._books[partition]
        touched: dict[bytes, Account] = {}
        sends: list[Outgoing] = []
        offsets: dict[str, int] = {}
        for record in records:
            offsets[record.topic] = record.offset + 1
            assert record.value is not None
            if record.key != b"tick":
                self._apply(books, touched, record, sends)
        return Batch([(key, self._value(books, account)) for key, account in touched.items()], sends, offsets)

    def _apply(self, books: _Books, touched: dict[bytes, Account], record: Record, sends: list[Outgoing]) -> None:
        assert record.value is not None
        entry = decode_entry(record.value)
        key = entry.customer.encode()
        account = touched.get(key)
        if account is None:
            value = books.values.get(key)
            account = touched[key] = account_of(value) if value else Account(offsets={}, outbox=[], window=[])
        if record.offset <= account.offsets.get(record.topic, -1):
            return
        account.offsets[record.topic] = record.offset
        if record.topic == self._inputs:
            if entry.id in account.window:
                return
            account.window.append(entry.id)
        account.count += 1
        account.total += entry.amount
        for sent in self._leads_to(entry, key):
            sends.append(sent)
            assert sent.key is not None
            account.outbox.append((record.topic, record.offset, sent.topic, sent.key, sent.value))

    def _leads_to(self, entry: Entry, key: bytes) -> list[Outgoing]:
        sends = []
        if entry.amount % 4 == 0:
            sends.append(Outgoing(self._actions, key, encode({"id": entry.id, "amount": entry.amount})))
        if entry.to:
            passed_on = Entry(entry.id + "/to", entry.to, entry.amount)
            sends.append(Outgoing(self._inputs, entry.to.encode(), encode(passed_on)))
        return sends

    def _value(self, books: _Books, account: Account) -> bytes:
        account.outbox = [each for each in account.outbox if each[1] >= books.committed.get(each[0], 0)]
        return books.number.to_bytes(8, "big") + bytes([bool(account.outbox)]) + pack(account)

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        self._books[partition].committed.update(offsets)

    def revoked(self, partition: int) -> None:
        del self._books[partition]

    def tick(self, partition: int, now: int) -> Outgoing | None:
        books = self._books[partition]
        if now - books.ticked_at < 1000:
            return None
        books.ticked_at = now
        return Outgoing(self._inputs, b"tick", b"{}")
