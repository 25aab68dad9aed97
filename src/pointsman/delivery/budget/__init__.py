"""The budget: what may be sent to the platform, in points and requests, and when."""
