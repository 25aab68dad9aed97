"""`python -m tests.support.short_windows SECONDS run ...`: for windows of so many seconds."""

from __future__ import annotations

import sys

from pointsman.cli import main
from pointsman.platforms.helium import HeliumPlatform

if __name__ == "__main__":
    seconds, *arguments = sys.argv[1:]
    HeliumPlatform.quota_window = float(seconds)
    sys.argv = ["pointsman", *arguments]
    main()
