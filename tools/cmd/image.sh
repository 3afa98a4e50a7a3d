# SPDX-License-Identifier: MIT
# ./pith image: builds the ISO image, bit for bit the same every time.

case ${1-} in
'') ;;
--help) echo "usage: ./pith image     builds build/release/pith.iso (BIOS and UEFI)"; exit 0 ;;
*) die "takes no arguments" ;;
esac
need_packages
build build/release/pith.iso
printf '%s  %s bytes  sha256 %s\n' build/release/pith.iso "$(wc -c <build/release/pith.iso)" \
	"$(sha256sum build/release/pith.iso | cut -d ' ' -f 1)"
exit 0
