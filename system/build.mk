# SPDX-License-Identifier: MIT
# system/NAME.sys and the programs it names become build/CONFIG/system/NAME.img.
define system-rule
$(OUT)/system/$(1).bin: system/$(1).sys $(HOST)/sysc
	mkdir -p $$(@D)
	$$(call say,sysc,$$<)
	$(HOST)/sysc $$< $$@
endef
system = $(eval $(call system-rule,$(1)))$(call image,$(1),root=$(OUT)/servers/root/root.elf \
	supervisor=$(OUT)/servers/supervisor/supervisor.elf system=$(OUT)/system/$(1).bin $(2))

$(call system,counter,counter=$(OUT)/servers/counter/counter.elf \
	load=$(OUT)/servers/load/load.elf)
$(call system,files,ramfs=$(OUT)/fs/ramfs/ramfs.elf files=$(OUT)/test/system/files.elf)
$(call system,heartbeat,hang=$(OUT)/test/system/hang.elf \
	heartbeat=$(OUT)/test/system/heartbeat.elf)
$(call system,memory,memory=$(OUT)/servers/memory/memory.elf \
	memory-test=$(OUT)/test/system/memory-test.elf)
$(call system,memory-sweep,memory=$(OUT)/servers/memory/memory.elf \
	memory-test=$(OUT)/test/system/memory-test.elf)
MEASURED := memory=$(OUT)/servers/memory/memory.elf ramfs=$(OUT)/fs/ramfs/ramfs.elf \
	counter=$(OUT)/servers/counter/counter.elf
$(call system,sbench,$(MEASURED) sbench=$(OUT)/bench/servers/sbench.elf)
$(call system,rbench,$(MEASURED) rbench=$(OUT)/bench/servers/rbench.elf)
$(call system,rbench-icount,$(MEASURED) rbench=$(OUT)/bench/servers/rbench.elf)

# A root file system for Linux programs: busybox and its names. ROOTFS may name another folder.
$(OUT)/system/rootfs.cpio: system/rootfs.sh /bin/busybox build/host/mkroot
	mkdir -p $(@D)
	$(call say,rootfs,$@)
	system/rootfs.sh $@ $(OUT)/system/rootfs build/host/mkroot
$(call system,linux,memory=$(OUT)/servers/memory/memory.elf ramfs=$(OUT)/fs/ramfs/ramfs.elf \
	serial=$(OUT)/drivers/serial/serial.elf tty=$(OUT)/servers/tty/tty.elf \
	virtio-console=$(OUT)/drivers/virtio-console/virtio-console.elf pipe=$(OUT)/servers/pipe/pipe.elf \
	process=$(OUT)/servers/process/process.elf linux=$(OUT)/linux/linux.elf \
	rootfs=$(OUT)/system/rootfs.cpio)
