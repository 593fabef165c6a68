"""The command line: reads options, wires, prints, ends with the exit code of contract 4. One file a command group."""
