#!/usr/bin/env bash
# Install what this project needs on Debian 12: tools/install.sh build|test
# Fast when all is there: asks dpkg, and calls apt only for what is missing.
set -euo pipefail

build=(build-essential meson ninja-build pkg-config espeak-ng sox
	libuv1-dev libhttp-parser-dev libwslay-dev libcurl4-openssl-dev libssl-dev libsrtp2-dev libusrsctp-dev
	libopus-dev libc-ares-dev libprotobuf-c-dev protobuf-c-compiler libprotobuf-dev
	protobuf-compiler libjansson-dev libsqlite3-dev libyaml-dev zlib1g-dev)
test=(chromium sip-tester kamailio kamailio-tls-modules baresip-core linphone-cli coturn rtpengine-daemon clang libclang-rt-14-dev python3 curl procps tcpdump multimon-ng)

case "${1:-build}" in
build) want=("${build[@]}") ;;
test) want=("${build[@]}" "${test[@]}") ;;
*) echo "usage: tools/install.sh build|test" >&2; exit 2 ;;
esac

# The page is bundled by Node, and the tests drive real clients with it. Any Node from 18 on will do.
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then want+=(nodejs npm); fi

missing=()
for package in "${want[@]}"; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "These packages are missing, install them as root: ${missing[*]}" >&2; exit 1; }
	as_root=(sudo)
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq

# Daemons that come along (a SIP phone, a browser's helpers) must not start by being installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
	"${as_root[@]}" chmod 755 "$policy"
	trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "Installed."
