"""The LMS side of cmi5 ("Quartz" 1.0): sessions, what players are told, and what is stated of them.

`vocabulary`, `session`, `session_rules`, `lms_statements`, `launch_data` and `move_on` are pure;
`session_store` keeps sessions, `session_guard` checks what players send, `satisfied` watches what
is stored, `lms` opens sessions and waives. Nothing is imported here: launches need the first of
them, and the others need launches.
"""
