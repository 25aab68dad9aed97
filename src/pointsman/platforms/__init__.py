"""Stage 6: platforms, and where their learners' authTokens come from, each behind its Protocol."""
