"""What the tracker should hold, what it holds, and the changes between the two."""
