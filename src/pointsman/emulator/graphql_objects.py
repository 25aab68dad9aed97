"""Learning paths, milestones, courses, meetings and users as GraphQL sees them.

An object is a dict of the fields that the emulator knows. What leads to another object is a
function, so that only what is asked for is built, and circles do no harm. Fields that are in no
dict are null, false, 0 or empty, as their type demands (`schema`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from pointsman.emulator.catalogue import (
    Client,
    Course,
    Learner,
    LearningPath,
    Meeting,
    Milestone,
    MilestoneCourse,
    MilestoneCriterion,
)
from pointsman.emulator.completion import COMPLETED
from pointsman.emulator.records import ActionRecord
from pointsman.emulator.resolver_context import ResolverContext

Object = dict[str, Any]


def lazy(build: Callable[[], Any]) -> Callable[[GraphQLResolveInfo], Any]:
    """A field that is built when it is asked for."""
    return lambda _info: build()


def path_object(context: ResolverContext, path: LearningPath, learner: Learner | None) -> Object:
    """`learner` is whom the fields that begin with `currentUser` are about."""
    record = context.state.of(learner).paths.get(path.id) if learner is not None else None
    is_completed = record is not None and record.completed_at is not None
    earned = learner is not None and path.id in context.state.of(learner).certificates
    pending = is_completed and path.certificate_after_seconds is not None and not earned
    default = next((price for price in path.prices if price.is_default), None)
    client = context.catalogue.clients[0]
    if path.client is not None:
        client = context.catalogue.client_by_id[path.client]
    courses, paths = context.catalogue.course_by_id, context.state.paths.by_id
    known: Object = {
        "id": path.id,
        "slug": path.slug,
        "name": path.name,
        "sku": path.sku,
        "status": path.status,
        "language": path.language,
        "createdAt": path.created_at,
        "updatedAt": path.updated_at,
        "resourceType": "learningPath",
        "kind": "learningPath",
        "client": client_object(client),
        "priceInCents": default.unit_amount if default is not None else None,
        "prices": [
            {
                "id": price.id,
                "currencyCode": price.currency_code,
                "unitAmount": price.unit_amount,
                "priceInCents": price.unit_amount,
                "isDefault": price.is_default,
            }
            for price in path.prices
        ],
        "hasMultipleCurrencies": len(path.prices) > 1,
        "tags": [{"id": tag.id, "label": tag.label} for tag in path.tags],
        "milestones": lazy(
            lambda: [
                milestone_object(context, path, milestone, learner) for milestone in path.milestones
            ]
        ),
        "prerequisiteCourses": lazy(
            lambda: [course_object(context, courses[name]) for name in path.prerequisite_courses]
        ),
        "prerequisiteLearningPaths": lazy(
            lambda: [
                path_object(context, paths[name], learner)
                for name in path.prerequisite_learning_paths
            ]
        ),
        "currentUserStartActionDate": record.started_at if record is not None else None,
        "currentUserPendingCertificate": pending,
        "currentUserEarnedCertificate": earned,
    }
    return {**path.fields, **known}


def milestone_object(
    context: ResolverContext, path: LearningPath, milestone: Milestone, learner: Learner | None
) -> Object:
    courses = context.catalogue.course_by_id
    assessment = milestone.competency_assessment
    return {
        "id": milestone.id,
        "name": milestone.name,
        "kind": milestone.kind,
        "requirement": milestone.requirement,
        "releaseDate": milestone.release_date,
        "releaseDays": milestone.release_days,
        "createdAt": milestone.created_at,
        "updatedAt": milestone.updated_at,
        "completionCriteriaDescription": milestone.completion_criteria_description,
        "completionCriteria": [
            _criterion(context, criterion) for criterion in milestone.completion_criteria
        ],
        "milestoneCourses": [
            _milestone_course(courses[place.course], place) for place in milestone.courses
        ],
        "contentItems": lazy(
            lambda: [_content(courses[place.course]) for place in milestone.courses]
        ),
        "milestoneCompetencyAssessment": None
        if assessment is None
        else {
            "id": assessment.id,
            "title": assessment.title,
            "competencyAssessmentId": assessment.competency_assessment_id,
            "passingScoreRequired": assessment.passing_score_required,
            "allowRetakes": assessment.allow_retakes,
            "requirement": milestone.requirement,
        },
        "learningPath": lazy(lambda: path_object(context, path, learner)),
    }


def _criterion(context: ResolverContext, criterion: MilestoneCriterion) -> Object:
    award = context.catalogue.award_type_by_id.get(criterion.award_type or "")
    return {
        "id": criterion.id,
        "type": criterion.type,
        "threshold": criterion.threshold,
        "awardType": None
        if award is None
        else {"id": award.id, "label": award.label, "pluralLabel": award.plural_label},
    }


def _milestone_course(course: Course, place: MilestoneCourse) -> Object:
    return {
        "id": place.id,
        "contentId": course.id,
        "contentTitle": course.title,
        "requirement": place.requirement,
        "contentGrouping": place.content_grouping,
    }


def _content(course: Course) -> Object:
    return {
        "id": course.id,
        "slug": course.slug,
        "sku": course.sku,
        "title": course.title,
        "kind": "course",
        "displayCourse": course.id,
        "displayCourseSlug": course.slug,
        "isActive": True,
        "createdAt": course.created_at,
        "updatedAt": course.updated_at,
    }


def action_object(context: ResolverContext, action: ActionRecord, learner: Learner) -> Object:
    """A `LearningPathAction`."""
    path, milestone = context.state.paths.milestones[action.milestone]
    return {
        "id": action.id,
        "type": "milestone_completed",
        "source": "learner",
        "timestamp": action.at,
        "milestone": lazy(lambda: milestone_object(context, path, milestone, learner)),
        "learningPath": lazy(lambda: path_object(context, path, learner)),
        "user": lazy(lambda: user_object(context, learner)),
    }


def client_object(client: Client) -> Object:
    return {"id": client.id, "name": client.name, "slug": client.slug}


def course_object(context: ResolverContext, course: Course) -> Object:
    return {
        "id": course.id,
        "slug": course.slug,
        "sku": course.sku,
        "title": course.title,
        "status": "published",
        "isActive": True,
        "createdAt": course.created_at,
        "updatedAt": course.updated_at,
        "meetings": lazy(
            lambda: [meeting_object(context, course, meeting) for meeting in course.meetings]
        ),
    }


def meeting_object(context: ResolverContext, course: Course, meeting: Meeting) -> Object:
    return {
        "id": meeting.id,
        "title": meeting.title,
        "startDate": meeting.start_date,
        "endDate": meeting.end_date,
        "timeZone": meeting.time_zone,
        "courseId": course.id,
        "course": lazy(lambda: course_object(context, course)),
        "attendees": lazy(
            lambda: [
                user_object(context, attendee)
                for attendee in context.catalogue.learners
                if meeting.id in context.state.of(attendee).attended
            ]
        ),
    }


def user_object(context: ResolverContext, learner: Learner) -> Object:
    record = context.state.of(learner)
    courses = context.catalogue.course_by_id
    statuses = [enrolment.status for enrolment in record.courses.values()]
    return {
        "id": learner.id,
        "email": learner.email,
        "firstName": learner.first_name or None,
        "lastName": learner.last_name or None,
        "name": learner.name or None,
        "firstInitial": learner.first_name[:1] or None,
        "lastInitial": learner.last_name[:1] or None,
        "roleKey": learner.role.lower(),
        "client": client_object(context.catalogue.clients[0]),
        "clientId": context.catalogue.clients[0].id,
        "availableCoursesCount": len(courses),
        "startedCoursesCount": len(statuses),
        "completedCoursesCount": statuses.count(COMPLETED),
        "certificatesCount": sum(name in courses for name in record.certificates),
        "attendedMeetings": lambda _info, courseId=None: [  # noqa: N803 - the schema's argument
            {
                "attendanceDate": when,
                "meeting": meeting_object(context, course, meeting),
                "user": lazy(lambda: user_object(context, learner)),
            }
            for name, when in record.attended.items()
            for course, meeting in (context.catalogue.meeting_by_id[name],)
            if courseId in {None, course.id}
        ],
        "purchasedCourses": lazy(
            lambda: [_purchased(context, learner, courses[name]) for name in record.courses]
        ),
        "purchasedBundles": [],
        "allocatedLearningPaths": lazy(
            lambda: [
                {
                    "learningPathId": name,
                    "status": enrolment.status,
                    "learningPath": path_object(context, context.state.paths.by_id[name], learner),
                }
                for name, enrolment in record.paths.items()
            ]
        ),
    }


def _purchased(context: ResolverContext, learner: Learner, course: Course) -> Object:
    record = context.state.of(learner)
    issued_at = record.certificates.get(course.id)
    return {
        "courseId": course.id,
        "course": lazy(lambda: course_object(context, course)),
        "status": record.courses[course.id].status,
        "certificate": None if issued_at is None else f"certificate_{learner.id}_{course.id}",
        "certificateIssuedAt": issued_at,
    }
