"""Who is on call: turns, restrictions and overrides in time. Pure; every interval holds its beginning, not its end."""
