# SPDX-License-Identifier: MIT
# Background jobs, wait, $!, kill, traps on exit, subshell traps, job statuses.
sleep 0.1 & wait $!; echo $?
(exit 5) & wait $!; echo $?
sleep 30 & p=$!; kill $p; wait $p 2>/dev/null; echo $?
sleep 30 & p=$!; kill -9 $p; wait $p 2>/dev/null; echo $?
for i in 3 1 2; do (sleep 0.$i; echo $i) & done; wait; echo all
(sleep 0.2; echo late) & echo early; wait
kill -0 $$ && echo alive
kill -0 999999 2>/dev/null || echo gone
wait 999999 2>/dev/null; echo $?
wait; echo $?
x=$(sleep 0.05; echo captured); echo $x
(trap 'echo bye' EXIT; echo hi)
(trap 'echo term; exit 3' TERM; kill -TERM $(exec sh -c 'echo $PPID'); sleep 1; echo no); echo $?
(trap '' TERM; kill -TERM $(exec sh -c 'echo $PPID'); echo survived)
trap 'echo usr1' USR1; kill -USR1 $$; echo after
trap - USR1
set -m 2>/dev/null; sleep 0.05 & wait; echo monitored
i=0; while [ $i -lt 20 ]; do : & i=$((i+1)); done; wait; echo twenty
(sh -c 'kill -KILL $$'; echo $?) 2>/dev/null
(sh -c 'kill -SEGV $$'; echo $?) 2>/dev/null
