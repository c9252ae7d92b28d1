"""Topic files: what ships, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.gateway.schemas import compile_schema
from orchestrator.stream.topics import (
    DeclarationError,
    TopicDeclaration,
    declarations_dir,
    event_schemas,
    load_declarations,
    read_declaration,
)
from orchestrator.stream.topics.files import PACKAGED

DAY = 86_400_000
CHANNELS = (
    "app brand chat chatbot crm email kiosk ml oms ooh phone price provider push sms social stock store tv voice web"
)
SHIPPED = {each.topic: each for each in load_declarations(PACKAGED)}


def test_every_channel_of_the_stories_has_a_topic_and_so_has_all_that_is_not_a_channel() -> None:
    assert sorted(each.channel for each in SHIPPED.values() if each.channel) == CHANNELS.split()
    assert {name for name in SHIPPED if not name.startswith("channel.")} == {
        "actions",
        "bundles",
        "customer.inputs",
        "dead-letter",
        "emitted",
        "erasures",
        "facts",
        "orchestrator-customers-changelog",
        "orchestrator-delivery-deliveries-changelog",
        "tasks",
        "workers",
    }


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("channel.")] + ["customer.inputs"])
def test_input_topics_share_one_partition_count_and_the_brokers_clock(name: str) -> None:
    settings = SHIPPED[name].settings()
    assert SHIPPED[name].partition_count(8) == 8
    assert settings["message.timestamp.type"] == "LogAppendTime"
    assert settings["max.message.bytes"] == str(2 * 1024 * 1024)
    assert (settings["cleanup.policy"], settings["retention.ms"]) == ("delete", str(7 * DAY))


def test_tables_are_compacted_and_lie_on_the_partitions_of_what_they_answer() -> None:
    customers, ledger = (
        SHIPPED["orchestrator-customers-changelog"],
        SHIPPED["orchestrator-delivery-deliveries-changelog"],
    )
    assert customers.settings()["cleanup.policy"] == ledger.settings()["cleanup.policy"] == "compact"
    assert customers.partition_count(8) == SHIPPED["customer.inputs"].partition_count(8)
    assert ledger.partition_count(8) == SHIPPED["actions"].partition_count(8)
    assert "retention.ms" not in customers.settings()


def test_what_must_stay_in_order_has_one_partition_and_dead_letters_stay_a_month() -> None:
    assert {SHIPPED[name].partition_count(8) for name in ("bundles", "erasures", "facts", "workers")} == {1}
    assert SHIPPED["dead-letter"].retention == 30 * DAY
    assert SHIPPED["dead-letter"].max_message > SHIPPED["channel.web"].max_message


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("channel.")])
def test_the_example_of_a_channel_is_an_event_that_its_own_schema_takes(name: str) -> None:
    topic = SHIPPED[name]
    assert topic.example is not None
    assert topic.example["channel"] == topic.channel
    schema = event_schemas([topic])[topic.channel or ""][topic.example["type"]]
    assert list(compile_schema(schema)(topic.example["data"], "data")) == []


def test_schemas_are_found_by_channel_and_type_and_say_the_types_of_properties() -> None:
    schemas = event_schemas(SHIPPED.values())
    read = schemas["web"]["page_read"]
    assert read["required"] == ["page", "seconds"]
    assert read["properties"]["seconds"]["type"] == "number"
    assert schemas["store"]["purchase"]["properties"]["items"]["items"] == {"type": "string"}
    assert "customer.inputs" not in schemas


def test_one_property_name_has_one_type_wherever_it_stands() -> None:
    kinds: dict[str, set[str]] = {}
    for events in event_schemas(SHIPPED.values()).values():
        for schema in events.values():
            for name, each in schema.get("properties", {}).items():
                kinds.setdefault(name, set()).add(each["type"])
    assert {name: types for name, types in kinds.items() if len(types) > 1} == {}


GOOD: dict[str, Any] = {
    "topic": "channel.web",
    "key": "node",
    "partitions": "inputs",
    "cleanup": "delete",
    "retention": "7d",
    "record_time": "broker",
    "description": "d",
    "events": {"read": {"type": "object", "properties": {"page": {"type": "string"}}}},
}


def fault(folder: Path, change: dict[str, Any]) -> str:
    path = folder / "channel.web.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **change}), "utf-8")
    with pytest.raises(DeclarationError) as caught:
        read_declaration(path)
    (line,) = caught.value.faults
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def event(schema: dict[str, Any]) -> dict[str, Any]:
    return {"events": {"read": schema}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"retenton": "7d"}, "retenton: no topic has this field; it may have topic, key, partitions"),
        ({"retention": "7 days"}, "retention: write it as a whole number and a unit (h, d), such as 7d"),
        ({"retention": None}, "give retention with cleanup: delete, and leave it out with cleanup: compact"),
        ({"partitions": 4}, "a channel's topic has partitions: inputs and record_time: broker"),
        ({"record_time": "producer"}, "a channel's topic has partitions: inputs and record_time: broker"),
        ({"topic": "channel.wob"}, "topic is channel.wob; call the file channel.wob.yaml"),
        ({"events": {}}, "events belong to the topics of channels, and only to them"),
        (event({"type": "string"}), "events.read: type must be object: the schema is that of the event's data"),
        (
            event({"type": "object", "properties": {"page": {"type": "text"}}}),
            "events.read: page: type is 'text'; write one of string, number",
        ),
        (
            event({"type": "object", "properties": {"meta": {"type": "string"}}}),
            "events.read: a property may not be called meta: conditions use the name otherwise",
        ),
        (
            event({"type": "object", "required": ["page"]}),
            "events.read: the schema: 'page' is required but not declared",
        ),
    ],
)
def test_a_wrong_file_is_told_where_and_what_to_write(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    assert fault(tmp_path, change).startswith(told)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = tmp_path / "channel.web.yaml"
    path.write_text(yaml.safe_dump({name: value for name, value in GOOD.items() if name != "key"}), "utf-8")
    with pytest.raises(DeclarationError, match=r"key: is missing"):
        read_declaration(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("topic: a\ntopic: b\n", ":2:1: 'topic' is given twice"),
        ("topic: [a\n", r":2:1: did not find expected"),
        ("- a\n", ": Input should be a valid dictionary"),
        ("topic: \x00\n", ": is no YAML"),
    ],
)
def test_broken_yaml_is_told_the_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "actions.yaml").write_text(text, "utf-8")
    with pytest.raises(DeclarationError, match=f"actions.yaml{told}"):
        load_declarations(tmp_path)


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{", "utf-8")
    (tmp_path / "b.yaml").write_text("topic: b\n", "utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_declarations(tmp_path)
    assert {Path(line.split(":")[0]).name for line in caught.value.faults} == {"a.yaml", "b.yaml"}
    assert len(caught.value.faults) > 2


def test_an_empty_folder_says_which_setting_names_another(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"there are no topic files .* topics_dir"):
        load_declarations(tmp_path)


def test_the_folder_is_the_chosen_one_else_here_else_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert declarations_dir() == PACKAGED
    (tmp_path / "topics").mkdir()
    assert declarations_dir() == Path("topics")
    assert declarations_dir(Path("/elsewhere")) == Path("/elsewhere")


def test_own_settings_of_a_topic_go_to_the_broker() -> None:
    topic = TopicDeclaration.model_validate({**GOOD, "config": {"segment.bytes": "1048576"}})
    assert topic.settings()["segment.bytes"] == "1048576"
