"""Metric sources: each answers `domain.ports.MetricSource`; `connect` makes one from the policy and the environment."""
