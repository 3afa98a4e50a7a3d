# SPDX-License-Identifier: MIT
# ./pith doctor: what is installed, what is missing, what it costs. Changes nothing.

[ $# = 0 ] || [ "$1" = --help ] || die "takes no arguments"

printf '%-20s %-9s %s\n' package state 'needed by'
printf '%s\n' "$PACKAGES" | while IFS='|' read -r package probes users purpose; do
	state=missing
	package_is_there "$probes" && state=there
	printf '%-20s %-9s %s (%s)\n' "$package" "$state" "$users" "$purpose"
done

echo
for user in run test bench image debug trace fmt lint; do
	missing=$(missing_packages "$user")
	if [ -z "$missing" ]; then
		echo "$user: everything is there"
	elif command -v apt-get >/dev/null 2>&1; then
		# shellcheck disable=SC2086 # a list
		size=$(install_size $missing)
		echo "$user: would install ${missing% } (${size:-apt knows no sizes before apt-get update})"
	else
		echo "$user: lacks ${missing% }, and there is no apt-get"
	fi
done

echo
echo "accelerator: $(tools/qemu-run --kvm-why)"
echo "cores: $(nproc 2>/dev/null || echo unknown)"
exit 0
