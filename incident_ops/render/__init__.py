"""Data in, text out: Markdown, JSON and lines for people. Pure."""
