"""`python -m bench.daemon_without_history ARGUMENTS`: as `pointsman`, and keeps no history.

For comparing only: what it costs to keep it is measured against this.
"""

from __future__ import annotations

from bench.bench_history import without_history
from pointsman.cli import main

if __name__ == "__main__":
    with without_history():
        main()
