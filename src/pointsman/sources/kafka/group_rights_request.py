"""Kafka's DescribeGroups request, version 3: the first that tells what we may do with a group.

aiokafka reads its answer as that of version 2, which leaves that out. The shapes are those of
Kafka's DescribeGroupsRequest.json and DescribeGroupsResponse.json (KIP-430).
"""

from __future__ import annotations

from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.types import Array, Boolean, Schema, String


class _DescribeGroupsRequest3(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(String("utf-8"))), ("include_authorized_operations", Boolean))


class GroupRightsRequest(Request[_DescribeGroupsRequest3]):  # type: ignore[misc]
    """Asks about one group. Sending it raises `NotImplementedError` before Kafka 2.3."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_DescribeGroupsRequest3]) -> _DescribeGroupsRequest3:
        return request_struct_class([self._group], True)  # noqa: FBT003 - by their order
