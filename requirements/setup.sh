#!/bin/sh
# setup.sh VENV REQUIREMENTS: make VENV with the newest suitable Python and install the pinned packages into it.
set -eu
venv=$1
pinned=$2
here=$(dirname "$0")

suits() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

if [ ! -x "$venv/bin/python" ] || ! suits "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  python=
  for one in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3; do
    if suits "$one"; then python=$one && break; fi
  done
  if [ -z "$python" ]; then
    echo "setup: no Python 3.11-3.14 with its venv module was found (Debian: apt-get install python3-venv); name one with PYTHON=/path/to/python" >&2
    exit 2
  fi
  echo "setup: $("$python" --version) -> $venv"
  sh "$here/quietly.sh" "$python" -m venv --clear "$venv"
fi
for one in "$here/pip.txt" "$pinned"; do
  sh "$here/quietly.sh" "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$one"
done
sh "$here/quietly.sh" "$venv/bin/python" -m pip check --disable-pip-version-check
