#!/bin/sh
# SPDX-License-Identifier: MIT
# large-root.sh: a root file system of 300 MB starts, and a large file in it is whole. Prints test lines
# for tools/testrun.
set -u
tmp=build/tmp/large-root-$$
mkdir -p "$tmp/root/bin"
trap 'rm -rf "$tmp"' EXIT
cp "$(command -v busybox)" "$tmp/root/bin/busybox"
yes 'a line of a large file' | head -c 300000000 >"$tmp/root/large"
wanted=$(sha256sum <"$tmp/root/large")

echo "TEST large-root"
found=$(./pith run --timeout 150 --root "$tmp/root" -- /bin/busybox sha256sum /large 2>"$tmp/errors" </dev/null)
status=$?
if [ $status = 0 ] && [ "${found%% *}" = "${wanted%% *}" ]; then
	echo "PASS large-root"
else
	echo "$found"
	tail -n 5 "$tmp/errors"
	echo "FAIL large-root: status $status"
fi
echo DONE
