"""The settings: one TOML file, overridden by the environment, checked as a whole.

`load` is the way in. Each section of the file has its models in the module of its name; the
models hold what is allowed, and nothing but the stages that are given them acts on it. Relative
paths are relative to the folder of the file.
"""

from pointsman.config.kafka import KafkaSecurity
from pointsman.config.learners import Account, Learners, Tokens, TokenService
from pointsman.config.load import load
from pointsman.config.platform import Delivery, Limits, Platform
from pointsman.config.rules import Rule
from pointsman.config.scorm_cloud import ScormCloudSource
from pointsman.config.server import Http, Logging, Store
from pointsman.config.settings import Settings
from pointsman.config.sources import (
    Credential,
    HttpSource,
    KafkaSource,
    Sources,
)
from pointsman.config.webhooks import WebhookSource

__all__ = [
    "Account",
    "Credential",
    "Delivery",
    "Http",
    "HttpSource",
    "KafkaSecurity",
    "KafkaSource",
    "Learners",
    "Limits",
    "Logging",
    "Platform",
    "Rule",
    "ScormCloudSource",
    "Settings",
    "Sources",
    "Store",
    "TokenService",
    "Tokens",
    "WebhookSource",
    "load",
]
