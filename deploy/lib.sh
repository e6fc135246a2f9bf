# Shared shell parts of deploy/run.sh and tests/run.sh: find a Python, make the virtual environment, install locked
# dependencies. POSIX sh only (dash runs it). Rule: say in one line what is installed and why; a second run installs nothing.
# Expects $root (the checkout). Sourced, never run.

venv=${VENV:-$root/.venv}
tools=$root/.tools

say() { printf '%s\n' "· $*"; }
die() { printf '%s\n' "✗ $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# An empty or missing home must not stop anything: pip, npm and Chromium want a place to write.
if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/nonexistent}" ]; then
    HOME=$tools/home
    mkdir -p "$HOME"
    export HOME
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUTF8=1 UV_COMPILE_BYTECODE=1
unset PYTHONDONTWRITEBYTECODE # containers like to set it; each process would compile every module anew: 4 s instead of 1

# The newest pins need 3.11 (pyproject.toml: requires-python); the system's own name first.
find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        if have "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

apt_updated=
# apt_install PACKAGE...: as root on a Debian-like machine; quiet, asks nothing, starts no questions about services.
apt_install() {
    is_root && have apt-get || return 1
    if [ -z "$apt_updated" ]; then
        apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists at hand"
        apt_updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$tools/apt.log" 2>&1
}

# What the environment must contain to be up to date: the locks it was made from, the interpreter, and pyproject.toml
# (console scripts), the C sources. Hashed by the interpreter, so that no sha256sum is needed.
stamp_of() {
    "$1" - "$root/pyproject.toml" "$2" "$root"/media/native/*.[ch] <<'PY'
import hashlib, sys
digest = hashlib.sha256(sys.version.encode())
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        digest.update(file.read() + b"\0")
print(digest.hexdigest())
PY
}

# make_venv PYTHON: a virtual environment without pip where there is no ensurepip; in this order, whichever is at hand.
make_venv() {
    if "$1" -c 'import ensurepip, venv' 2>/dev/null && "$1" -m venv "$venv" 2>/dev/null; then
        return 0
    fi
    if have uv; then
        say "this Python has no ensurepip: using uv for the virtual environment"
        uv venv -q --no-python-downloads --python "$1" "$venv" && return 0
    fi
    for command in virtualenv "$1 -m virtualenv"; do
        if $command --version >/dev/null 2>&1; then
            say "this Python has no ensurepip: using virtualenv for the virtual environment"
            $command -q -p "$1" "$venv" && return 0
        fi
    done
    if "$1" -c 'import venv' 2>/dev/null && "$1" -m pip --version >/dev/null 2>&1; then
        say "this Python has no ensurepip: using its own pip for the virtual environment"
        "$1" -m venv --without-pip "$venv" && return 0
    fi
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if is_root && have apt-get; then
        say "installing Debian's python$version-venv: this Python cannot make virtual environments"
        if apt_install "python$version-venv" || apt_install python3-venv; then
            "$1" -m venv "$venv" && return 0
        fi
    fi
    die "cannot make a virtual environment: install Debian's python3-venv (or uv, or virtualenv) and run this again"
}

# pip_into_venv ARGS...: pip of the environment, else uv, else the base interpreter's pip pointed at the environment.
pip_into_venv() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip install -q "$@"
    elif have uv; then
        uv pip install -q --python "$venv/bin/python" "$@"
    else
        "$python" -m pip --python "$venv/bin/python" install -q "$@"
    fi
}

# prepare_venv LOCK WHY: environment with everything LOCK pins and the project itself (editable). Seconds when up to date.
prepare_venv() {
    lock=$root/deploy/$1
    mkdir -p "$tools"
    python=$(find_python) || die "Python 3.11 or newer is needed; none of python3, python3.13, python3.12, python3.11 is"
    if [ -x "$venv/bin/python" ] && [ -f "$venv/.made-from-$1" ] \
        && [ "$(cat "$venv/.made-from-$1")" = "$(stamp_of "$venv/bin/python" "$lock")" ]; then
        return 0
    fi
    if [ -e "$venv" ] && ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "the virtual environment's Python is gone: making it anew"
        rm -rf "$venv"
    fi
    if [ ! -x "$venv/bin/python" ]; then
        say "making a virtual environment in ${venv#"$root"/} with $("$python" --version)"
        make_venv "$python"
    fi
    say "installing $(grep -c '==' "$lock") locked packages: $2 (once; about a minute)"
    # Every file is checked against the lock's hashes; nothing is built from source.
    pip_into_venv --only-binary :all: --require-hashes -r "$lock" || die "could not install the locked packages"
    pip_into_venv --only-binary :all: --require-hashes -r "$root/deploy/requirements-build.lock" \
        || die "could not install the build tools"
    pip_into_venv --no-deps --no-build-isolation -e "$root" || die "could not install tongtang itself"
    stamp_of "$venv/bin/python" "$lock" >"$venv/.made-from-$1"
    if [ "$1" = requirements-dev.lock ]; then # holds every pin of requirements.lock (tests/house/test_locks.py)
        stamp_of "$venv/bin/python" "$root/deploy/requirements.lock" >"$venv/.made-from-requirements.lock"
    fi
}
