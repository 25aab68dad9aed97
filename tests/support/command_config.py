"""A configuration for commands that work on the store alone: nothing answers at its platform."""

#: the store is books.db beside the file; ana@example.com has a token
COMMAND_CONFIG = """
[store]
url = "sqlite:///books.db"
[platform]
url = "http://127.0.0.1:1"
api_key = "key"
[[sources.http]]
name = "players"
credentials = [{ key = "user", secret = "secret" }]
[learners.tokens]
inline = { "ana@example.com" = "token" }
"""
