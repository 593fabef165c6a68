"""`python -m incident_ops` is the console script."""

from incident_ops.cli.main import main

if __name__ == "__main__":
    main()
