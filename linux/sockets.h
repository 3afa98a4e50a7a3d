/* SPDX-License-Identifier: MIT */
/* What the layer's files need of sockets (sockets.c). All take files of kind FILE_SOCKET. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct file;
struct look;
int64_t socket_read(struct file *f, uint64_t to, size_t bytes);
int64_t socket_write(struct file *f, uint64_t from, size_t bytes);
uint64_t socket_waiting(const struct file *f); /* bytes for FIONREAD: of a record, the first */
uint64_t socket_number(const struct file *f);  /* what stands for an inode */
uint32_t socket_ready(struct file *f, struct look *look);
void socket_drop(struct file *f);
