"""The xAPI resources of the HTTP source (xAPI Part 3): a learning record store for players."""
