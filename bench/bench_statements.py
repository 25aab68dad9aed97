"""Stage 2 and 3 by statement, orjson.loads of the same statement = 1."""

from __future__ import annotations

import json
from itertools import count

import orjson

from bench.post_load import Job, statement
from bench.results import Spread, record
from bench.timing import rounds_of
from pointsman.domain.records import Observation
from pointsman.mapping import ConfiguredIdentity, Mapper, Rule, Template
from pointsman.statements import Limits, Valid, index_keys, observe, parse
from pointsman.statements.repeated_parts import validated
from pointsman.statements.statement import STATEMENT

_STATEMENTS, _ROUNDS = 2_000, 11


def main() -> None:
    job = Job(0, 0, 0, 1, [], 500, "learner", 1)
    bodies = [json.dumps(statement(job, number, "")).encode() for number in range(_STATEMENTS)]
    loaded = [orjson.loads(body) for body in bodies]
    limits = Limits()
    numbers = count()
    rule = Rule(
        "course", Template("https://content.example.com/{c}/{n}"), topic_id=Template("topic-{n}")
    )
    mapping = Mapper([rule], ConfiguredIdentity())

    def read(body: bytes) -> Valid:
        (item,) = parse(body, limits, new_id=lambda: str(next(numbers))).items
        assert isinstance(item, Valid)  # noqa: S101
        return item

    valid = [read(body) for body in bodies]
    seen = [one for item in valid if isinstance(one := observe(item, 0), Observation)]

    taken = rounds_of(
        {
            "orjson.loads": lambda: [orjson.loads(body) for body in bodies],
            "validate, each part new": lambda: [STATEMENT.validate_python(one) for one in loaded],
            "validate, with parts that are known": lambda: [validated(one) for one in loaded],
            "parse: loads, validate, check, digest": lambda: [read(body) for body in bodies],
            "observe": lambda: [observe(item, 0) for item in valid],
            "index keys": lambda: [index_keys(item.statement) for item in valid],
            "decide": lambda: [mapping.decide(one) for one in seen],
        },
        rounds=_ROUNDS,
    )
    record(
        "Understanding a statement: CPU",
        "orjson.loads",
        {
            name: Spread.of([seconds * 1e6 / _STATEMENTS for seconds in spent])
            for name, spent in taken.items()
        },
        command="python -m bench.bench_statements",
    )


if __name__ == "__main__":
    main()
