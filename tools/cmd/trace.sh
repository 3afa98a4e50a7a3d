# SPDX-License-Identifier: MIT
# ./pith trace: boots with tracing on and decodes what the trace says.

image=boot append='' smp=1
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h)
		echo "usage: ./pith trace [--image NAME] [--append WORDS] [--smp N]"; exit 0 ;;
	--image | --append | --smp) [ $# -ge 2 ] || die "$1 needs a value" ;;
	*) die "unknown option $1" ;;
	esac
	case $1 in
	--image) image=$2 ;;
	--append) append=$2 ;;
	--smp) number_option "$@"; smp=$2 ;;
	esac
	shift 2
done

need_packages
build build/release/pith.elf "build/release/system/$image.img" host
use_tmp
{
	tools/qemu-run --smp "$smp" --append "trace $append" build/release/pith.elf \
		"build/release/system/$image.img" </dev/null
	echo $? >"$PITH_TMP/status"
} | tools/tracedump
exit "$(cat "$PITH_TMP/status")"
