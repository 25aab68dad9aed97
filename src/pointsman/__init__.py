"""pointsman: delivers what learners did to a learning platform, as state."""

__version__ = "0.1.0"
