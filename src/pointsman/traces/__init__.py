"""Spans of OpenTelemetry around inputs, commits and deliveries. Nothing imports it while off.

Each part is wrapped where parts are wired, so that without traces nothing is asked on the way.
"""
