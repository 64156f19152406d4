"""What is counted of a server, for Prometheus: no text, and nothing that grows with what is asked."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SIZES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "taiyi_requests", "Requests by address, method and status.", ("path", "method", "status"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "taiyi_request_seconds", "From the request to the end of its answer.", ("path",), buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.in_flight = Gauge("taiyi_requests_in_flight", "Requests under way.", registry=self.registry)
        self.batches = Histogram(
            "taiyi_batch_questions", "How many questions were answered together.", buckets=_SIZES,
            registry=self.registry,
        )  # fmt: skip
        self.batch_seconds = Counter(
            "taiyi_batch_seconds", "Seconds in which questions were answered.", registry=self.registry
        )
        self.tokens = Counter(
            "taiyi_chat_tokens", "Tokens of dialogues that the model of this process answered.", ("kind",),
            registry=self.registry,
        )  # fmt: skip

    def waiting(self, count: Callable[[], int]) -> None:
        """Say how many questions wait is counted."""
        gauge = Gauge("taiyi_questions_waiting", "Questions that wait to be answered.", registry=self.registry)
        gauge.set_function(count)

    def seen(self, count: int, seconds: float) -> None:
        """Count a batch."""
        self.batches.observe(count)
        self.batch_seconds.inc(seconds)

    def text(self) -> bytes:
        """Return all numbers, as Prometheus reads them."""
        return generate_latest(self.registry)
