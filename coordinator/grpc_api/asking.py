# SPDX-License-Identifier: Apache-2.0
"""Ask a coordinator's health service, as whoever watches it does."""

import grpc
from grpc_health.v1 import health_pb2

import quorumseal.client  # noqa: F401 - sets how this program speaks TLS


def serving(
    address: str,
    *,
    authorities: bytes,
    certificate: bytes,
    key: bytes,
    server_name: str,
    seconds: float,
    service: str = "",
) -> str:
    """Return what it says of itself, or why it says nothing."""
    credentials = grpc.ssl_channel_credentials(authorities, key, certificate)
    options = [("grpc.ssl_target_name_override", server_name), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(address, credentials, options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=seconds)
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
