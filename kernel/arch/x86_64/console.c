/* SPDX-License-Identifier: MIT */
/*
 * The kernel's console: COM1, 115200 baud, polled, for what the kernel itself has to say
 * (panics, mostly). Waits are bounded. No lock: whoever prints holds the kernel lock or has
 * stopped the others.
 *
 * console_printf knows %s %u %x and %d of what is not negative, l before them, and %%.
 */
#include <arch/platform.h>
#include <arch/x86.h>
#include <stdarg.h>

#define COM1 0x3f8u
#define DEBUG_EXIT 0x501u

void console_init(void)
{
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x80); /* divisor latch */
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3); /* 8N1 */
    outb(COM1 + 2, 7); /* FIFOs on and cleared */
}

void console_putc(char c)
{
    for (u32 i = 0; i < 100000 && !(inb(COM1 + 5) & 0x20); i++)
        cpu_relax();
    outb(COM1, (u8)c);
}

void console_puts(const char *s)
{
    for (; *s; s++)
        console_putc(*s);
}

static void put_number(u64 value, u32 base)
{
    char text[24];
    u32 n = 0;

    do {
        text[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        console_putc(text[--n]);
}

/* One conversion; p points behind the '%'. Returns its last character. */
static const char *convert(const char *p, va_list *arguments)
{
    bool wide = *p == 'l';
    p += wide;
    if (*p == 's')
        console_puts(va_arg(*arguments, const char *));
    else if (*p == 'u' || *p == 'd' || *p == 'x')
        put_number(wide ? va_arg(*arguments, u64) : va_arg(*arguments, u32), *p == 'x' ? 16 : 10);
    else
        console_putc(*p);
    return p;
}

void console_vprintf(const char *format, va_list *arguments)
{
    for (; *format; format++) {
        if (*format != '%')
            console_putc(*format);
        else
            format = convert(format + 1, arguments);
    }
}

void console_printf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    console_vprintf(format, &arguments);
    va_end(arguments);
}

void debug_exit(u32 value)
{
    outl(DEBUG_EXIT, value);
}

void halt_forever(void)
{
    for (;;)
        cpu_halt();
}
