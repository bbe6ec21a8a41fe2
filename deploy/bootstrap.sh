#!/usr/bin/env bash
# Make .venv what deploy/locks/KIND.txt says, from any state, and in no time where it is that already.
#
#   deploy/bootstrap.sh cpu|gpu|dev|auto
#
# dev holds all of cpu, so `make run` after `make test` installs nothing. cpu and gpu exclude one another: onnxruntime
# and onnxruntime-gpu own the same module.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-auto}
stamp=.venv/.fidox-installed

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

has_gpu() { [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] && [ -e /dev/nvidia0 ]; }

# What an installation of this kind is recognised by: the lock, and the project's own metadata.
wanted() { printf '%s %s' "$1" "$(cat "deploy/locks/$1.txt" pyproject.toml | cksum)"; }

is_installed() { [ -x .venv/bin/fidox ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(wanted "$1")" ]; }

case $kind in
  auto)
    if has_gpu; then kind=gpu; else kind=cpu; fi
    if is_installed dev; then
      # Switching back and forth between tests and runs would install for minutes each time.
      [ $kind = cpu ] || say "A GPU is here, but the environment is the tests' (CPU); \`bash deploy/bootstrap.sh gpu\` switches."
      exit 0
    fi
    ;;
  cpu) if is_installed dev; then exit 0; fi ;;
  gpu | dev) ;;
  *) fail "usage: deploy/bootstrap.sh cpu|gpu|dev|auto" ;;
esac
if is_installed $kind; then exit 0; fi

right_version() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

if [ -d .venv ] && ! right_version .venv/bin/python; then
  say "Removing .venv: its Python is gone, or another version"
  rm -rf .venv
fi
# `python -m venv` that broke off (no ensurepip) leaves a folder without pip.
if [ -d .venv ] && ! .venv/bin/python -m pip --version >/dev/null 2>&1; then rm -rf .venv; fi

if [ ! -d .venv ]; then
  python=
  for candidate in python3.12 python3.11 python3; do
    if right_version "$candidate"; then python=$candidate; break; fi
  done
  [ -n "$python" ] || fail "Python 3.11 or 3.12 is needed, and there is none on PATH." \
    "Install one (Debian 12, Ubuntu 24.04: apt-get install python3 python3-venv; macOS: brew install python@3.12), then try again."
  "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "$python has no venv module." \
    "Install it (Debian, Ubuntu: apt-get install python3-venv), then try again."
  say "Creating .venv with $("$python" --version)"
  "$python" -m venv .venv
fi

say "Installing the locked packages ($kind); the first time takes a minute or two"
rm -f "$stamp"
# The two packages of ONNX Runtime overwrite one another: only one may ever be there.
other=onnxruntime-gpu
if [ $kind = gpu ]; then other=onnxruntime; fi
if .venv/bin/python -m pip show -q $other >/dev/null 2>&1; then
  .venv/bin/python -m pip uninstall -q -y onnxruntime onnxruntime-gpu 2>/dev/null || true
fi
pip() { .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar on "$@"; }
# Not piped: on a terminal pip shows a bar for each download.
pip --no-deps --require-hashes -r "deploy/locks/$kind.txt"
pip -q --no-deps --no-build-isolation -e .
wanted $kind > "$stamp"
