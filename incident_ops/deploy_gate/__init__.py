"""What may be deployed, and why not. Pure; no answer is ever taken for a yes."""
