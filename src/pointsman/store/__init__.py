"""Stage 4: stores inputs and desired state, in one transaction."""
