/* SPDX-License-Identifier: MIT */
/* futex, for programs of one thread: a wait can only end by its deadline or a signal. */
#include "layer.h"

int64_t sys_futex(const uint64_t *a)
{
    uint32_t operation = a[1] & 127, value;
    uint64_t deadline = DEADLINE_NEVER, ns;
    if (a[0] & 3)
        return -EINVAL;
    switch (operation) {
    case 0: /* WAIT */
    case 9: /* WAIT_BITSET */
        if (!user_read(&value, a[0], 4))
            return -EFAULT;
        if (value != (uint32_t)a[2])
            return -EAGAIN;
        if (a[3]) {
            int64_t e = timespec_read(a[3], &ns);
            if (e)
                return e;
            deadline = operation == 0 ? now_ns() + ns
                       : a[1] & 256 ? (ns > self.realtime_ns ? ns - self.realtime_ns : 0) : ns;
        }
        for (;;) {
            struct pith_result r = pith_notify_wait(SLOT_NOTE, deadline);
            if (r.status)
                return r.status == -E_INTR ? -ERESTART : -ETIMEDOUT;
        }
    case 1:  /* WAKE */
    case 10: /* WAKE_BITSET */
        return 0;
    default:
        return -ENOSYS;
    }
}
