#!/usr/bin/env bash
# Installs what the tests need beside Python: a Java runtime (17 or newer) and Maven for a real Kafka broker, and
# Python's shared library for the embedded model server. Without the right to install, it says what is missing.
set -euo pipefail

java_release() { # 17 for `openjdk version "17.0.15"`; empty without Java
    command -v java >/dev/null || return 0
    java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1
}

# Interpreters that were built with a shared library bring their own; others may be served by the distribution's.
has_libpython() {
    "$PYTHON" - <<'PYTHON_END'
import ctypes.util, pathlib, sys, sysconfig
name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
folders = [sysconfig.get_config_var("LIBDIR") or "", f"{sys.base_prefix}/lib"]
found = any((pathlib.Path(folder) / name).exists() for folder in folders)
sys.exit(0 if found or ctypes.util.find_library(name[3:].split(".so")[0]) else 1)
PYTHON_END
}

PYTHON=.venv/bin/python
[ -x "$PYTHON" ] || PYTHON=python3

java=$(java_release)
missing=()
if [ -z "$java" ] || [ "$java" -lt 17 ]; then missing+=(java); fi
command -v mvn >/dev/null || missing+=(maven)
has_libpython || missing+=(libpython)
[ ${#missing[@]} -eq 0 ] && exit 0

packages=()
for need in "${missing[@]}"; do
    case $need in
    java) # 17 on Debian 12 and Ubuntu 24.04, 21 on Debian 13
        packages+=("openjdk-17-jre-headless|openjdk-21-jre-headless")
        ;;
    maven) packages+=(maven) ;;
    libpython) # Ubuntu 24.04 has given the package a new name
        version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        packages+=("libpython$version|libpython${version}t64")
        ;;
    esac
done

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "the tests need: found no ${missing[*]}, expected the packages ${packages[*]//|/ or }; install them, and run this again" >&2
    exit 1
fi

"${as_root[@]}" apt-get update -q
chosen=()
for package in "${packages[@]}"; do
    first=${package%%|*}
    if [ -n "$(apt-cache policy "$first" | sed -n 's/ *Candidate: \(.*\)/\1/p' | grep -v '(none)')" ]; then
        chosen+=("$first")
    else
        chosen+=("${package##*|}")
    fi
done
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${chosen[@]}"
