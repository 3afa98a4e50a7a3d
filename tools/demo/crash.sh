# SPDX-License-Identifier: MIT
# ./pith demo crash: kills each server under a running pipeline and shows that it goes on.

say "a pipeline runs in Pith while each server under it is killed (about ten seconds)"
exec ./pith run --timeout 60 -- /bin/sh -c '
now() { awk "{ print int(\$1 * 1000) }" /proc/uptime; }
seq 1 60000 | sort -n | sha256sum >/tmp/before
( for round in 1 2 3 4 5 6; do seq 1 60000 | sort -n | sha256sum; done >/tmp/during ) &
for server in memory ramfs pipe process tty virtio-console; do
	start=$(now)
	servers kill $server
	sleep 0.2
	ls /bin >/dev/null && echo "killed $server: the next program took $(($(now) - start - 200)) ms beside the pipeline"
done
wait
servers
if [ "$(sort -u /tmp/during)" = "$(cat /tmp/before)" ]; then
	echo "the pipeline ran six times meanwhile: the same result each time"
else
	echo "the pipeline gave something else:"; cat /tmp/before /tmp/during; exit 1
fi'
