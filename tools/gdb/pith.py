# SPDX-License-Identifier: MIT
"""
Commands for gdb that show the kernel's objects: pith-threads, pith-caps, pith-services,
pith-queues, pith-tables. Read by ./pith debug; `help pith-threads` and so on says more.

Structures come from the kernel's own debug information, addresses and constants from its
headers: nothing here knows an offset.
"""
import os
import re
import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def defines(path):
    """The numbers that a header defines."""
    out = {}
    with open(os.path.join(ROOT, path)) as f:
        for line in f:
            m = re.match(r'#define (\w+) (0x[0-9a-fA-F]+|\d+)(?:u?l{0,2})\b', line)
            if m:
                out[m.group(1)] = int(m.group(2), 0)
    return out


LAYOUT = defines('kernel/include/layout.h')
OBJECT = defines('kernel/include/object.h')
X86 = defines('kernel/arch/x86_64/include/arch/pte.h')
RIGHTS = {k[6:].lower(): v for k, v in defines('abi/include/abi/contract.h').items()
          if k.startswith('RIGHT_') and k != 'RIGHT_ALL'}
PAGE = 4096


def struct(name, address):
    return gdb.Value(address).cast(gdb.lookup_type('struct ' + name).pointer()).dereference()


def number(value):
    return int(value) & 0xffffffffffffffff


def enumerator(enum, value):
    for field in gdb.lookup_type('enum ' + enum).fields():
        if field.enumval == value:
            return field.name
    return str(value)


def type_number(name):
    return next(f.enumval for f in gdb.lookup_type('enum page_type').fields() if f.name == name)


def frame_address(pfn):
    return LAYOUT['DM_BASE'] + pfn * PAGE


def frame_of(address):
    return (number(address) - LAYOUT['DM_BASE']) // PAGE


def memory(address, length):
    return bytes(gdb.selected_inferior().read_memory(address, length))


def word(address):
    return int.from_bytes(memory(address, 8), 'little')


def page_types():
    return memory(LAYOUT['PTYPE_BASE'], number(gdb.parse_and_eval('page_count')))


def pages_of(type_name):
    wanted = type_number(type_name)
    return [pfn for pfn, t in enumerate(page_types()) if t == wanted]


def cpus():
    base = LAYOUT['CPU_BASE'] + LAYOUT['CPU_DATA']
    return [struct('cpu', base + i * LAYOUT['CPU_STRIDE'])
            for i in range(int(gdb.parse_and_eval('cpu_count')))]


def threads():
    all_of_them = (struct('thread', frame_address(pfn)) for pfn in pages_of('PT_THREAD'))
    return [t for t in all_of_them if number(t['gen'])]


def thread_name(t):
    address = number(t) if t.type.code == gdb.TYPE_CODE_PTR else number(t.address)
    return 'none' if not address else 'thread %d' % int(struct('thread', address)['id'])


def innermost(t):
    """A running thread's innermost frame is its core's."""
    for cpu in cpus():
        if number(cpu['thread']) == number(t.address):
            return cpu['frame'].dereference()
    return t['top'].dereference()


def chain(t):
    """The thread's frames, the innermost first."""
    frames, f = [], innermost(t)
    while int(f['kind']) != int(gdb.parse_and_eval('FRAME_BASE')) and len(frames) < 33:
        frames.append(f)
        f = f['prev'].dereference()
    return frames + [f]


def slots(space):
    """(slot number, w0, w1) of each slot that is not empty."""
    empty = number(gdb.parse_and_eval('empty_caps'))
    for directory in range(OBJECT['CAP_PAGES']):
        page = number(space['capdir'][directory])
        if page == empty:
            continue
        data = memory(page, PAGE)
        for i in range(OBJECT['SLOTS_PER_PAGE']):
            w0 = int.from_bytes(data[16 * i:16 * i + 8], 'little')
            w1 = int.from_bytes(data[16 * i + 8:16 * i + 16], 'little')
            if w0 != OBJECT['CAP_NIL']:
                yield directory * OBJECT['SLOTS_PER_PAGE'] + i, w0, w1


