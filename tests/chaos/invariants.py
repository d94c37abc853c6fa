"""What holds whatever happens: the same exact rules for every scenario.

Each function looks at what was seen and returns violations; none of them knows which fault there was. What a fault may
do to those who look on is said in `Allowed`, which is nothing unless a scenario says so.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from answers import answer_to
from compare import history, is_echo_of, short, shown, since_last_gap, told, turns, whole_texts
from dragoman.chat.v1 import chat_pb2 as pb
from follower import Follower, Log
from tab import FINALS, Connection, Tab

# A frame that came this long before its connection ended was certainly received.
RECEIVED_SECONDS = 3.0
PANICS = ("panicked at", "some tasks did not end")


@dataclass(frozen=True)
class Violation:
    """A rule that did not hold."""

    rule: str
    where: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.rule} [{self.where}]\n      expected: {self.expected}\n      seen:     {self.seen}"


@dataclass(frozen=True)
class Allowed:
    """What a scenario may do to those who look on."""

    # The store lost what it had acknowledged: positions may be used again, and clients are told so.
    lost_data: bool = False
    # Turns may end with an error: their agent, or the store, is hurt for too long.
    failed_turns: bool = False
    # Connections of tabs may end: what is hurt is all that a gateway could hide it with.
    hang_ups: bool = False
    # The process that held the running turn's text crashed without a shared store: the turn's text is lost with it.
    lost_text: bool = False


@dataclass
class Session:
    """One session of a scenario with everybody who looks at it, and what they saw."""

    name: str
    id: str
    slot: int
    tabs: list[Tab] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    log: Log = field(default_factory=lambda: Log([], ""))
    # Frames of the log, from a connection with `?after=0` at the end.
    replay: list[dict] = field(default_factory=list)
    # Tabs that were told to come back and had not seen the end of the log after the bound.
    behind: list[str] = field(default_factory=list)
    # Tabs whose input was still locked after the bound.
    locked: list[str] = field(default_factory=list)


@dataclass
class Leftovers:
    """What is there when everybody has left."""

    # Keys of the store that never expire.
    eternal_keys: list[str] = field(default_factory=list)
    # Channels of the store somebody still listens to.
    channels: list[str] = field(default_factory=list)
    # By process: connections of browsers, and open descriptors beyond what it had before.
    browsers: dict[str, int] = field(default_factory=dict)
    descriptors: dict[str, str] = field(default_factory=dict)
    # By process: how it ended when it was asked to; `None` is not in time.
    exits: dict[str, int | None] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


def check_session(session: Session, allowed: Allowed) -> list[Violation]:
    """Everything about one session."""
    found = list(log_is_contiguous(session))
    found += turns_are_whole(session)
    found += tools_are_allowed(session)
    found += answers_are_known(session)
    found += nothing_runs_twice(session, allowed)
    found += nothing_runs_still(session)
    found += nothing_fails_needlessly(session, allowed)
    found += both_protocols_tell_the_same(session)
    for tab in session.tabs:
        found += questions_are_answered(session, tab, allowed)
        found += frames_are_the_log(session, tab, allowed)
        found += text_only_grows(session, tab, allowed)
        found += input_is_unlocked(session, tab)
        found += nobody_is_hung_up_on(tab, allowed)
    for follower in session.followers:
        found += events_are_the_log(session, follower, allowed)
        found += streamed_text_only_grows(session, follower, allowed)
    for name in session.behind:
        found.append(Violation("nobody is left behind", name, "the log's last event within the bound", "not seen"))
    return found


# === The log ===


def log_is_contiguous(session: Session) -> Iterator[Violation]:
    seqs = [event.seq for event in session.log.events]
    if seqs != list(range(1, len(seqs) + 1)):
        yield Violation("the log is contiguous from 1", session.name, f"1 to {len(seqs)}", str(seqs))


def turns_are_whole(session: Session) -> Iterator[Violation]:
    """A turn is a question, tools in pairs and exactly one final event, and nothing of another turn in between."""
    for turn, events in turns(session.log).items():
        kinds = [event.WhichOneof("body") for event in events]
        where = f"{session.name}, turn {turn[:8]}"
        seqs = [event.seq for event in events]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
            yield Violation("turns do not interleave", where, "positions in a row", str(seqs))
        if kinds[0] != "user" or kinds.count("user") != 1:
            yield Violation("a turn begins with its question", where, "user, once and first", str(kinds))
        finals = [kind for kind in kinds if kind in FINALS]
        if len(finals) != 1 or kinds[-1] not in FINALS:
            yield Violation("exactly one final event per question", where, "agent or error, once and last", str(kinds))
        calls = Counter(event.tool_call.call_id for event in events if event.HasField("tool_call"))
        results = Counter(event.tool_result.call_id for event in events if event.HasField("tool_result"))
        if any(count > 1 for count in (calls + Counter()).values()) or results - calls:
            yield Violation("tools are called and answered once", where, f"results of {calls}", str(results))
        if kinds[-1] == "agent" and calls != results:
            yield Violation("an answer has the results of its tools", where, str(calls), str(results))


def tools_are_allowed(session: Session) -> Iterator[Violation]:
    """A tool that asks is decided once, runs only if it is allowed, and an answer leaves nothing undecided."""
    for turn, events in turns(session.log).items():
        where = f"{session.name}, turn {turn[:8]}"
        asks = [event.approval_request.call_id for event in events if event.HasField("approval_request")]
        decided = [event.approval_decision for event in events if event.HasField("approval_decision")]
        decisions = {one.call_id: one.decision for one in decided}
        if len(decisions) != len(decided) or set(decisions) - set(asks):
            yield Violation("a tool that asks is decided once", where, str(asks), str(decided))
        cancelled = events[-1].HasField("agent") and events[-1].agent.finish == pb.FINISH_CANCELLED
        if events[-1].HasField("agent") and not cancelled and set(asks) != set(decisions):
            yield Violation("an answer leaves no tool undecided", where, str(asks), str(decided))
        for result in (event.tool_result for event in events if event.HasField("tool_result")):
            allowed = decisions.get(result.call_id) == pb.DECISION_APPROVED
            if result.call_id in asks and not allowed and not result.failed:
                yield Violation("a tool runs only if it is allowed", where, "a failed result", result.content[:200])


def answers_are_known(session: Session) -> Iterator[Violation]:
    """An answer is all of the script's, and what is kept of one that failed is its beginning."""
    for turn, events in turns(session.log).items():
        if not events[0].HasField("user"):
            continue
        whole, last = answer_to(events[0].user.content).text, events[-1]
        where = f"{session.name}, turn {turn[:8]}"
        if last.HasField("agent") and last.agent.finish == pb.FINISH_CANCELLED:
            if not whole.startswith(last.agent.content):
                yield Violation("a cancelled answer is a beginning", where, repr(whole), repr(last.agent.content))
        elif last.HasField("agent") and last.agent.content != whole:
            yield Violation("an answer is whole", where, repr(whole), repr(last.agent.content))
        if last.HasField("error") and not whole.startswith(last.error.partial):
            yield Violation("a partial is the answer's beginning", where, repr(whole), repr(last.error.partial))


