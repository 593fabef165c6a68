"""What good reviewers say of a postmortem, as rules: its parts, its structure and its language."""