def object_of(w0):
    address = w0 >> 16
    return address | 0xffff000000000000 if address >> 47 else address


def space_argument(argument):
    """A space by its page's frame number (hexadecimal, as these commands print it); without one
    the space that is loaded."""
    if argument.strip():
        pfn = int(argument.split()[0], 16)
    else:
        pfn = frame_of(cpus()[0]['frame']['space'])
    types = page_types()
    if pfn >= len(types) or types[pfn] != type_number('PT_SPACE'):
        raise gdb.GdbError('%x is not a space; there are: %s' %
                           (pfn, ' '.join('%x' % p for p in pages_of('PT_SPACE'))))
    return struct('space', frame_address(pfn))


class Command(gdb.Command):
    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_DATA)


class Threads(Command):
    """pith-threads: every thread with its state, what it waits for, and its call frames."""

    def invoke(self, argument, from_tty):
        for t in threads():
            state = enumerator('thread_state', int(t['state']))[7:].lower()
            running = any(number(c['thread']) == number(t.address) for c in cpus())
            print('%-12s core %d priority %2d %s%s space %x' % (
                thread_name(t), int(t['core']), int(t['priority']), state,
                ' (runs)' if running else '', frame_of(t['space'])))
            if number(t['waits_on']):
                print('    waits on notification %x until %s' % (
                    number(t['waits_on']), '%d ns' % number(t['deadline_ns'])
                    if int(t['timer_slot']) else 'it is raised'))
            if number(t['queued_on']):
                print('    queued for service %x' % frame_of(t['queued_on']))
            if number(t['helps']):
                print('    helps the holder of stack %x' % number(t['helps']))
            for f in chain(t):
                base = int(f['level']) == OBJECT['USER_LEVEL']
                where = 'user' if base else 'service %x level %d' % (
                    frame_of(f['pool']['service']), int(f['level']))
                print('    frame: %s rip %x rsp %x%s' % (
                    where, number(f['rip']), number(f['rsp']),
                    ' (its fault is handled)' if int(f['fault']) else ''))


class Caps(Command):
    """pith-caps [SPACE]: the capabilities of a space."""

    def invoke(self, argument, from_tty):
        space = space_argument(argument)
        types = page_types()
        print('space %x%s' % (frame_of(space.address), ' (dead)' if int(space['dead']) else ''))
        for slot, w0, w1 in slots(space):
            address, kind = object_of(w0), w0 >> 8 & 0xff
            alive = types[frame_of(address)] == kind and word(address) == w1
            rights = '+'.join(n for n, bit in RIGHTS.items() if w0 & bit) or 'no rights'
            print('%6d %-16s %x %s%s' % (slot, enumerator('page_type', kind)[3:].lower(), address,
                                       rights, '' if alive else ' (revoked)'))


class Services(Command):
    """pith-services: every service with its pool, stacks, gates and who queues for it."""

    def invoke(self, argument, from_tty):
        gates = {}
        for pfn in pages_of('PT_GATE'):
            page = struct('page', LAYOUT['PAGES_BASE'] + pfn * gdb.lookup_type('struct page').sizeof)
            gates[int(page['parent'])] = gates.get(int(page['parent']), 0) + int(page['used'])
        for pfn in pages_of('PT_SERVICE'):
            s = struct('service', frame_address(pfn))
            if not number(s['gen']):
                continue
            print('service %x level %d %s incarnation %d gates %d' % (
                pfn, int(s['level']), enumerator('service_state', int(s['state']))[8:].lower(),
                int(s['incarnation']), gates.get(pfn, 0)))
            if number(s['bound']):
                self.pool(s['bound'].dereference())
            for kind in 'waiters', 'faulted':
                for core in range(len(cpus())):
                    names = [thread_name(t) for t in ring(s[kind][core], 'run_next')]
                    if names:
                        print('    %s on core %d: %s' % (kind, core, ', '.join(names)))

    @staticmethod
    def pool(p):
        print('    pool %x space %x entry %x' % (frame_of(p.address), frame_of(p['space']),
                                               number(p['entry'])))
        for core in range(len(cpus())):
            pfn = int(p['stacks'][core])
            if not pfn:
                continue
            page = struct('page', LAYOUT['PAGES_BASE'] + pfn * gdb.lookup_type('struct page').sizeof)
            frame = gdb.lookup_type('struct frame')
            used = sum(1 for i in range(int(page['used'])) if number(
                struct('frame', frame_address(pfn) + i * frame.sizeof)['gate']))
            print('    core %d: %d stacks, %d in use' % (core, int(page['used']), used))


