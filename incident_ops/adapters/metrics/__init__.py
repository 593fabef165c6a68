"""Metric sources: each answers `ports.MetricSource`; `connect` makes one from the policy and the environment."""
