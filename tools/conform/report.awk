# SPDX-License-Identifier: MIT
# report.awk: which errnos the tests provoke, call by call, from lines "call(...) = -1 ERRNO" (or
# "SYS(call, ...)", or "call(...) = ERRNO") of records and of what Pith printed. Files below a folder
# called pith are Pith's; the calls that answered ENOSYS there are listed at the end.
function call_of(line,   name) {
	name = line
	if (name ~ /^SYS\(/) {
		sub(/^SYS\(/, "", name)
		sub(/[,)].*/, "", name)
		return name
	}
	if (name !~ /^[a-z_0-9]+\(/)
		return ""
	sub(/\(.*/, "", name)
	return name
}
/ = (-1 )?E[A-Z0-9]+$/ {
	name = call_of($0)
	if (name == "")
		next
	if (FILENAME ~ /\/pith\//) {
		if ($NF == "ENOSYS")
			missing[name] = missing[name] == "" ? FILENAME : missing[name]
		next
	}
	if (!((name, $NF) in seen)) {
		seen[name, $NF] = 1
		errnos[name] = errnos[name] " " $NF
		pairs++
	}
	if (!(name in calls)) {
		calls[name] = 1
		count++
	}
	next
}
/^[a-zA-Z_0-9]+\(.*\) = / {
	name = call_of($0)
	if (name != "" && FILENAME !~ /\/pith\// && !(name in calls)) {
		calls[name] = 1
		count++
	}
}
END {
	sort = "sort"
	for (name in calls)
		printf "%-24s%s\n", name, (name in errnos) ? errnos[name] : " (no error)" | sort
	close(sort)
	printf "\n%d calls, %d different errors of calls\n", count, pairs
	for (name in missing) {
		if (errnos[name] ~ / ENOSYS/)
			continue
		if (!told++)
			print "\nanswered ENOSYS on Pith, and not on Linux:"
		sub(/.*\//, "", missing[name])
		printf "%-24s (%s)\n", name, missing[name] | sort
	}
	close(sort)
}
