#!/bin/sh
# Makes the lock files anew from pyproject.toml: hashes, every platform, no address of any registry.
# Needs uv: on the PATH or in .venv (pip install uv). Run it when pyproject.toml changes, and commit what it writes.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/deploy/lib.sh"
cd "$root"
uv=$(command -v uv || true)
[ -n "$uv" ] || uv=$venv/bin/uv
[ -x "$uv" ] || die "uv is needed: pip install uv"

compile() {
    target=$1
    shift
    # --upgrade is left to the caller: without it, pins that still fit stay.
    "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-header -o "deploy/$target" "$@"
}
compile requirements.lock pyproject.toml ${UPGRADE:+--upgrade}
compile requirements-dev.lock pyproject.toml --extra dev -c deploy/requirements.lock ${UPGRADE:+--upgrade}
compile requirements-build.lock deploy/requirements-build.in ${UPGRADE:+--upgrade}
compile requirements-node.lock deploy/requirements-node.in ${UPGRADE:+--upgrade}
