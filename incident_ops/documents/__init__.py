"""What people read on GitHub: documents beside a record, and the texts of issues and pull requests."""
