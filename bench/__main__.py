"""`python -m bench`: all of them, but for those that fill large stores first."""

from bench import (
    bench_delivery,
    bench_economy,
    bench_history_http,
    bench_http,
    bench_kafka,
    bench_memory,
    bench_postgres,
    bench_processes,
    bench_queries,
    bench_replicas,
    bench_startup,
    bench_statements,
    bench_store,
)

bench_statements.main()
bench_store.main()
bench_http.main()
bench_kafka.main()
bench_delivery.main()
bench_memory.main()
bench_postgres.main()
bench_processes.main()
bench_history_http.main()
bench_queries.main()
bench_startup.main()
bench_economy.main()
bench_replicas.main()
