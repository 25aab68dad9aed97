"""The learning paths there are: the catalogue's, and those that `CreateLearningPath` made."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from pointsman.emulator.catalogue import Catalogue, LearningPath, Milestone

_NO_SLUG = re.compile(r"[^a-z0-9]+")


class LearningPaths:
    """Finds a path by id or slug, and a milestone by id."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.by_id: dict[str, LearningPath] = dict(catalogue.path_by_id)
        self.by_slug: dict[str, LearningPath] = dict(catalogue.path_by_slug)
        self.milestones: dict[str, tuple[LearningPath, Milestone]] = {
            milestone.id: (path, milestone)
            for path in catalogue.learning_paths
            for milestone in path.milestones
        }
        self._made: list[LearningPath] = []
        #: whether paths were made since the last save
        self.changed = False

    @property
    def published(self) -> Iterable[LearningPath]:
        """Those in which something can be completed: a draft is not one."""
        return (path for path in self.by_id.values() if path.status == "published")

    def add(self, path: LearningPath) -> None:
        """Raises `KeyError` where the slug is taken."""
        if path.slug in self.by_slug:
            raise KeyError(path.slug)
        self.by_id[path.id] = self.by_slug[path.slug] = path
        for milestone in path.milestones:
            self.milestones[milestone.id] = (path, milestone)
        self._made.append(path)
        self.changed = True

    def free_slug(self, name: str) -> str:
        """A slug made of the name, with a number where that is taken."""
        slug = _NO_SLUG.sub("-", name.lower()).strip("-") or "learning-path"
        free, number = slug, 1
        while free in self.by_slug:
            number += 1
            free = f"{slug}-{number}"
        return free

    def dump(self) -> list[dict[str, Any]]:
        """The paths that were made, as JSON's types."""
        return [path.model_dump(mode="json") for path in self._made]

    def load(self, made: Iterable[dict[str, Any]]) -> None:
        """Put back what `dump` gave.

        Passed over is one whose slug the catalogue has taken, or of whose courses or client the
        catalogue knows nothing any longer.
        """
        for dumped in made:
            path = LearningPath.model_validate(dumped)
            if path.slug not in self.by_slug and self._is_known(path):
                self.add(path)
        self.changed = False

    def _is_known(self, path: LearningPath) -> bool:
        courses = {place.course for milestone in path.milestones for place in milestone.courses}
        return courses <= self._catalogue.course_by_id.keys() and (
            path.client is None or path.client in self._catalogue.client_by_id
        )


def new_id(kind: str) -> str:
    """An id as the platform's: what it is of, and something that is not guessed."""
    return f"{kind}_{secrets.token_hex(8)}"