def ring(head, link):
    """The threads of a circular list."""
    t, out = head, []
    while number(t) and len(out) < 4096:
        out.append(t.dereference())
        t = t[link]
        if number(t) == number(head):
            break
    return out


class Queues(Command):
    """pith-queues: for each core what runs, who is ready, the inbox and the deadlines."""

    def invoke(self, argument, from_tty):
        for cpu in cpus():
            print('core %d runs %s' % (int(cpu['core']), thread_name(cpu['thread'])))
            for priority in range(63, -1, -1):
                names = [thread_name(t) for t in ring(cpu['run'][priority], 'run_next')]
                if names:
                    print('    priority %2d: %s' % (priority, ', '.join(names)))
            t, names = cpu['inbox'], []
            while number(t) and len(names) < 4096:
                names.append(thread_name(t))
                t = t['inbox_next']
            if names:
                print('    inbox: %s' % ', '.join(names))
            for t in threads():
                if int(t['timer_slot']) and int(t['core']) == int(cpu['core']):
                    print('    deadline %d ns: %s' % (number(t['deadline_ns']), thread_name(t)))
        print('kernel lock: %s' % ('taken' if int(gdb.parse_and_eval('kernel_lock.word')) else 'free'))


class Tables(Command):
    """pith-tables [SPACE]: what a space has mapped, runs of like pages in one line."""

    def invoke(self, argument, from_tty):
        space = space_argument(argument)
        print('space %x' % frame_of(space.address))
        run = None
        for va, size, pte in self.leaves(int(space['pml4']), 4, 0):
            rights = 'r%s%s%s' % ('w' if pte & X86['PTE_WRITE'] else '-',
                                  '-' if pte & X86['PTE_NX'] else 'x',
                                  ' device' if pte & X86['PTE_IO'] else '')
            at = pte & X86['PTE_FRAME'] & ~(size - 1)
            if run and run[1] == va and run[2] + run[1] - run[0] == at and run[3:] == (rights, size):
                run = (run[0], va + size) + run[2:]
            else:
                self.show(run)
                run = (va, va + size, at, rights, size)
        self.show(run)

    @staticmethod
    def show(run):
        if run:
            print('%012x-%012x %s physical %x%s' % (run[0], run[1], run[3], run[2],
                                                  '' if run[4] == PAGE else ' (large)'))

    def leaves(self, pfn, level, base):
        data = memory(frame_address(pfn), PAGE // 2 if level == 4 else PAGE)
        for i in range(len(data) // 8):
            pte = int.from_bytes(data[8 * i:8 * i + 8], 'little')
            size = PAGE << 9 * (level - 1)
            if not pte & X86['PTE_PRESENT']:
                continue
            if level == 1 or pte & X86['PTE_LARGE']:
                yield base + i * size, size, pte
            else:
                yield from self.leaves((pte & X86['PTE_FRAME']) // PAGE, level - 1, base + i * size)


Threads('pith-threads')
Caps('pith-caps')
Services('pith-services')
Queues('pith-queues')
Tables('pith-tables')
