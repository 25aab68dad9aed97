"""The monitoring mixin: dashboards, alerts and recording rules from one source.

`python -m deploy.mixin` renders it into this folder; what it renders is committed.
"""
