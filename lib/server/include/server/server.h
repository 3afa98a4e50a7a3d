/* SPDX-License-Identifier: MIT */
/*
 * The server's side of calls: the entry point and what generated dispatchers need.
 *
 *     SERVER_ENTRY(file)       defines file_entry(), which lays the words in a struct msg,
 *                              calls  uint64_t file_handle(uint64_t badge, struct msg *m)
 *                              and answers with what that returns, m's other words and the
 *                              reply's capabilities.
 *
 * Before it stands another entry, RT_ENTRY_COUNTED bytes ahead, that goes there too: it counts, for
 * components that are to die at a request.
 *
 * A handler must not block; it answers RPC_PARK before any side effect when it cannot
 * finish. It runs on the caller's thread and priority; another core may be in the same
 * server at the same time.
 */
#pragma once
#include <rt/call.h>
#include <rt/component.h>
#include <stdbool.h>

#define SERVER_ENTRY(name)                                                                         \
    void name##_entry(void);                                                                       \
    uint64_t name##_handle(uint64_t badge, struct msg *m);                                         \
    __asm__(".text\n.p2align 4\n"                                                                  \
            "lock decq rt_events_left(%rip)\njnz " #name "_entry\ncall rt_request_crash\n"         \
            ".p2align 4\n.globl " #name "_entry\n" #name "_entry:\n"                               \
            "push %r9\npush %r8\npush %r10\npush %rdx\npush %rsi\npush %rdi\n"                     \
            "mov %rax, %rdi\nmov %rsp, %rsi\nmov %rbx, %rdx\n"                                     \
            "lea " #name "_handle(%rip), %rcx\n"                                                   \
            "xor %ebx, %ebx\nxor %r12d, %r12d\nxor %r13d, %r13d\nxor %r14d, %r14d\n"               \
            "xor %r15d, %r15d\n"                                                                   \
            "call server_run\n"                                                                    \
            "pop %rdi\npop %rsi\npop %rdx\npop %r10\npop %r8\npop %r9\n"                           \
            "mov $0x80000000, %eax\nsyscall\nud2\n")

/* Copies between this server and what the caller granted; false when the caller's memory
 * is not there or shorter (the caller gets RPC_BAD_BUFFER). offset is into the block
 * granted for reading, or for writing. */
bool rt_copy_from_client(uint64_t offset, void *to, uint64_t length);
bool rt_copy_to_client(uint64_t offset, const void *from, uint64_t length);
/* Slot of capability i that came with the call (0: none). It is deleted after the call
 * unless rt_keep_cap moved it. */
uint32_t rt_received_cap(unsigned i);
/* Moves received capability i to a dynamic slot of its own; 0 when there is none. */
uint32_t rt_keep_cap(unsigned i);
/* Capability i of the reply; the slot keeps its copy. */
void rt_reply_cap(unsigned i, uint32_t slot);
/* A server may define it: the capability in this slot was to go to a caller that had no room for
 * it. If nobody else holds the gate its last close will not be told: there has been no first one.
 * */
void rt_undelivered(uint32_t slot);
/* Whether slot has a gate of service that nobody but us holds; its badge. */
bool rt_gate_unheld(uint32_t slot, uint32_t service, uint64_t *badge);

/* Persistent slot numbers of this component (kept in the capsule). 0: exhausted. */
uint32_t rt_slot_alloc(void);
void rt_slot_free(uint32_t slot); /* deletes what is in it */
/* Pages of SLOT_PERSISTENT for lasting kernel objects. 0: exhausted. */
uint64_t rt_object_page(void);
/* A gate of an offered service for badge, in a persistent slot of its own; 0: exhausted.
 * Freeing destroys it, and with it every client's capability. */
uint32_t rt_gate_create(uint32_t service, uint64_t badge);
void rt_gate_free(uint32_t slot);
/* A notification in a persistent slot of its own; 0: exhausted. rt_gate_free frees it too. */
uint32_t rt_notification_create(void);
/* Another gate for badge in the same slot: the one that was there is gone for all clients.
 * Not undone with the transaction. False: it did not work, and the slot is empty. */
bool rt_gate_renew(uint32_t slot, uint32_t service, uint64_t badge);
/* Does the slot hold that service's gate with that badge? For last closes: the gate may be one
 * that an undone transaction made, and the badge then stands for nothing, or for something else
 * by now. */
bool rt_gate_is(uint32_t slot, uint32_t service, uint64_t badge);
/* Badge of the next gate that only this server still holds (last close), or false. */
bool rt_closed(uint32_t service, uint64_t *badge);
