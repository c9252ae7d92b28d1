"""Delivery that starts while a release with errors counts: follows the newest one without, and tells why."""

import hashlib
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from orchestrator.delivery.bundle_contents import BundleContents, loader
from orchestrator.delivery.run import _Bundles
from orchestrator.language.bundle import EventSchemas
from orchestrator.stream.releases import Releases
from orchestrator.telemetry import Recorder, metrics

if TYPE_CHECKING:
    from orchestrator.delivery.run import Parts

LIMITED = b"""
bundle: shop
---
channels: default
define: {email: {sends: push, address: email}}
---
identity: default
namespaces: {email: unique}
---
policy: contact
preferred_order: [email]
rate_limit: {email: {limit: 5, per: 1m}}
"""


def publish(release: str, text: bytes) -> list[tuple[bytes, bytes]]:
    blob = hashlib.sha256(text).hexdigest()
    return [
        (blob.encode(), text),
        (f"shop/release/{release}".encode(), msgspec.json.encode({"release": release, "files": {"a.yaml": blob}})),
    ]


def counts(release: str) -> tuple[bytes, bytes]:
    return b"shop/release", msgspec.json.encode({"release": release, "published_at": 0})


async def test_of_all_that_was_published_before_a_start_only_what_counts_is_read(
    bundles: _Bundles, caplog: pytest.LogCaptureFixture
) -> None:
    """Each took half a second: after some hundreds delivery stood still for minutes whenever it was started."""
    rows = [each for name in ("one", "two", "three") for each in (*publish(name, LIMITED), counts(name))]
    with caplog.at_level(logging.INFO, "orchestrator"):
        await bundles._rows(rows)
        bundles._caught_up = True
        await bundles._follow("shop")
        await bundles._rows([*publish("four", LIMITED), counts("four"), counts("four")])
    assert caplog.messages == ["release three taken: 0 scenarios", "release four taken: 0 scenarios"]


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture
def bundles() -> _Bundles:
    releases = Releases()
    parts = SimpleNamespace(
        connection={}, recorder=Recorder(), keys=lambda _: (), any_key=False, schemas=EventSchemas()
    )
    return _Bundles(cast("Parts", parts), releases, BundleContents(releases, loader(EventSchemas())))


@pytest.mark.parametrize("record", [(b"shop/release", b"{"), (b"shop/release", b'{"x":%b}' % DEEP), (b"\xff", b"")])
async def test_a_record_that_is_no_bundle_is_left_aside_and_counted(
    bundles: _Bundles, record: tuple[bytes, bytes]
) -> None:
    """It stays in the topic: a process that ended on it would do so at each start."""
    await bundles._rows([record, *publish("good", LIMITED), counts("good")])
    await bundles._follow("shop")
    assert bundles._recorder.value(metrics.DEAD_LETTERS, "unreadable_bundles") == 1
    assert bundles._contents.rate_limit("shop", "email") is not None


async def test_the_limits_of_the_release_before_hold_while_the_one_that_counts_has_errors(
    bundles: _Bundles, caplog: pytest.LogCaptureFixture
) -> None:
    contents = bundles._contents
    with caplog.at_level(logging.INFO, "orchestrator"):
        await bundles._rows([*publish("good", LIMITED), *publish("bad", b"bundle: {\n"), counts("bad")])
        assert contents.rate_limit("shop", "email") is None
        await bundles._follow("shop")
    limit = contents.rate_limit("shop", "email")
    assert limit is not None
    assert (limit.limit, limit.per) == (5, 60_000)
    refused, taken = caplog.messages
    assert refused.startswith("release bad refused: 1 errors, the first is E-")
    assert " at a.yaml:" in refused
    assert taken == "release good taken: 0 scenarios"
