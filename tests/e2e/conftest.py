"""One broker for all tests here, with the topics made and the bundle published by the product's own commands.

Topic names are fixed, so the tests share them: each has customers of its own, and looks at what came after its start.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.slow_broker import ProxiedKafka

sys.path.insert(0, str(Path(__file__).parent))

from e2e_product import Cluster, Product, command, start_or_skip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker with the topics and the bundle of these tests."""
    folder = tmp_path_factory.mktemp("cluster")
    broker = ProxiedKafka(folder / "kafka")
    start_or_skip(broker)
    try:
        cluster = Cluster(broker.bootstrap, folder, broker=broker)
        command(cluster, "topics", "apply")
        command(cluster, "publish", str(cluster.bundle))
        yield cluster
    finally:
        broker.stop()


@pytest.fixture
async def product(cluster: Cluster, unique: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Product]:
    """The processes of one test, all ended after it; `product.run` is the prefix of its customers' names."""
    product = Product(cluster, tmp_path, unique("t"))
    await product.open()
    yield product
    await product.close()