def nothing_runs_twice(session: Session, allowed: Allowed) -> Iterator[Violation]:
    if allowed.lost_data:
        return
    asked = [event.user for event in session.log.events if event.HasField("user")]
    for what, values in (
        ("message id", [user.request_id for user in asked if user.request_id]),
        ("question", [user.content for user in asked]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield Violation("no message runs twice", session.name, f"{what} {value!r} once", f"{count} times")


def nothing_runs_still(session: Session) -> Iterator[Violation]:
    if session.log.running_turn:
        yield Violation("no turn is left running", session.name, "none", session.log.running_turn)


def nothing_fails_needlessly(session: Session, allowed: Allowed) -> Iterator[Violation]:
    for event in session.log.events:
        if event.HasField("error") and not allowed.failed_turns:
            where = f"{session.name}, event {event.seq}"
            yield Violation("no turn fails needlessly", where, "an answer", event.error.message)


def both_protocols_tell_the_same(session: Session) -> Iterator[Violation]:
    over_grpc = [shown(event) for event in session.log.events if shown(event)]
    over_websocket = [told(frame) for frame in session.replay if "seq" in frame]
    if over_grpc != over_websocket:
        yield Violation("both protocols tell the same log", session.name, short(over_grpc), short(over_websocket))


# === Those who ask ===


def questions_are_answered(session: Session, tab: Tab, allowed: Allowed) -> Iterator[Violation]:
    """What was acknowledged is in the log and its end was seen; what was not got an error or a close."""
    contents = Counter(event.user.content for event in session.log.events if event.HasField("user"))
    finals = {events[0].user.content: shown(events[-1]) for events in turns(session.log).values()}
    for question in tab.questions:
        where, logged = f"{tab.name}, {question.content!r}", contents[question.content]
        if question.acknowledged and logged != 1 and not allowed.lost_data:
            yield Violation("what was acknowledged is in the log", where, "once", f"{logged} times")
        unseen = question.acknowledged and question.final is None and not allowed.lost_data
        if unseen or not question.settled.is_set():
            yield Violation("nobody waits for ever", where, "agent or error within the bound", history(question))
        if not question.acknowledged and not logged and not (question.refused or question.cut_off):
            yield Violation("what is not taken is refused", where, "an error or a close", history(question))
        if (
            question.final is not None
            and not allowed.lost_data
            and told(question.final) != finals.get(question.content)
        ):
            seen = told(question.final)
            yield Violation("the end seen is the end kept", where, str(finals.get(question.content)), str(seen))


def input_is_unlocked(session: Session, tab: Tab) -> Iterator[Violation]:
    if tab.locked or tab.name in session.locked:
        expected = "a final frame after `user`, within the bound"
        yield Violation("the old frontend's input is unlocked", tab.name, expected, "none before it asked again")


# === Those who look on ===


def nobody_is_hung_up_on(tab: Tab, allowed: Allowed) -> Iterator[Violation]:
    ends = [connection.closed for connection in tab.connections[:-1] if connection.opened]
    if ends and not allowed.hang_ups:
        yield Violation("what a gateway can hide is hidden", tab.name, "one connection", f"ended: {ends}")


def frames_are_the_log(session: Session, tab: Tab, allowed: Allowed) -> Iterator[Violation]:
    log = {event.seq: shown(event) for event in session.log.events if shown(event)}
    epoch = tab.connections
    if tab.cursor:
        yield from no_needless_gap(tab, allowed)
        epoch = since_last_gap(tab.connections) if allowed.lost_data else tab.connections
        yield from cursor_frames_are_the_log(tab, epoch, log)
    elif not allowed.lost_data:
        yield from old_frames_are_the_log(tab, log)


def no_needless_gap(tab: Tab, allowed: Allowed) -> Iterator[Violation]:
    gaps = [frame for connection in tab.connections for frame in connection.frames if frame["type"] == "gap"]
    if gaps and not allowed.lost_data:
        yield Violation("no gap where nothing was lost", tab.name, "none", short(gaps))


def cursor_frames_are_the_log(tab: Tab, connections: list[Connection], log: dict[int, tuple]) -> Iterator[Violation]:
    """Over all connections: every event the protocol shows, in order, once."""
    seen = 0
    for number, connection in enumerate(connections):
        sent_again = {frame["turn_id"] for frame in connection.frames if is_echo_of(frame, connection.sent)}
        for frame in (frame for frame in connection.frames if "seq" in frame):
            where, seq = f"{tab.name}, connection {number} after {connection.after}", frame["seq"]
            if log.get(seq) != told(frame):
                yield Violation("a frame is an event of the log", where, str(log.get(seq)), str(told(frame)))
            # Who sends a question again is given its turn's frames again.
            if seq <= seen and frame["turn_id"] in sent_again:
                continue
            if seq <= seen:
                yield Violation("no event comes twice", where, f"something after {seen}", f"{seq} {frame['type']}")
            missing = [between for between in log if seen < between < seq]
            if missing:
                yield Violation("no event is left out", where, f"{missing[0]} after {seen}", f"{seq} {frame['type']}")
            seen = max(seen, seq)


def old_frames_are_the_log(tab: Tab, log: dict[int, tuple]) -> Iterator[Violation]:
    """On each connection, from the first question that is seen: every event, in order, once. No end comes twice."""
    received: set[int] = set()
    for number, connection in enumerate(tab.connections):
        where, seen, live = f"{tab.name}, connection {number}", 0, False
        ended = connection.times[-1] if connection.times else 0.0
        for frame, at in zip(connection.frames, connection.times, strict=True):
            seq = frame.get("seq")
            if seq is None:
                continue
            if log.get(seq) != told(frame):
                yield Violation("a frame is an event of the log", where, str(log.get(seq)), str(told(frame)))
            if seq <= seen:
                yield Violation("no event comes twice", where, f"something after {seen}", f"{seq} {frame['type']}")
            missing = [between for between in log if seen < between < seq]
            if live and missing:
                yield Violation("no event is left out", where, f"{missing[0]} after {seen}", f"{seq} {frame['type']}")
            if frame["type"] in FINALS and seq in received:
                yield Violation("no end comes twice", where, f"none of {sorted(received)}", f"{seq} {frame['type']}")
            live = live or frame["type"] == "user"
            seen = max(seen, seq)
            if frame["type"] in FINALS and ended - at > RECEIVED_SECONDS:
                received.add(seq)


def text_only_grows(session: Session, tab: Tab, allowed: Allowed) -> Iterator[Violation]:
    """Partials of a turn grow, over all connections, and are the beginning of the answer."""
    whole = whole_texts(session.log, allowed.lost_text or allowed.lost_data)
    texts: dict[str, str] = {}
    for number, connection in enumerate(tab.connections):
        where = f"{tab.name}, connection {number}"
        live: dict[str, str] = {}
        for frame in connection.frames:
            if frame["type"] != "agent_partial":
                continue
            turn, text = frame["turn_id"], frame["content"]
            if not text.startswith(live.get(turn, "")):
                yield Violation("text only grows", where, repr(live[turn][-40:]), repr(text[-40:]))
            if not (allowed.lost_data or allowed.lost_text) and not text.startswith(texts.get(turn, "")):
                yield Violation("text is one text", where, repr(texts[turn][-40:]), repr(text[-40:]))
            if turn in whole and not whole[turn].startswith(text):
                yield Violation("text is the answer's beginning", where, repr(whole[turn][:400]), repr(text[-400:]))
            live[turn] = texts[turn] = text


def events_are_the_log(session: Session, follower: Follower, allowed: Allowed) -> Iterator[Violation]:
    """Over all streams of a gRPC client: every event with its fingerprint, in order, once."""
    streams = follower.streams
    resets = [number for number, stream in enumerate(streams) if stream.reset]
    if resets and not allowed.lost_data:
        yield Violation("no reset where nothing was lost", follower.name, "none", f"on streams {resets}")
    if resets and allowed.lost_data:
        streams = streams[resets[-1] :]
    log = {event.seq: event.SerializeToString(deterministic=True) for event in session.log.events}
    seen = 0
    for number, stream in enumerate(streams):
        for event in stream.events:
            where = f"{follower.name}, stream {number} after {stream.after.seq}"
            if event.seq != seen + 1:
                yield Violation("a gRPC client sees every event once", where, str(seen + 1), str(event.seq))
            if log.get(event.seq) != event.SerializeToString(deterministic=True):
                yield Violation("an event is the log's", where, f"event {event.seq} of the log", short(event))
            seen = event.seq


def streamed_text_only_grows(session: Session, follower: Follower, allowed: Allowed) -> Iterator[Violation]:
    whole = whole_texts(session.log, allowed.lost_text or allowed.lost_data)
    for number, stream in enumerate(follower.streams):
        where, before = f"{follower.name}, stream {number}", ("", "")
        for turn, text in stream.texts:
            if turn == before[0] and not text.startswith(before[1]):
                yield Violation("text only grows", where, repr(before[1][-40:]), repr(text[-40:]))
            if turn in whole and not whole[turn].startswith(text):
                yield Violation("text is the answer's beginning", where, repr(whole[turn][:400]), repr(text[-400:]))
            before = (turn, text)


# === What is left when everybody has gone ===


def check_leftovers(left: Leftovers) -> list[Violation]:
    found = []
    for key in left.eternal_keys:
        found.append(Violation("every key expires", "store", "a time to live", key))
    for channel in left.channels:
        found.append(Violation("nobody listens for ever", "store", "no subscription", channel))
    for name, count in left.browsers.items():
        if count:
            found.append(Violation("no connection is left over", name, "0 connections of browsers", str(count)))
    for name, change in left.descriptors.items():
        if change:
            found.append(Violation("no descriptor is left over", name, "as many as before", change))
    for name, code in left.exits.items():
        if code != 0:
            seen = "still running" if code is None else f"exit code {code}"
            found.append(Violation("a process ends in time when asked", name, "exit code 0", seen))
    for line in left.complaints:
        found.append(Violation("no process complains of itself", "logs", f"none of {PANICS}", line))
    return found
