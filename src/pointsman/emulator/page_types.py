"""The kinds of pages a course is made of, and the GraphQL type that each one is served as."""

from __future__ import annotations

from typing import Literal

TopicType = Literal[
    "ad",
    "article",
    "assignment",
    "audio",
    "bongo",
    "discussionBoard",
    "embed",
    "flipCardSet",
    "highlightZoneQuiz",
    "highlightZoneSet",
    "image",
    "inPersonEvent",
    "listRoll",
    "lti",
    "matchPairSet",
    "meetingInfo",
    "notebook",
    "pdfViewer",
    "presentation",
    "quiz",
    "recipe",
    "shareableContentObject",
    "slideshow",
    "socialShareCardSet",
    "survey",
    "surveyGizmo",
    "tally",
    "test",
    "text",
    "video",
    "workbook",
    "xApiObject",
]

#: the kinds whose page type is not `<Kind>Page`; kinds without a page type are GeneralPages
_PAGE_TYPES = {
    "flipCardSet": "FlipCardPage",
    "highlightZoneQuiz": "HighlightZonePage",
    "highlightZoneSet": "HighlightZonePage",
    "matchPairSet": "MatchPairPage",
    "meetingInfo": "MeetingPage",
    "pdfViewer": "PDFViewerPage",
    "shareableContentObject": "ScormPage",
}

_GENERAL = frozenset(
    {
        "ad",
        "bongo",
        "discussionBoard",
        "embed",
        "image",
        "inPersonEvent",
        "lti",
        "socialShareCardSet",
        "surveyGizmo",
        "xApiObject",
    }
)


def page_type(kind: str) -> str:
    """The member of the `PageResource` union for a topic of this kind."""
    if kind in _GENERAL:
        return "GeneralPage"
    return _PAGE_TYPES.get(kind, f"{kind[0].upper()}{kind[1:]}Page")
