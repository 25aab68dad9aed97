"""The LMS side of cmi5 ("Quartz" 1.0): sessions, what players are told, and what is stated of them.

`words`, `sessions`, `saying`, `launch_data`, `hearing` and `moving_on` are pure; `register` keeps
sessions, `gate` hears players, `following` watches what is stored, `lms` opens and waives. Nothing
is imported here: launches need the first of them, and the others need launches.
"""
