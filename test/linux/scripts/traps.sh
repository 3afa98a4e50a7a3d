# SPDX-License-Identifier: MIT
# Traps: EXIT in all ways out, signals during wait, order, resetting, in functions.
sh -c 'trap "echo exit" EXIT; exit 3'; echo $?
sh -c 'trap "echo exit" EXIT; false'; echo $?
sh -c 'trap "echo exit \$?" EXIT; (exit 4)'; echo $?
sh -c 'trap "echo int" INT; kill -INT $$; echo on'
sh -c 'trap "exit 8" TERM; kill -TERM $$; echo no'; echo $?
sh -c 'trap "" TERM; kill -TERM $$; echo ignored'
sh -c 'trap "" TERM; sh -c "kill -TERM \$\$; echo inherited"'
(sh -c 'trap "echo a" USR1; trap - USR1; kill -USR1 $$; echo no'; echo $?) 2>/dev/null
sh -c 'f() { trap "echo from f" EXIT; }; f; echo body'
sh -c 'trap "echo one" USR1; trap "echo two" USR2; kill -USR2 $$; kill -USR1 $$'
sh -c 'trap "echo chld" CHLD; (exit 1); true; echo end' | tail -1
sh -c 'trap "echo woken" USR1; (sleep 0.1; kill -USR1 $$) & wait $!; echo $?; wait' | head -1
sh -c 'i=0; trap "i=\$((i+1))" USR1; for n in 1 2 3; do kill -USR1 $$; done; echo $i'
sh -c 'trap "echo pipe" PIPE; yes 2>/dev/null | head -1; echo ok'
sh -c '(trap "echo sub" EXIT); echo main'
sh -c 'trap "echo x" EXIT; exec true'; echo $?
sh -c 'trap'; sh -c 'trap "echo q" EXIT; trap' | head -1 | grep -c EXIT
