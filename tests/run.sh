#!/bin/sh
# The whole set-up and run of the tests.
#
#   sh tests/run.sh                     all: lint, types, every test (under 20 minutes on two cores)
#   sh tests/run.sh quick               lint, types, fast tests; pages only where files changed (under a minute once set up)
#   sh tests/run.sh e2e [pytest words]  only what drives Chromium
#   sh tests/run.sh bench NAME [--quick]   one of tests/bench/, prints a table and one JSON line
#
# Gets what is missing from package registries: Python packages by lock, and as root on a Debian-like machine Chromium,
# a Chinese font, PostgreSQL, Redis, coturn, ffmpeg and espeak-ng. Without root what cannot be had is skipped with one
# plain line; with CI=true a skip is a failure.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/deploy/lib.sh"
cd "$root" || exit 1

failed=
skipped=
skip() { skipped=yes; printf '%s\n' "○ skipped: $*"; }
step() { # step NAME COMMAND...: runs it, remembers a failure, goes on
    name=$1
    shift
    began=$(date +%s)
    if "$@"; then
        say "$name: ok ($(($(date +%s) - began)) s)"
    else
        failed="$failed $name"
        printf '%s\n' "✗ $name failed"
    fi
}

# need COMMAND PACKAGE WHY: a Debian package for a command that is missing.
wanted=
need() { $1 >/dev/null 2>&1 || { wanted="$wanted $2"; say "$2 is missing: $3"; }; }
find_postgres() { ls /usr/lib/postgresql/*/bin/initdb || have initdb; }
find_chromium() { have "${CHROMIUM:-chromium}" || have chromium-browser || have google-chrome; }
find_chinese_font() { have fc-list && [ -n "$(fc-list :lang=zh)" ]; }

system_packages() {
    wanted=
    need find_chromium chromium "browser tests"
    need find_chinese_font "fontconfig fonts-noto-cjk" "Chinese text in screenshots"
    need find_postgres postgresql "the production database"
    need "have redis-server" redis-server "the production bus"
    need "have turnserver" coturn "relay for closed networks"
    need "have ffmpeg" ffmpeg "test footage, and a second opinion on recordings"
    need "have espeak-ng" espeak-ng "Mandarin speech for the fake microphone"
    [ -n "$wanted" ] || return 0
    say "installing Debian packages:$wanted"
    # shellcheck disable=SC2086 # a list
    apt_install $wanted && return 0
    for package in $wanted; do
        skip "$package cannot be installed here (needs root and apt-get); tests that need it are skipped"
    done
}

# The ES modules are type-checked by tsc, from a lock with integrity hashes and no address.
typed=
get_tsc() {
    [ -f package-lock.json ] || { skip "no package-lock.json"; return 0; }
    if ! have npm; then
        say "installing node and npm from PyPI into .tools/node: the type check of the ES modules"
        [ -x "$tools/node/bin/npm" ] || pip_into_venv --target "$tools/node" --only-binary :all: --require-hashes \
            -r deploy/requirements-node.lock || { skip "npm cannot be had here: ES modules are not type-checked"; return 0; }
        node_bin=$(dirname "$(find "$tools/node" -name npm -path '*bin*' | head -n 1)")
        PATH=$node_bin:$PATH
        export PATH
    fi
    if ! cmp -s package-lock.json node_modules/.made-from; then
        say "installing TypeScript into node_modules: the type check of the ES modules"
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$tools/npm.log" 2>&1 \
            || { cat "$tools/npm.log"; return 1; }
        cp package-lock.json node_modules/.made-from
    fi
    typed=yes
}

# Imports one way is a test: tests/house/test_imports.py.
lint() {
    step ruff "$venv/bin/ruff" check --quiet .
    step mypy nice "$venv/bin/mypy"
    [ -z "$typed" ] || step tsc nice node_modules/.bin/tsc --noEmit -p .
    [ -z "$failed" ]
}

# Some at a time, then alone what measures against the clock. Browsers with real video on a shared machine: who fails gets
# one more try, alone, and that is said. Words may leave nothing for one of the two (5), not for both.
browsers() {
    TESTS_CITY=$(mktemp -d) # one demo city, copied for each site
    export TESTS_CITY
    in_browsers -m "e2e and not alone" -n 2 --dist loadfile --no-loadscope-reorder "$@"
    together=$?
    in_browsers -m "e2e and alone" "$@"
    alone=$?
    case $together$alone in 00 | 05 | 50) return 0 ;; 55) return 5 ;; esac
    say "once more, only what failed"
    in_browsers -m e2e --last-failed --last-failed-no-failures none "$@"
}
in_browsers() { "$venv/bin/python" -m pytest -q --durations=10 "$@"; }

# pytest's own "no tests collected" (5) is a failure like any other: no word below may select nothing.
tests() {
    name=$1
    shift
    step "$name" "$venv/bin/python" -m pytest -q --durations=10 "$@"
}

# Real peers, processes and clocks on a shared machine: who fails gets one more try, alone, and that is said.
twice() {
    "$venv/bin/python" -m pytest -q --durations=10 "$@" && return
    [ $? -eq 1 ] || return
    say "once more, alone, only what failed"
    "$venv/bin/python" -m pytest -q "$@" -n 0 --last-failed --last-failed-no-failures none
}

soak() { exec "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/bench/test_soak.py "$@"; }

# Beside the tests go lint, with what they leave of the processor, and the soak: minutes, and a quarter of a core.
begin() { # begin NAME [WORDS...]; later: step NAME settle NAME
    "$@" >"$beside/$1.log" 2>&1 &
    echo $! >"$beside/$1.pid"
}
settle() {
    wait "$(cat "$beside/$1.pid")"
    code=$?
    rm "$beside/$1.pid"
    cat "$beside/$1.log"
    return "$code"
}

finish() {
    if [ -n "$skipped" ] && [ "${CI:-}" = true ]; then
        failed="$failed skipped-in-CI"
    fi
    say "$(($(date +%s) - started)) s in all"
    [ -z "$failed" ] || die "failed:$failed"
}

TESTS_CITY=''
beside=$(mktemp -d)
trap 'kill $(cat "$beside"/*.pid 2>/dev/null) 2>/dev/null; rm -rf "$beside" "$TESTS_CITY"' EXIT
started=$(date +%s)
word=${1:-all}
[ $# -eq 0 ] || shift
case $word in quick | all | e2e | bench) ;; *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;; esac
prepare_venv requirements-dev.lock "what the product needs, and the tools that test it"
case $word in
    quick)
        step get-tsc get_tsc
        begin lint
        [ $# -gt 0 ] || set -- --touched # who names files means all of them
        tests fast -n 2 -m "not slow and not real and not e2e" --hypothesis-profile quick "$@"
        step lint settle lint
        ;;
    all)
        system_packages
        step get-tsc get_tsc
        begin soak "$@"
        begin lint
        step unit twice -n 3 --dist worksteal -m "not e2e and not soak and not alone" "$@"
        step lint settle lint
        step soak settle soak
        step alone twice -m "alone and not e2e" "$@"
        step e2e browsers "$@"
        ;;
    e2e)
        system_packages
        step e2e browsers "$@"
        ;;
    bench)
        name=$(printf '%s' "${1:-}" | tr - _) # added-latency is added_latency.py
        [ -n "$name" ] && [ -f "tests/bench/$name.py" ] \
            || die "bench needs a name: $(cd tests/bench && echo [!t]*.py | sed 's/\.py//g; s/_/-/g')"
        shift
        system_packages >&2
        case $name in fanout | added_latency | join)
            have janus || apt_install janus || say "no Janus here: its column stays empty" >&2
            ;;
        esac
        exec "$venv/bin/python" -m "tests.bench.$name" "$@"
        ;;
esac
finish
