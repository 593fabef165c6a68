"""Whether a new version is worse than the one before: evidence, thresholds, verdict."""
