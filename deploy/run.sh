#!/bin/sh
# The whole set-up and start of Tongtang on a fresh machine with Python 3.11 or newer; run again, it starts in seconds.
#
#   sh deploy/run.sh [--port N] [--data DIR] [--no-demo]
#
# Makes .venv, installs the locked dependencies, then stays in the foreground as `tongtang up` (Ctrl-C stops everything).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/deploy/lib.sh"

port=8000
data=$root/data
demo=
while [ $# -gt 0 ]; do
    case $1 in
        --port) [ $# -gt 1 ] || die "--port needs a number"; port=$2; shift 2 ;;
        --port=*) port=${1#*=}; shift ;;
        --data) [ $# -gt 1 ] || die "--data needs a folder"; data=$2; shift 2 ;;
        --data=*) data=${1#*=}; shift ;;
        --no-demo) demo=--no-demo; shift ;;
        -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) die "unknown option $1 (sh deploy/run.sh --help)" ;;
    esac
done
case $port in '' | *[!0-9]*) die "--port needs a number, not '$port'" ;; esac
case $data in /*) ;; *) data=$(pwd)/$data ;; esac

prepare_venv requirements.lock "web server, database, media"
ls "$root"/media/_engine.*.so >/dev/null 2>&1 \
    || say "no C compiler or no Python headers here: the pure Python packet engine is used (tongtang doctor says more)"
exec "$venv/bin/tongtang" up --port "$port" --data "$data" $demo
