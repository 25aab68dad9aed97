"""Helium's mutations as typed calls, one request each; delivery sends many in one."""

from __future__ import annotations

from datetime import datetime

from pointsman.domain.errors import InputRefused
from pointsman.platforms.helium import selections
from pointsman.platforms.helium.calls import CallResult, HeliumCalls


class HeliumMutations(HeliumCalls):
    """With the mutations that delivery sends."""

    async def archive_course(self, course_id: str, auth_token: str) -> CallResult[str]:
        return await self._call("ArchiveUserCourse", {"id": course_id}, str, auth_token)

    async def reinstate_course(self, course_id: str, auth_token: str) -> CallResult[str]:
        return await self._call("ReinstateUserCourse", {"id": course_id}, str, auth_token)

    async def archive_learning_path(self, path_id: str, auth_token: str) -> CallResult[str]:
        return await self._call("ArchiveUserLearningPath", {"id": path_id}, str, auth_token)

    async def reinstate_learning_path(self, path_id: str, auth_token: str) -> CallResult[str]:
        return await self._call("ReinstateUserLearningPath", {"id": path_id}, str, auth_token)

    async def update_course_status(
        self,
        status: str,
        auth_token: str,
        *,
        course_id: str | None = None,
        slug: str | None = None,
        sku: str | None = None,
        status_change_date: datetime | None = None,
    ) -> CallResult[bool]:
        """Raises `InputRefused` for a date in the future, and unless exactly one name is given."""
        names = {"id": course_id, "slug": slug, "sku": sku}
        if sum(name is not None for name in names.values()) != 1:
            raise InputRefused("name the course by exactly one of course_id, slug and sku")
        if status_change_date is not None and status_change_date.timestamp() > self._clock.now():
            raise InputRefused(f"status_change_date {status_change_date} is in the future")
        date = None if status_change_date is None else status_change_date.isoformat()
        variables = {**names, "status": status, "statusChangeDate": date}
        return await self._call("UpdateCourseStatus", variables, bool, auth_token)

    async def update_learning_path_access(
        self, slug: str, status: str, auth_token: str
    ) -> CallResult[bool]:
        variables = {"slug": slug, "status": status}
        return await self._call("UpdateLearningPathAccess", variables, bool, auth_token)

    async def update_topic_and_course_progress(
        self, topic_id: str, progress: int, auth_token: str
    ) -> CallResult[bool]:
        variables = {"topicId": topic_id, "progress": progress}
        return await self._call("UpdateTopicAndCourseProgress", variables, bool, auth_token)

    async def update_meeting_attendance(
        self, user_id: str, meeting_id: str, *, attended: bool, course_id: str | None = None
    ) -> CallResult[selections.User]:
        variables = {
            "userId": user_id,
            "courseId": course_id,
            "meetingId": meeting_id,
            "attended": attended,
        }
        return await self._call("UpdateUserCourseMeetingAttendance", variables, selections.User)
