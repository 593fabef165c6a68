"""Who is notified of what and when, what is due to be sent, and the sending."""
