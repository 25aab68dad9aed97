"""`python -m bench`: all of them."""

from bench import bench_statements, bench_store

bench_statements.main()
bench_store.main()
