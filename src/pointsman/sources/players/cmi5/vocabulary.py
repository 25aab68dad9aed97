"""Names cmi5's vocabulary: its verbs, categories and extensions (sections 9.3, 9.5 and 9.6)."""

from __future__ import annotations

_ADL = "http://adlnet.gov/expapi/verbs/"
_PROFILE = "https://w3id.org/xapi/adl/verbs/"
_CMI5 = "https://w3id.org/xapi/cmi5/"

LAUNCHED = f"{_ADL}launched"
INITIALIZED = f"{_ADL}initialized"
COMPLETED = f"{_ADL}completed"
PASSED = f"{_ADL}passed"
FAILED = f"{_ADL}failed"
TERMINATED = f"{_ADL}terminated"
VOIDED = f"{_ADL}voided"
ABANDONED = f"{_PROFILE}abandoned"
WAIVED = f"{_PROFILE}waived"
SATISFIED = f"{_PROFILE}satisfied"
#: what only the LMS may say, as short verbs
OF_THE_LMS = frozenset({"launched", "abandoned", "waived", "satisfied"})

#: what a player says in any mode, and what it says where it was launched to count
IN_EVERY_MODE = frozenset({INITIALIZED, TERMINATED})
OF_THE_PLAYER = frozenset({*IN_EVERY_MODE, COMPLETED, PASSED, FAILED})

#: marks a statement that cmi5 defines, as opposed to one that it allows (section 7.1)
CMI5_CATEGORY = f"{_CMI5}context/categories/cmi5"
MOVE_ON_CATEGORY = f"{_CMI5}context/categories/moveon"

SESSION_ID = f"{_CMI5}context/extensions/sessionid"
MASTERY_SCORE = f"{_CMI5}context/extensions/masteryscore"
LAUNCH_MODE = f"{_CMI5}context/extensions/launchmode"
LAUNCH_URL = f"{_CMI5}context/extensions/launchurl"
MOVE_ON = f"{_CMI5}context/extensions/moveon"
LAUNCH_PARAMETERS = f"{_CMI5}context/extensions/launchparameters"
REASON = f"{_CMI5}result/extensions/reason"

#: the type of what is satisfied: a launch is a course of one assignable unit
COURSE_TYPE = f"{_CMI5}activitytype/course"

#: the stateId of what the player is told (section 10)
LAUNCH_DATA = "LMS.LaunchData"
#: the profileId of what the learner prefers (section 11)
PREFERENCES = "cmi5LearnerPreferences"
