"""The command line: reads options, wires, prints, ends with an exit code. One file a command group."""
