# SPDX-License-Identifier: MIT
# ./pith test: runs the rings of tests, each a script tools/test/RING.sh read into this shell.

test_usage() {
	cat <<'END'
usage: ./pith test [NAME...]
       ./pith test linux --record [NAME...]    run the Linux programs on Linux, write the records
       ./pith test linux --strict [NAME...]    expected failures that pass are failures
       ./pith test linux --report              which errors the Linux programs provoke, call by call

A NAME is a ring, a test, or the beginning of a test's name. Without names all rings run but
fuzz-long and crash-long.

rings:
END
	for ring in $RINGS $LONG_RINGS; do
		. "tools/test/$ring.sh"
		ring_exists && echo "  $ring  $RING_WHAT"
	done
	return 0
}

RINGS='host tools kernel boot bochs system linux fuzz coverage'
LONG_RINGS='fuzz-long crash-long'

case ${1-} in
--help | -h) test_usage; exit 0 ;;
-*) die "unknown option $1" ;;
esac

# Which rings the names ask for: a ring's own name, or RING/…, only that one; any other name may be
# in every ring but the long ones.
rings_wanted() { # NAMES…
	[ $# -gt 0 ] || { echo "$RINGS"; return; }
	for name in "$@"; do
		first=${name%%/*}
		case " $RINGS $LONG_RINGS " in
		*" $first "*) echo "$first" ;;
		*) echo "$RINGS" ;;
		esac
	done
}

# How the ring linux runs: comparing, comparing strictly, recording.
linux_mode=''
case ${2-} in
--record | --strict | --report)
	[ "$1" = linux ] || die "$2 is only for the ring linux"
	linux_mode=${2#--}
	shift 2
	set -- linux "$@"
	[ "$#" = 1 ] || shift ;;
esac

filters=''
for name in "$@"; do
	case $name in
	'' | *[!A-Za-z0-9._/+-]*) die "\"$name\" cannot be a test's name" ;;
	-*) die "unknown option $name" ;;
	esac
	filters="$filters --filter $name"
done

need_packages
build host
use_tmp
if [ "$linux_mode" = record ]; then
	[ "$*" != linux ] || set --
	build linux-tests
	tools/conform/conform record "$@"
	exit
fi
if [ "$linux_mode" = report ]; then
	tools/conform/conform report
	exit
fi
results=$PITH_TMP/results
: >"$results"
# Logs stay only after a failure, and then for some days.
logs=build/log/$$
mkdir -p "$logs"
find build/log -mindepth 1 -maxdepth 1 -mtime +3 -exec rm -rf {} +

# For the rings: runs COMMAND as a source of tests. ID is RING or RING/VARIANT.
run_tests() { # ID TESTRUN-OPTIONS… COMMAND…
	id=$1
	shift
	# shellcheck disable=SC2086 # a list
	build/host/testrun --name "$id" --results "$results" $filters \
		--log "$logs/$(printf '%s' "$id" | tr '/' '.').log" "$@"
}

# Does any name ask for this test? For rings that know their tests before they run.
test_is_wanted() { # RING NAME
	[ -n "$names" ] || return 0
	for asked in $names; do
		[ "$1" != "$asked" ] || return 0
		case $1/$2 in "$asked"*) return 0 ;; esac
		case $2 in "$asked"*) return 0 ;; esac
	done
	return 1
}

skip_test() { # ID REASON
	echo "SKIP $1: $2"
	echo "skip $1" >>"$results"
}

names=$*
wanted=$(rings_wanted "$@" | tr ' ' '\n')
for ring in $RINGS $LONG_RINGS; do
	printf '%s\n' "$wanted" | grep -qx "$ring" || continue
	. "tools/test/$ring.sh"
	ring_exists || continue
	ring_run
done

passed=$(grep -c '^pass ' "$results")
failed=$(grep -c '^fail ' "$results")
skipped=$(grep -c '^skip ' "$results")
[ "$failed" != 0 ] || rm -rf "$logs"
if [ -n "$names" ] && [ "$((passed + failed + skipped))" = 0 ]; then
	die "no test is called ${names} (./pith test --help lists the rings)"
fi
if [ "$skipped" = 0 ]; then
	echo "$passed passed, $failed failed"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
[ "$failed" = 0 ] && [ "$passed" != 0 ]
exit $?
