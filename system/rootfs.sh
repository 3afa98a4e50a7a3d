#!/bin/sh
# SPDX-License-Identifier: MIT
# rootfs.sh OUT.cpio FOLDER MKROOT: a root file system with Debian's busybox-static and its names.
set -eu
out=$1 folder=$2 mkroot=$3
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/etc" "$folder/root" "$folder/usr/bin" "$folder/sbin" "$folder/var" "$folder/mnt"
cp /bin/busybox "$folder/bin/busybox"
chmod 755 "$folder/bin/busybox"
/bin/busybox --list | while read -r name; do
	[ "$name" = busybox ] || ln -s busybox "$folder/bin/$name"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$folder/etc/passwd"
echo 'root:x:0:' >"$folder/etc/group"
echo pith >"$folder/etc/hostname"
printf 'Pith\n' >"$folder/etc/issue"
cat >"$folder/bin/servers" <<'END'
#!/bin/sh
# servers: lists the system's servers; servers kill|restart NAME, servers replace NAME BINARY.
if [ $# = 0 ]; then
	exec cat /proc/pith/servers
fi
echo "$@" >/dev/pith
END
cat >"$folder/bin/log" <<'END'
#!/bin/sh
# log: the last lines that each of the system's servers has logged, also before it died.
exec cat /proc/pith/log
END
chmod 755 "$folder/bin/servers" "$folder/bin/log"
[ ! -d "${ROOTFS_EXTRA:-/nonexistent}" ] || cp -r "$ROOTFS_EXTRA/." "$folder/"
"$mkroot" "$folder" "$out"
