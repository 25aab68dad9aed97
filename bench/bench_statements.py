"""Stage 2 and 3 by statement, orjson.loads of the same statement = 1."""

from __future__ import annotations

from itertools import count

import orjson

from bench.timing import medians, show
from demo.traffic import recorded_requests
from pointsman.domain.records import Observation
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.statements import Limits, Valid, index_keys, observe, parse
from pointsman.statements.statement import STATEMENT

_TIMES = 200


def main() -> None:
    bodies = [row["body"].encode() for row in recorded_requests() if row["body"].startswith("{")]
    loaded = [orjson.loads(body) for body in bodies]
    limits = Limits()
    numbers = count()
    rule = Rule("course", Template("http://example.com/course/{n}"), topic_id=Template("topic-{n}"))
    mapping = Mapper([rule], ConfiguredIdentity())

    def read(body: bytes) -> Valid:
        (item,) = parse(body, limits, new_id=lambda: str(next(numbers))).items
        assert isinstance(item, Valid)  # noqa: S101
        return item

    valid = [read(body) for body in bodies]
    seen = [one for item in valid if isinstance(one := observe(item, 0), Observation)]

    def repeat(job: object) -> None:
        assert callable(job)  # noqa: S101
        for _ in range(_TIMES):
            job()

    taken = medians(
        {
            "orjson.loads": lambda: repeat(lambda: [orjson.loads(body) for body in bodies]),
            "validate": lambda: repeat(lambda: [STATEMENT.validate_python(one) for one in loaded]),
            "parse: loads, validate, check, digest": lambda: repeat(
                lambda: [read(body) for body in bodies]
            ),
            "observe": lambda: repeat(lambda: [observe(item, 0) for item in valid]),
            "index keys": lambda: repeat(
                lambda: [tuple(index_keys(item.statement)) for item in valid]
            ),
            "decide": lambda: repeat(lambda: [mapping.decide(one) for one in seen]),
        },
        rounds=7,
    )
    show(f"{len(bodies)} recorded statements, orjson.loads = 1", taken, "orjson.loads")


if __name__ == "__main__":
    main()
