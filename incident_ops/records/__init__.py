"""Reading, checking, finding and remembering records."""
