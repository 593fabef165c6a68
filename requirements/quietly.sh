#!/bin/sh
# Run a command silently; when it fails, print all it said and fail with its code.
said=$("$@" 2>&1) && exit 0
code=$?
printf '%s\n' "$said" >&2
echo "failed ($code): $*" >&2
exit "$code"
