"""The embedded broker: a real Apache Kafka for development, the demo and tests, on wheels alone."""

from orchestrator.stream.broker.errors import BrokerError, JarsError, JavaError, StartError
from orchestrator.stream.broker.kafka import EmbeddedKafka

__all__ = ["BrokerError", "EmbeddedKafka", "JarsError", "JavaError", "StartError"]
