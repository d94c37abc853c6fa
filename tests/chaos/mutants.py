"""Protections switched off, one at a time, and the scenarios that have to notice: the suite's own test."""

# By the name `DRAGOMAN_MUTANT` takes (src/mutant.rs): the scenarios that bite, the surest first.
MUTANTS: dict[str, list[str]] = {
    "no-fence": ["agent-stop-mid-token", "store-writes-lost-to-the-runner"],
    "no-dedupe": ["cluster-tab-question-lost", "store-answer-lost-at-send", "tab-question-lost"],
    "no-event-index": ["store-answer-lost-at-tool"],
    "no-lease-check": ["gateway-kill-mid-token", "cluster-tab-cut-mid-token"],
    "no-reaping": ["agent-kill-mid-token"],
    "no-reap-grace": ["store-unreachable-for-a-lease"],
    "no-gap-check": ["redis-kill-subscriptions", "redis-restart"],
    "no-fingerprint": ["redis-failover-lagging", "redis-flushed-in-silence"],
    "no-redial-cursor": ["grpc-no-agent-reachable", "grpc-stall"],
    "no-redial": ["agent-kill-mid-token", "grpc-connection-reset"],
    "no-ask-again": ["agent-kill-while-questions-wait", "agent-kill-question-on-its-way"],
    "no-delivered": ["tab-final-frame-lost", "cluster-tab-half-open"],
    "no-cancel": ["cancel-at-another-agent"],
    "no-drain": ["agent-term-mid-token", "process-term-mid-token"],
    "no-text-offset": ["store-answers-lost", "store-cut-again-and-again"],
}
