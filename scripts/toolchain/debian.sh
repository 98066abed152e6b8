#!/bin/bash
# What `make test-all` takes from Debian: installed where this user may, asked for otherwise.
set -e
packages=()
command -v chromium >/dev/null || packages+=(chromium)
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
fc-list :lang=zh 2>/dev/null | grep -q . || packages+=(fontconfig fonts-noto-cjk)
[ ${#packages[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "make test-all needs these packages: ${packages[*]}"
  echo "  sudo apt-get install --no-install-recommends ${packages[*]}"
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The server package would start a cluster of its own; the tests start theirs on a free port.
mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
