# SPDX-License-Identifier: MIT
#
# What the subcommands of ./pith share. Read into the shell at the repository's root; expects
# $command. Messages go to stderr.

say() { printf 'pith: %s\n' "$*" >&2; }
die() { say "$command: $*"; exit 2; }

# Packages: NAME|FILES|NEEDED BY|WHAT FOR. A package is there when a command or one of the files
# (a leading slash) is. Sizes are not kept here: apt knows them.
PACKAGES='gcc|gcc|run test bench image debug trace lint|compiler
libc6-dev|/usr/include/stdio.h|run test bench image debug trace lint|headers for the host tools
make|make|run test bench image debug trace lint|building
qemu-system-x86|qemu-system-x86_64|run test bench debug trace|the emulator
grub-common|grub-mkimage|image test|ISO image
grub-pc-bin|/usr/lib/grub/i386-pc/boot.img|image test|ISO image: BIOS
grub-efi-amd64-bin|/usr/lib/grub/x86_64-efi/kernel.img|image test|ISO image: UEFI
xorriso|xorriso|image test|ISO image
mtools|mformat|image test|ISO image
musl-tools|musl-gcc|test|static Linux programs for the tests
bash-static|/bin/bash-static|test|a shell for the tests
liblua5.4-dev|/usr/include/lua5.4/lua.h|test|a real program for the tests
libsqlite3-dev|/usr/include/sqlite3.h|test|a real program for the tests
ovmf|/usr/share/ovmf/OVMF.fd /usr/share/OVMF/OVMF_CODE_4M.fd|test|UEFI firmware for the tests
gdb|gdb|debug test|debugger
clang-format|clang-format|fmt lint|formatting
git|git|fmt lint|which lines have changed
busybox-static|/bin/busybox|run test bench image debug trace|the programs of the default root file system'

package_is_there() { # PROBES
	for probe in $1; do
		case $probe in
		/*) [ -e "$probe" ] && return 0 ;;
		*) command -v "$probe" >/dev/null 2>&1 && return 0 ;;
		esac
	done
	return 1
}

# Prints the names of the packages that COMMAND needs and that are missing.
missing_packages() { # COMMAND
	printf '%s\n' "$PACKAGES" | while IFS='|' read -r package probes users purpose; do
		case " $users " in *" $1 "*) ;; *) continue ;; esac
		package_is_there "$probes" || printf '%s ' "$package"
	done
}

# What apt would fetch and keep for these packages, in words; empty when apt does not know.
install_size() { # PACKAGES…
	apt-get install --no-install-recommends --print-uris -y "$@" 2>/dev/null </dev/null |
		sed -n -e 's/^Need to get \(.*\) of archives.*/download \1/p' \
			-e 's/^After this operation, \(.*\) of additional disk space.*/\1 on disk/p' |
		awk '{ printf "%s%s", (NR > 1 ? ", " : ""), $0 }'
}

# Installs what COMMAND needs and is missing, or exits with 2.
need_packages() {
	missing=$(missing_packages "$command")
	[ -n "$missing" ] || return 0
	# Word splitting of $missing is meant, here and below.
	if ! command -v apt-get >/dev/null 2>&1; then
		die "missing: $missing(no apt-get here: install them your system's way)"
	fi
	if [ "$(id -u)" = 0 ]; then
		root=
	elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		root=sudo
	else
		say "$command needs packages that only root can install:"
		echo "apt-get update && apt-get install -y --no-install-recommends ${missing% }" >&2
		exit 2
	fi
	say "$command needs packages that are not installed:"
	printf '%s\n' "$PACKAGES" | while IFS='|' read -r package probes users purpose; do
		case " $missing" in *" $package "*) printf '  %s (%s)\n' "$package" "$purpose" >&2 ;; esac
	done
	say "reading the list of packages (apt-get update)"
	$root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 ||
		say "apt-get update failed, trying with the lists at hand"
	size=$(install_size $missing)
	say "installing: ${size:-apt does not say how large they are}"
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
		$missing </dev/null >&2 || die "apt-get could not install: $missing"
	missing=$(missing_packages "$command")
	[ -z "$missing" ] || die "still missing after the installation: $missing"
}

# Builds make goals; silent when all is well. A parallel run of another ./pith waits.
build() { # MAKE ARGUMENTS…
	mkdir -p build
	jobs=$(nproc 2>/dev/null || echo 1)
	if [ -t 2 ]; then
		printf 'building ...\r' >&2
	fi
	if command -v flock >/dev/null 2>&1; then
		build_output=$(flock build/.lock make -j"$jobs" "$@" 2>&1 </dev/null)
	else
		build_output=$(make -j"$jobs" "$@" 2>&1 </dev/null)
	fi
	build_status=$?
	[ -t 2 ] && printf '\033[K' >&2
	if [ $build_status != 0 ]; then
		printf "%s\n" "$build_output" >&2
		die "the build failed"
	fi
}

# Gives $PITH_TMP, a folder of this run's own that is gone after the run however it ends: this
# shell removes it, and so does a watcher when this shell is killed.
use_tmp() {
	build build/host/guard
	PITH_TMP=build/tmp/$$
	PITH_PID=$$
	export PITH_TMP PITH_PID
	rm -rf "$PITH_TMP"
	mkdir -p "$PITH_TMP" || die "cannot write below build/"
	trap 'rm -rf "$PITH_TMP"' EXIT
	build/host/guard --watch $$ --remove "$PITH_TMP" </dev/null >/dev/null 2>&1 &
}

has_image() { # NAME
	make -s list-images 2>/dev/null </dev/null | grep -qx "$1"
}

# A path given by the user is relative to where ./pith was started.
user_path() { # PATH
	case $1 in
	/*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$start_folder" "$1" ;;
	esac
}

number_option() { # OPTION VALUE
	case $2 in
	'' | *[!0-9]* | 0*) die "$1 needs a positive number, not \"$2\"" ;;
	esac
}
