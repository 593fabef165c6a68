"""Edits: from what somebody says, at the keyboard, in a form or by an alert, to the edits of a record. Pure."""
