"""A launch of a SCORM player, and bodies that come near to being commits."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from pointsman.domain.launch import Launch, PlayerKind
from pointsman.domain.records import Actor

LAUNCH = Launch(
    registration="0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11",
    kind=PlayerKind.SCORM,
    learner="ana@example.com",
    actor=Actor("mbox", "mailto:ana@example.com"),
    name="Ana",
    activity="https://content.example.com/intro",
    opened_at=0,
    expires_at=1,
)

_leaves = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.sampled_from(["passed", "completed", "1", "0.5", "suspend", "00:10:00", "PT5M"])
    | st.text(max_size=5)
)
_names = st.sampled_from(
    [
        *("cmi", "core", "cmi.core", "cmi.", "0", "runtimeData", "commitSequence", "isFinal"),
        *("lesson_status", "completion_status", "success_status", "progress_measure", "exit"),
        *("score", "raw", "scaled", "min", "max", "session_time", "total_time"),
        *("completionStatus", "successStatus", "totalTimeSeconds"),
        *("cmi.core.lesson_status", "cmi.score.raw"),
    ]
)
_json = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6),
    max_leaves=25,
)
_form = st.lists(
    st.tuples(_names, st.text(st.characters(codec="utf-8"), max_size=6)), min_size=1
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode())
BODIES = st.binary(max_size=60) | _form | _json.map(lambda value: json.dumps(value).encode())
