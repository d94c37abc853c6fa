"""HTTP/2 frames put into a connection or taken out of it (RFC 9113, section 4.1): what a balancer or a peer may do."""

import struct
from dataclasses import dataclass, field

DATA, HEADERS, RST_STREAM, GOAWAY = 0x0, 0x1, 0x3, 0x7
CANCEL = 0x8
# Length (24 bits), kind, flags, stream.
HEAD = struct.Struct(">HBBBI")


def frame(kind: int, stream: int, payload: bytes) -> bytes:
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, 0, stream) + payload


@dataclass
class Tampering:
    """Looks at the frames a server sends on one connection; whole frames go on, and what is injected goes between."""

    # Streams that have had headers and not yet an end.
    streams: set[int] = field(default_factory=set)
    _silenced: set[int] = field(default_factory=set)
    _inject: list[bytes] = field(default_factory=list)
    _rest: bytes = b""

    def reset_streams(self) -> int:
        """Resets every open stream, as a balancer may at any time; what the server says on them is dropped."""
        self._inject += [frame(RST_STREAM, stream, struct.pack(">I", CANCEL)) for stream in sorted(self.streams)]
        self._silenced |= self.streams
        count = len(self.streams)
        self.streams.clear()
        return count

    def go_away(self) -> None:
        """The server takes no further streams on this connection; those that are open go on."""
        self._inject.append(frame(GOAWAY, 0, struct.pack(">II", 2**31 - 1, 0)))

    def take(self, data: bytes) -> bytes:
        """What of `data`, and of what came before, goes on now."""
        self._rest += data
        passed = []
        while len(self._rest) >= HEAD.size:
            high, low, kind, flags, stream = HEAD.unpack_from(self._rest)
            size = HEAD.size + (high << 8 | low)
            if len(self._rest) < size:
                break
            whole, self._rest = self._rest[:size], self._rest[size:]
            if kind == HEADERS and not flags & 1:
                self.streams.add(stream)
            elif (kind in (HEADERS, DATA) and flags & 1) or kind == RST_STREAM:
                self.streams.discard(stream)
            if stream not in self._silenced or kind not in (HEADERS, DATA, RST_STREAM):
                passed.append(whole)
        # Between frames: nothing of one that is not whole has gone on.
        passed += self._inject
        self._inject.clear()
        return b"".join(passed)
