#!/bin/sh
# compile.sh [OPTION...]: write every requirements/*.txt anew from its *.in, for all supported Pythons and systems.
# Pins stay as they are where they still fit; OPTIONs go to uv, e.g. --upgrade or --upgrade-package click.
set -eu
cd "$(dirname "$0")/.."
for wanted in requirements/*.in; do
  [ -e "${wanted%.in}.txt" ] || cp requirements/dev.txt "${wanted%.in}.txt" # a new file begins with the pins that are tested
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
    --annotation-style line --no-strip-extras "$@" "$wanted" -o "${wanted%.in}.txt"
done
