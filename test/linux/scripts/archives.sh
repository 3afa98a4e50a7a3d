# SPDX-License-Identifier: MIT
# tar, cpio, gzip, bzip2, xz, uncompress of what was packed; checksums; dd; split and join again.
mkdir -p d/e; seq 1 2000 >d/numbers; echo small >d/e/s; ln -s e/s d/link; chmod 750 d/e; chmod 640 d/e/s
tar cf a.tar d; tar tf a.tar | sort
mkdir x; tar xf a.tar -C x; cmp d/numbers x/d/numbers && echo same; readlink x/d/link; stat -c %a x/d/e x/d/e/s
tar czf a.tgz d; tar tzf a.tgz | wc -l; gzip -t a.tgz && echo good
gzip -c d/numbers >n.gz; gunzip -c n.gz | cmp - d/numbers && echo gzip
bzip2 -c d/numbers >n.bz2; bunzip2 -c n.bz2 | cmp - d/numbers && echo bzip2
cp d/numbers n; gzip n; [ ! -e n ] && gunzip n.gz && cmp n d/numbers && echo replaced
find d | sort | cpio -o -H newc 2>/dev/null >a.cpio; mkdir y; (cd y && cpio -id <../a.cpio 2>/dev/null); cmp y/d/numbers d/numbers && echo cpio
md5sum d/numbers; sha1sum d/numbers; sha256sum d/e/s; cksum d/e/s
sha256sum d/numbers d/e/s >sums; sha256sum -c sums
echo x >>d/e/s; sha256sum -c sums 2>/dev/null | grep FAILED
dd if=d/numbers of=part bs=100 skip=2 count=3 2>/dev/null; wc -c <part
split -b 3000 d/numbers s.; cat s.* | cmp - d/numbers && echo rejoined
head -c 1000 a.tgz >broken.gz; gunzip -t broken.gz 2>/dev/null || echo "broken"
echo data | gzip | gunzip | tr a-z A-Z
uuencode n.txt <d/e/s | uudecode -o - 2>/dev/null
base64 d/e/s; base64 d/e/s | base64 -d
od -An -tx1 -N4 a.tgz | cut -c1-6
tar cf - d | (mkdir z; cd z; tar xf -); diff -r d z/d && echo identical
