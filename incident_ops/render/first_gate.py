"""The first gate file, which `init` lays beside the first policy. It is text: its comments are for people."""

GATE = "gates/errors.yaml"
SOURCE = "main"
GATE_TEXT = f"""\
# yaml-language-server: $schema=../schemas/gate.schema.json
# Is the new version worse than the old one? Put in the counters of your service, and how long each step takes. Then:
#   incident-ops canary validate                     checks this file
#   incident-ops canary probe -f {GATE}   asks each query once, before any traffic moves
apiVersion: incident-ops/v1
kind: CanaryAnalysis
metadata:
  name: errors
spec:
  provider:
    prometheus:
      datasource: {SOURCE}
  steps:
  - weight: 10
    duration: 10m
  - weight: 50
    duration: 10m
  - weight: 100
  metrics:
  - name: http-5xx
    type: errorRate
    canary:
      errors: http_requests_total{{track="canary",code=~"5.."}}
      requests: http_requests_total{{track="canary"}}
    baseline:
      errors: http_requests_total{{track="stable",code=~"5.."}}
      requests: http_requests_total{{track="stable"}}
"""
"""The first gate file: the error rate of a service on Prometheus, with the data source of the first policy."""
