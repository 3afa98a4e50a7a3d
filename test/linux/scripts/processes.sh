# SPDX-License-Identifier: MIT
# What a script sees of processes: $$, PPID, exec, nested shells, exit statuses, environment, limits.
[ $$ -gt 0 ] && echo pid
sh -c 'echo $PPID' | grep -qx "$$" && echo parent || echo "another parent"
(exec sh -c 'echo executed'); echo $?
sh -c 'exit 200'; echo $?
sh -c 'sh -c "sh -c \"exit 7\""'; echo $?
env -i A=1 /bin/busybox sh -c 'echo $A $B'
env | grep -c '^PATH='
ps | grep -c '[p]s' >/dev/null && echo ps
pidof nothing-there || echo none
nice -n 5 sh -c 'echo niced'
timeout 1 sleep 10; echo $?
timeout 5 true; echo $?
setsid sh -c 'echo session' | cat
echo a b c | xargs -n 1 echo x
seq 1 100 | xargs -n 30 | wc -l
printf 'a b\0c\0' | xargs -0 -n1 echo
find / -maxdepth 1 -name bin | xargs ls -d
which sh
nohup sh -c 'echo nohup' 2>/dev/null | cat
sh -c 'ulimit -n 50; ulimit -n'
sh -c 'trap "echo got; exit 6" USR1; (sleep 0.1; kill -USR1 $$) & wait; wait'; echo $?
uname -s; uname -m; hostname >/dev/null && echo host
id -u; id -g; whoami
date -u -d @86400 '+%Y-%m-%d %H:%M:%S'
sleep 0; usleep 1000; echo slept
test -t 0 || echo "no terminal"
tty; echo $?
