"""The two metrics that Flagger brings along, for the providers whose counters are known: the same figures in PromQL."""

from __future__ import annotations

from typing import NamedTuple

from incident_ops.canary.migrate.ratios import RatioSides


class Mesh(NamedTuple):
    """The counters of a mesh: labels of one version, what marks a failed request, the histogram and its unit in ms.

    `old`: the labels of the version before, "" where they are not known.
    """

    requests: str
    new: str
    old: str
    failed: str
    passed: str
    histogram: str
    milliseconds: str = ""
    mean_of: str = ""


_CODES = '{label}=~"5.*"', '{label}!~"5.*"'


def _codes(label: str) -> tuple[str, str]:
    return _CODES[0].format(label=label), _CODES[1].format(label=label)


_ISTIO = 'reporter="destination",destination_workload_namespace="%namespace%",destination_workload=~"{workload}"'
_LINKERD = 'namespace="%namespace%",deployment=~"{workload}",direction="inbound"'
_HTTP = 'kubernetes_namespace="%namespace%",kubernetes_pod_name=~"{workload}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
_CONTOUR = 'envoy_cluster_name=~"%namespace%_{workload}_[0-9a-zA-Z-]+"'
_TRAEFIK = 'service=~"%namespace%-{workload}-[0-9a-zA-Z-]+@kubernetescrd"'
_NGINX = 'namespace="%namespace%",ingress="%ingress%"'
_TARGET, _PRIMARY, _CANARY = "%target%", "%target%-primary", "%target%-canary"


def _both(labels: str, new: str, old: str) -> tuple[str, str]:
    return labels.format(workload=new), labels.format(workload=old)


MESHES = {
    "istio": Mesh(
        "istio_requests_total",
        *_both(_ISTIO, _TARGET, _PRIMARY),
        *_codes("response_code"),
        "istio_request_duration_milliseconds_bucket",
    ),
    "linkerd": Mesh(
        "response_total",
        *_both(_LINKERD, _TARGET, _PRIMARY),
        'classification="failure"',
        'classification!="failure"',
        "response_latency_ms_bucket",
    ),
    "kubernetes": Mesh(
        "http_request_duration_seconds_count",
        *_both(_HTTP, _TARGET, _PRIMARY),
        *_codes("status"),
        "http_request_duration_seconds_bucket",
        "1000 * ",
    ),
    "contour": Mesh(
        "envoy_cluster_upstream_rq",
        *_both(_CONTOUR, _CANARY, _PRIMARY),
        *_codes("envoy_response_code"),
        "envoy_cluster_upstream_rq_time_bucket",
    ),
    "traefik": Mesh(
        "traefik_service_requests_total",
        *_both(_TRAEFIK, _CANARY, _PRIMARY),
        *_codes("code"),
        "traefik_service_request_duration_seconds_bucket",
        "1000 * ",
    ),
    "nginx": Mesh(
        "nginx_ingress_controller_requests",
        _NGINX,
        "",
        *_codes("status"),
        "",
        "1000 * ",
        "nginx_ingress_controller_ingress_upstream_latency_seconds",
    ),
}
"""`spec.provider` of a Canary -> its counters."""


def success_rate(mesh: Mesh) -> str:
    """The percentage of requests without a failure."""
    good, every = (f"sum(rate({mesh.requests}{{{labels}}}[%interval%]))" for labels in _success_labels(mesh))
    return f"{good}\n/\n{every}\n* 100"


def _success_labels(mesh: Mesh) -> tuple[str, str]:
    return f"{mesh.new},{mesh.passed}", mesh.new


def request_duration(mesh: Mesh) -> str:
    """The 99th percentile of the duration in milliseconds; the mean where the provider has no histogram."""
    if mesh.mean_of:
        whole, number = (f"sum(rate({mesh.mean_of}_{what}{{{mesh.new}}}[%interval%]))" for what in ("sum", "count"))
        return f"{mesh.milliseconds}{whole}\n/\n{number}"
    buckets = f"sum by (le) (rate({mesh.histogram}{{{mesh.new}}}[%interval%]))"
    return f"{mesh.milliseconds}histogram_quantile(0.99, {buckets})"


def old_counters(mesh: Mesh) -> RatioSides | None:
    """The counters of the version before; None where its labels are not known."""
    if not mesh.old:
        return None
    return RatioSides(f"{mesh.requests}{{{mesh.old},{mesh.failed}}}", f"{mesh.requests}{{{mesh.old}}}")
