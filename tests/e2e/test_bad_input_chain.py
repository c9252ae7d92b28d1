"""What cannot be taken in goes aside with its bytes and the reason, and harms nothing beside it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, opened, visits
from e2e_customers import event
from e2e_product import command, until

if TYPE_CHECKING:
    from pathlib import Path

    from e2e_books import Books
    from e2e_customers import Written
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

AFTER_TOMORROW = "2999-01-01T00:00:00Z"


def bad_records(run: str) -> dict[str, tuple[str, Written]]:
    """By what is wrong with it: the reason that must be given, and the record."""
    key = f"default/user_id:{run}-bad".encode()

    def record(value: bytes, channel: str = "channel.web") -> Written:
        return channel, key, value

    def page(**changes: object) -> bytes:
        whole = json.loads(event(f"{run}-bad", "page_viewed", user_id=f"{run}-bad", page="/"))
        return json.dumps({**whole, **changes}).encode()

    without_type = json.loads(page())
    del without_type["type"]
    deep = b'{"user_id":"u","page":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    return {
        "no identifier": ("no_identifier", record(page(data={"page": "/"}))),
        "no type": ("undecodable", record(json.dumps(without_type).encode())),
        "in the future": ("future_time", record(page(time=AFTER_TOMORROW))),
        "1 MB of properties": ("too_large", record(page(data={"user_id": "u", "page": "x" * (1 << 20)}))),
        "broken UTF-8": ("undecodable", record(page().replace(b'"/"', b'"\xff\xfe"'))),
        "NaN": ("undecodable", record(page(data={"user_id": "u", "page": "/", "n": float("nan")}))),
        "deep nesting": ("undecodable", record(page().replace(page()[page().index(b'{"user_id"') : -1], deep))),
        "a text for a number": ("bad_property", record(page(type="order_placed", data={"user_id": "u", "total": "x"}))),
        "a required property left out": ("missing_property", record(page(type="page_read", data={"user_id": "u"}))),
        "another tenant": ("unknown_tenant", record(page(tenant="somebody-else"))),
        "no JSON at all": ("undecodable", record(b"\x00\x01\x02")),
        "nothing at all": ("undecodable", record(b"")),
        "no message between nodes": ("undecodable", ("customer.inputs", key, b"not a message")),
    }


async def test_bad_records_go_to_dead_letter_and_every_good_event_around_them_counts(product: Product) -> None:
    bad = bad_records(product.run)
    good: list[Written] = []
    for number in range(2 * len(bad) + 2):
        name = f"{product.run}-{number % 3}"
        value = event(f"{product.run}-{number}", "page_viewed", user_id=name, page="/")
        key = None if number % 4 == 0 else f"default/user_id:{name}".encode()  # no key is no fault: it is passed on
        good.append(("channel.web", key, value))
    stream = [
        *good[:1],
        *(
            one
            for number, (_, each) in enumerate(bad.values())
            for one in (each, *good[2 * number + 1 : 2 * number + 3])
        ),
        good[-1],
    ]
    assert sorted(each[2] for each in stream) == sorted(
        [*(each[2] for each in good), *(each[2] for _, each in bad.values())]
    )
    async with opened(product.cluster.bootstrap, "channel.web", "customer.inputs") as books:
        worker = await product.ready_worker()
        await product.send(stream)

        async def all_there() -> bool:
            await books.read()
            return counted(books, product.run) >= len(good) and len(books.of(DEAD_LETTER)) >= len(bad)

        await until(all_there, why=worker.words)
        worker.terminate()
        assert await worker.ended() == 0, worker.words()
        await books.read()
        assert counted(books, product.run) == len(good)
        where = {
            record.value: (record.topic, record.partition, record.offset)
            for topic in ("channel.web", "customer.inputs")
            for record in books.of(topic)
        }
        found = {}
        for letter in books.of(DEAD_LETTER):
            headers = {name: value.decode() for name, value in letter.headers}
            found[letter.value] = (headers["reason"], letter.key)
            assert (headers["topic"], int(headers["partition"]), int(headers["offset"])) == where[letter.value]
        assert found == {written[2]: (reason, written[1]) for reason, written in bad.values()}
        assert len(books.of(DEAD_LETTER)) == len(bad)


def counted(books: Books, run: str) -> int:
    return sum(visits(customer) for customer in books.customers(run).values())


BROKEN = {
    "field.yaml": ("scenario: a\nentri: {on: page_viewed}\nsteps: []\n", "field.yaml:2:1", "E-FIELD"),
    "twice.yaml": (
        (
            "scenario: b\nentry: {on: page_viewed}\nsteps:\n"
            "  - {id: x, send: {content: em.welcome}}\n  - {id: x, send: {content: em.welcome}}\n"
        ),
        "twice.yaml:5:",
        "E-STEP",
    ),
    "condition.yaml": (
        "scenario: c\nentry: {on: page_viewed, where: event.pge ==}\nsteps: [{id: x, send: {content: em.welcome}}]\n",
        "condition.yaml:2:",
        "E-CEL",
    ),
    "bomb.yaml": (
        "scenario: d\nx: &a [1, 1]\ny: &b [*a, *a, *a]\nz: [*b, *b, *b]\n",
        "bomb.yaml:2:4",
        "E-",
    ),
    "content.yaml": (
        "scenario: e\nentry: {on: page_viewed}\nsteps:\n  - {id: x, send: {content: em.welcom}}\n",
        "content.yaml:4:",
        "E-CONTENT",
    ),
}


async def test_a_bundle_with_errors_is_refused_with_their_places_and_the_live_one_goes_on(
    product: Product, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(product.cluster.bundle, folder)
    for name, (text, _, _) in BROKEN.items():
        (folder / name).write_text(text)
    async with opened(product.cluster.bootstrap, "bundles") as books:
        refused = command(product.cluster, "publish", str(folder), code=2)
        for name, (_, place, code) in BROKEN.items():
            lines = [line for line in refused.stderr.splitlines() if place in line]
            assert any(code in line for line in lines), f"{name}: {place} {code} is not in\n{refused.stderr}"
        assert "was not published" in refused.stderr
        worker = await product.ready_worker()
        name = f"{product.run}-1"
        value = event(f"{name}-1", "product_viewed", user_id=name, email=f"{name}@example.com", sku="s")
        await product.send([("channel.web", f"default/user_id:{name}".encode(), value)])

        async def told() -> bool:
            return len((await books.read()).sends(product.run)) == 1

        await until(told, why=worker.words)
        assert books.of("bundles") == []
        taken = [line["release"] for line in worker.lines() if line.get("event") == "bundle_taken"]
        assert books.sends(product.run)[0]["release"] in taken
