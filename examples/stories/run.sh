#!/bin/sh
# Writes one story, command by command, into a new git repository:
#   examples/stories/run.sh FOLDER STORY      e.g. run.sh /tmp/story gitlab-2017-01-31
set -eu

if [ $# -ne 2 ]; then
    echo "usage: run.sh FOLDER STORY, where STORY is cloudflare-2025-11-18, github-2018-10-21 or gitlab-2017-01-31" >&2
    exit 2
fi
stories=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
git init -q .
sh "$stories/$2.sh"
