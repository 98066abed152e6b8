#!/bin/sh
# The compiler as py-solc-x, Ape and forge expect it: an executable named solc-v0.8.37.
# npm's solc is WebAssembly, and starting it takes about a second, so `--version` is answered here.
# SOLC_VERSION and ROOT are filled in by the Makefile when it installs this file.
case "$1" in
  --version) printf 'solc, the solidity compiler commandline interface\nVersion: @LONG_VERSION@\n'; exit 0 ;;
esac
# Outside of /tmp, Ape compiles a copy of contracts/ in a temporary folder, which has no node_modules: imports are looked for here too.
exec node "@ROOT@/scripts/toolchain/solc.mjs" "$@" --include-path "@ROOT@"
