"""Settings [[sources.scorm_cloud]]: applications of SCORM Cloud that post registrations."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pointsman.domain.uri_template import Template
from pointsman.setting_types import (
    RequiredStrongSecret,
    SecretFile,
    Section,
    SourceName,
    TemplateText,
    WebAddress,
    no_secret,
)

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _made_of(*variables: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not _ABSOLUTE.match(text):
            raise ValueError("must start with a scheme such as https:, as an activity's id does")
        if set(Template(text).variables) != set(variables):
            names = " and ".join(f"{{{name}}}" for name in variables)
            raise ValueError(f"must contain {names} and no other variable")
        return text

    return check


def _no_colon(name: str) -> str:
    if ":" in name:
        raise ValueError("must not hold a colon, which ends it in HTTP Basic")
    return name


class ScormCloudSettings(Section):
    """[[sources.scorm_cloud]]: what its postbacks show, and how their contents are named."""

    #: labels metrics and the books
    name: SourceName
    #: what was given to SCORM Cloud as the postback's userName and password
    username: Annotated[str, Field(min_length=1), AfterValidator(_no_colon)]
    #: a file with the password that SCORM Cloud sends
    password_file: SecretFile = None
    #: the password that SCORM Cloud sends
    password: RequiredStrongSecret = Field(default_factory=no_secret)
    #: of a request's body
    max_body_bytes: int = Field(default=1_048_576, ge=1_024)
    #: the activity that a course is, made of its id
    course_activity: Annotated[TemplateText, AfterValidator(_made_of("course"))] = (
        "https://cloud.scorm.com/{course}"
    )
    #: the activity that a SCO of a course is
    sco_activity: Annotated[TemplateText, AfterValidator(_made_of("course", "sco"))] = (
        "https://cloud.scorm.com/{course}/{sco}"
    )
    #: what names the learner: the e-mail address where there is one, or always the id
    learner: Literal["email", "id"] = "email"
    #: of the account that a learner is whose name is no e-mail address
    home_page: WebAddress = "https://cloud.scorm.com"
