#!/bin/sh
# SPDX-License-Identifier: MIT
# interactive.sh: a person at ./pith run: job control, a killed terminal server, vi, a resized window.
set -u
tmp=build/tmp/interactive-$$
mkdir -p "$tmp"
trap 'rm -rf "$tmp"' EXIT
make -s build/host/session || exit 1
cat >"$tmp/script" <<'END'
size 30 100
see # 
type echo hello $((1+2))\r
see hello 3
type stty size\r
see 30 100
type sleep 100\r
wait 1000
type \x1a
see Stopped
type jobs\r
see sleep 100
type bg\r
wait 500
type fg\r
wait 500
type \x03
see # 
type cat\r
wait 500
type gr\xc3\xbcx\x7f\xc3\xa4\r
see grüä
type \x04
see # 
type servers kill tty; servers kill virtio-console; echo alive\r
see alive
type vi /tmp/x\r
wait 1500
type ihello vi
wait 500
type \e
wait 500
type :wq\r
wait 1000
type cat /tmp/x\r
see hello vi
size 40 120
wait 2500
type stty size\r
see 40 120
type exit 3\r
end 3
END
echo "TEST session"
if build/host/session "$tmp/script" ./pith run >"$tmp/out" 2>&1 </dev/null; then
	echo "PASS session"
else
	echo "FAIL session: $(grep -v '^saw' "$tmp/out" | head -n 1)"
	cat "$tmp/out"
fi
echo DONE
