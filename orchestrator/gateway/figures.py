"""The gateway's observer on the product's metrics and log events."""

from collections.abc import Container, Sequence
from typing import Final

from orchestrator.telemetry import metrics
from orchestrator.telemetry.events import (
    BrokerAcknowledges,
    BrokerSilent,
    BundleRefused,
    BundleTaken,
    LinkKeyMissing,
    ProducerRenewed,
    RequestFailed,
    WorkerRefusesKey,
)
from orchestrator.telemetry.log import EventLog
from orchestrator.telemetry.recorder import Recorder

_NOT_RECOGNISED: Final = "who follows a link is not recognised here, and unsubscribe links do not work"


class Figures:
    """An `Observer`: counts in a recorder, and writes what an operator must see to the log."""

    def __init__(self, recorder: Recorder, log: EventLog, link_tenants: Container[str] = ()) -> None:
        """`link_tenants` are those that this gateway has keys for links of."""
        self._recorder = recorder
        self._log = log
        self._link_tenants = link_tenants

    def requested(self, route: str, status: int, seconds: float) -> None:
        self._recorder.add(metrics.REQUESTS, route, str(status))
        self._recorder.observe(metrics.REQUEST_SECONDS, seconds, route)

    def accepted(self, channel: str, event_type: str) -> None:
        self._recorder.add(metrics.GATEWAY_EVENTS, channel, event_type)

    def undeclared(self, channel: str, code: str) -> None:
        self._recorder.add(metrics.GATEWAY_UNDECLARED, channel, code)

    def refused(self, reason: str) -> None:
        self._recorder.add(metrics.REFUSALS, reason)

    def token(self, outcome: str) -> None:
        self._recorder.add(metrics.TOKENS, outcome)

    def asked(self, outcome: str, seconds: float) -> None:
        self._recorder.observe(metrics.QUESTION_SECONDS, seconds, outcome)

    def acknowledged(self, seconds: float) -> None:
        self._recorder.observe(metrics.PRODUCE_SECONDS, seconds)

    def renewed(self) -> None:
        self._log.emit(ProducerRenewed())

    def broker_silent(self, silent: bool) -> None:
        self._log.emit(BrokerSilent() if silent else BrokerAcknowledges())

    def locked_out(self, worker: str) -> None:
        self._log.emit(WorkerRefusesKey(worker))

    def release_taken(self, release: str, scenarios: int) -> None:
        self._log.emit(BundleTaken(release, scenarios))

    def signs_links(self, tenant: str, channels: Sequence[str]) -> None:
        if tenant not in self._link_tenants:
            self._log.emit(LinkKeyMissing(", ".join(channels), _NOT_RECOGNISED))

    def release_refused(self, release: str, errors: int, code: str, place: str) -> None:
        self._log.emit(BundleRefused(release, errors, code, place))

    def left_aside(self, topic: str) -> None:
        self._recorder.add(metrics.DEAD_LETTERS, f"unreadable_{topic}")

    def failed(self, request_id: str, error: BaseException) -> None:
        self._log.emit(RequestFailed(request_id, where(error)))


def where(error: BaseException) -> str:
    """An error's class and the line that raised it: enough to find it, and nothing of what it quotes."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_qualname} of {code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
