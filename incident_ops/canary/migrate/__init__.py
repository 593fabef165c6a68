"""Analyses of Argo Rollouts and Flagger -> a gate file of ours, and what differs, line by line."""
