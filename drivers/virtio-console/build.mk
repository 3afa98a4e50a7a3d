# SPDX-License-Identifier: MIT
$(call user-program,virtio-console,drivers/virtio-console,main.c port.c pci.c,file proto-ready \
	proto-file server rt)
