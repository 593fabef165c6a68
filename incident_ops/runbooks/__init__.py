"""Runbooks: Markdown read as steps, what they lack, how far a run is, and what of it a record keeps."""
