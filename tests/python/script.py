"""The script most tests let the scripted model play: what a question holds says how it is answered."""

STEADY_TEXT = "A steady answer comes in small pieces, while something else happens somewhere else."
SLOW_TEXT = "A slow answer comes in many small pieces, so that there is time to look at it while it grows. " * 2
LONG_PIECE = "This answer is long, because somebody should fail to read it as fast as it is written. " * 12
LONG_PIECES = 120
FAILURE = "the model is overloaded: ask again in a minute"

SCRIPT = {
    "scenarios": [
        {
            "when": {"contains": "steadily"},
            "steps": [[{"cut": {"text": STEADY_TEXT, "characters": 4, "pause_ms": 15}}]],
        },
        {
            "when": {"contains": "slowly"},
            "steps": [[{"cut": {"text": SLOW_TEXT, "characters": 4, "pause_ms": 40}}]],
        },
        {
            "when": {"contains": "at length"},
            "steps": [[{"repeat": {"text": LONG_PIECE, "times": LONG_PIECES, "pause_ms": 10}}]],
        },
        {
            "when": {"contains": "with tools"},
            "steps": [
                [
                    {"text": "Let me look at the tables. "},
                    {"delay_ms": 100},
                    {"call": {"name": "list_tables", "arguments": {}}},
                    {"call": {"name": "search_columns", "arguments": {"query": "supplier"}}},
                ],
                [
                    {"text": "There they are, "},
                    {"delay_ms": 100},
                    {"text": "and the columns that name a supplier."},
                ],
            ],
        },
        {
            "when": {"contains": "and fail"},
            "steps": [
                [
                    {"text": "I begin, "},
                    {"delay_ms": 100},
                    {"error": {"kind": "server", "message": FAILURE}},
                ]
            ],
        },
        {"when": {"contains": "for ever"}, "steps": [[{"text": "I begin, and do not end"}, "hang"]]},
        {"steps": [[{"pieces": ["A short ", "answer."]}]]},
    ]
}
SHORT_TEXT = "A short answer."
