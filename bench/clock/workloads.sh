# SPDX-License-Identifier: MIT
#
# What a user waits for, by the clock: the same script runs on Pith and on Linux, in the same
# emulator. A line "clock NAME SECONDS" per workload, the least of three rounds. It needs busybox
# as /bin/busybox, and /proc.
set -f
b=/bin/busybox
mkdir -p /tmp/w
cd /tmp/w || exit 1

now() { read -r up rest </proc/uptime && echo "$up"; }

# One workload: its name and a command of this shell.
workload() { # NAME COMMAND
	least=
	for round in 1 2 3; do
		from=$(now)
		eval "$2" >/dev/null 2>&1 || { echo "clock: $1 failed" >&2; exit 1; }
		to=$(now)
		least=$(echo "$from $to $least" | $b awk '{ t = $2 - $1; print (NF > 2 && $3 < t ? $3 : t) }')
	done
	echo "clock $1 $least"
}

again() { # COUNT COMMAND
	left=$1
	while [ "$left" -gt 0 ]; do
		eval "$2"
		left=$((left - 1))
	done
}

$b dd if=/dev/zero of=big bs=64k count=160 2>/dev/null
mkdir tree
again 300 'echo "contents $left" >tree/file$left'
$b seq 1 40000 >numbers

workload shell_loop 'again 20000 :'
workload exec 'again 200 "$b true"'
workload fork 'again 300 "(:)"'
workload pipeline 'again 100 "echo x | $b cat | $b cat"'
workload substitution 'again 300 "x=\$(echo x)"'
workload read_1k '$b dd if=big of=/dev/null bs=1k'
workload read_file 'again 10 "$b cat big"'
workload write_file 'again 5 "$b dd if=/dev/zero of=copy bs=64k count=160"'
workload checksum '$b sha256sum big'
workload sort '$b sort -r numbers | $b md5sum'
workload compress '$b gzip -c numbers | $b gunzip | $b wc'
workload files_read 'set +f; again 3 "$b cat tree/*"; set -f'
workload files_list 'again 10 "$b ls -lR tree"'
workload files_find 'again 20 "$b find tree -type f"'
workload files_grep 'again 3 "$b grep -r contents tree"'
workload files_copy '$b cp -r tree tree2 && $b rm -rf tree2'
workload files_pack '$b tar cf pack.tar tree && $b tar xf pack.tar -C /tmp'
