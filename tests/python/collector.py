"""Receives traces by OTLP, as a collector does, and keeps them."""

import time
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Runs as long as its `with` block."""

    def __init__(self):
        self.spans: list[trace_pb2.Span] = []
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        self.url = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def Export(self, request, context):  # noqa: N802 (the name is the service's)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return otlp.ExportTraceServiceResponse()

    def __enter__(self) -> "Collector":
        self.server.start()
        return self

    def __exit__(self, *_) -> None:
        self.server.stop(None)

    def tree(self, trace_id: str, seconds: float = 20) -> dict[str, list[trace_pb2.Span]]:
        """The spans of a trace by the path of names that leads to them; waits for its root."""
        deadline = time.monotonic() + seconds
        while True:
            spans = [span for span in self.spans if span.trace_id.hex() == trace_id]
            by_id = {span.span_id: span for span in spans}
            roots = [span for span in spans if span.parent_span_id not in by_id]
            if any(root.name == "websocket turn" for root in roots) and len(roots) == 1:
                break
            assert time.monotonic() < deadline, f"the trace is not whole: {[span.name for span in roots]} are its roots"
            time.sleep(0.05)
        tree: dict[str, list[trace_pb2.Span]] = {}
        for span in spans:
            path = [span.name]
            above = span
            while above := by_id.get(above.parent_span_id):
                path.insert(0, above.name)
            tree.setdefault(" > ".join(path), []).append(span)
        return tree


def attributes(span: trace_pb2.Span) -> dict[str, object]:
    """What a span says of itself."""

    def plain(value):
        kind = value.WhichOneof("value")
        if kind == "array_value":
            return [plain(item) for item in value.array_value.values]
        return getattr(value, kind)

    return {attribute.key: plain(attribute.value) for attribute in span.attributes}
