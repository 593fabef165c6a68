"""What people keep and read on GitHub: documents, issue bodies, comments."""
