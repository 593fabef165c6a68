"""Frozen values: what an incident, a policy and a service are. No I/O, no clock."""
