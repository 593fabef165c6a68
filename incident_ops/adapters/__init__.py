"""Everything that touches subprocesses, file locks, databases, the network and the clock."""
