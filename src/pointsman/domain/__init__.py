"""The records that the stages hand to one another, and the errors. Nothing here does I/O."""
