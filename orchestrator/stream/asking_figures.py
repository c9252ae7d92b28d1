"""Asking's observer on the product's metrics."""

from orchestrator.telemetry import metrics
from orchestrator.telemetry.recorder import Recorder


class AskFigures:
    """An `AskObserver` that counts in a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def asked(self, outcome: str, seconds: float) -> None:
        self._recorder.add(metrics.ASKS, outcome)
        self._recorder.observe(metrics.ASK_SECONDS, seconds)

    def failed(self, error: BaseException) -> None:
        """Count it by class, which is one of ours or of Python's and never names a customer."""
        self._recorder.add(metrics.FAILURES, f"asking {type(error).__name__}")
