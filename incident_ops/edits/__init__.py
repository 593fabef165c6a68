"""Doors: from what somebody says at the keyboard, or later in a form or an alert, to an edit of a record. Pure."""
