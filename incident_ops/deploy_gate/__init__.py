"""What may be deployed, and why not. Pure; the lack of an answer is never taken for a yes."""
