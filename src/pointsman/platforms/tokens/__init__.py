"""Token providers: where authTokens of learners come from."""
