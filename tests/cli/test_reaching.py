"""What Kafka's clients raise becomes one line that says what to do; what is not Kafka's stays what it is."""

from __future__ import annotations

import logging

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from orchestrator.cli.clusters import reaching
from orchestrator.cli.errors import UserError
from orchestrator.cli.settings import KafkaSettings
from orchestrator.stream.topics import TopicFault, TopicsError

NOBODY = KafkaSettings(bootstrap="127.0.0.1:1")
AMY = KafkaSettings.model_validate(
    {"bootstrap": "127.0.0.1:1", "security": "SASL_PLAINTEXT", "username": "amy", "password": "canary"}
)


def told(error: Exception, kafka: KafkaSettings = NOBODY) -> str:
    with pytest.raises(UserError) as caught, reaching(kafka):
        raise error
    return str(caught.value)


@pytest.mark.parametrize("error", [KafkaConnectionError(), ConnectionResetError(), TimeoutError()])
def test_who_cannot_be_reached_is_looked_at_once_more_for_the_reason(error: Exception) -> None:
    assert told(error).startswith("cannot use Kafka: 127.0.0.1:1 does not answer (Connection refused): start one with")


def test_a_right_that_is_missing_is_told_with_the_user_who_lacks_it() -> None:
    said = told(TopicAuthorizationFailedError("bundles"), AMY)
    assert said.startswith("Kafka at 127.0.0.1:1 refused: user 'amy' lacks a right (TopicAuthorizationFailedError")
    assert "guide for operators" in said
    assert "canary" not in said


@pytest.mark.parametrize("error", [UnknownTopicOrPartitionError(), KafkaTimeoutError()])
def test_a_topic_that_may_be_missing_is_told_with_how_to_see(error: Exception) -> None:
    assert told(error).endswith("is a topic missing? `orchestrator topics check` says")


def test_topics_that_are_not_as_declared_speak_for_themselves() -> None:
    assert told(TopicsError([TopicFault("actions", "is not there")])) == "actions: is not there"


@pytest.mark.parametrize("error", [FileNotFoundError("scenarios"), ValueError("a defect")])
def test_what_is_not_kafkas_is_left_alone(error: Exception) -> None:
    with pytest.raises(type(error)), reaching(NOBODY):
        raise error


def test_clients_are_silent_meanwhile_and_speak_again_afterwards() -> None:
    clients = logging.getLogger("aiokafka")
    before = clients.level
    with reaching(NOBODY):
        assert clients.level == logging.CRITICAL
    assert clients.level == before
