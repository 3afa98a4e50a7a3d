// SPDX-License-Identifier: MIT
/*
 * Formatted output: parses one conversion after the other into a struct spec and writes it as
 * padding, prefix, zeros, digits or text, padding. See rt/format.h for the language.
 *
 * Invariant: `total` counts everything given to the sink, saturating at INT_MAX; a saturated
 * count stops further output, so that huge widths end.
 */
#include <rt/format.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <rt/string.h>

enum { DIGITS_MAX = 22 /* 64 bits in octal */ };

enum size { SIZE_INT, SIZE_CHAR, SIZE_SHORT, SIZE_LONG };

struct output {
    format_sink_fn *sink;
    void *context;
    int total;
};

struct spec {
    bool left, plus, space, alternate, zero;
    bool has_precision;
    int width;
    int precision;
    enum size size;
};

static void put(struct output *out, const char *text, size_t bytes)
{
    size_t room = (size_t)(INT_MAX - out->total);

    if (bytes > room)
        bytes = room;
    if (!bytes)
        return;
    out->total += (int)bytes;
    out->sink(out->context, text, bytes);
}

static void put_repeated(struct output *out, char c, size_t count)
{
    char run[32];

    if (!count)
        return;
    memset(run, c, sizeof(run));
    while (count && out->total < INT_MAX) {
        size_t part = count < sizeof(run) ? count : sizeof(run);

        put(out, run, part);
        count -= part;
    }
}

/* Padding before and after for a body of `bytes` bytes. */
static size_t padding(const struct spec *spec, size_t bytes)
{
    return (size_t)spec->width > bytes ? (size_t)spec->width - bytes : 0;
}

static void put_text(struct output *out, const struct spec *spec, const char *text, size_t bytes)
{
    size_t pad = padding(spec, bytes);

    if (!spec->left)
        put_repeated(out, ' ', pad);
    put(out, text, bytes);
    if (spec->left)
        put_repeated(out, ' ', pad);
}

static void put_number(struct output *out, const struct spec *spec, const char *prefix,
    const char *digits, size_t count)
{
    size_t prefix_bytes = strlen(prefix);
    size_t zeros = 0, pad;

    if (spec->has_precision && (size_t)spec->precision > count)
        zeros = (size_t)spec->precision - count;
    pad = padding(spec, prefix_bytes + zeros + count);
    if (spec->zero && !spec->left && !spec->has_precision) {
        zeros += pad;
        pad = 0;
    }
    if (!spec->left)
        put_repeated(out, ' ', pad);
    put(out, prefix, prefix_bytes);
    put_repeated(out, '0', zeros);
    put(out, digits, count);
    if (spec->left)
        put_repeated(out, ' ', pad);
}

/* Writes the digits so that they end at digits[DIGITS_MAX]; returns how many. */
static size_t make_digits(char digits[DIGITS_MAX], uint64_t value, unsigned base, bool upper)
{
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t at = DIGITS_MAX;

    /* Constant divisors, so that the compiler multiplies instead. */
    if (base == 10)
        for (; value; value /= 10)
            digits[--at] = (char)('0' + value % 10);
    else
        for (unsigned shift = base == 16 ? 4 : 3; value; value >>= shift)
            digits[--at] = alphabet[value & (base - 1)];
    return DIGITS_MAX - at;
}

static void put_unsigned(
    struct output *out, const struct spec *spec, uint64_t value, char conversion)
{
    char digits[DIGITS_MAX];
    unsigned base = conversion == 'u' ? 10 : conversion == 'o' ? 8 : 16;
    size_t count = make_digits(digits, value, base, conversion == 'X');
    struct spec own = *spec;
    const char *prefix = "";

    if (spec->alternate && base == 16 && value)
        prefix = conversion == 'X' ? "0X" : "0x";
    if (!value && !(spec->has_precision && !spec->precision))
        digits[DIGITS_MAX - ++count] = '0';
    /* '#' for octal means one leading zero, which a precision may have made already. */
    if (spec->alternate && base == 8 && (!count || digits[DIGITS_MAX - count] != '0') &&
        !(spec->has_precision && (size_t)spec->precision > count))
        prefix = "0";
    if (*prefix == '0' && !prefix[1] && own.has_precision && own.precision)
        own.precision--;
    put_number(out, &own, prefix, digits + DIGITS_MAX - count, count);
}

static void put_signed(struct output *out, const struct spec *spec, int64_t value)
{
    char digits[DIGITS_MAX];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t count = make_digits(digits, magnitude, 10, false);
    const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    if (!value && !(spec->has_precision && !spec->precision))
        digits[DIGITS_MAX - ++count] = '0';
    put_number(out, spec, prefix, digits + DIGITS_MAX - count, count);
}

/* va_list is an array on x86_64, so it is passed inside a struct to be advanced by callees. */
struct arguments {
    va_list list;
};

static uint64_t take_unsigned(struct arguments *from, enum size size)
{
    switch (size) {
    case SIZE_CHAR:
        return (unsigned char)va_arg(from->list, unsigned);
    case SIZE_SHORT:
        return (unsigned short)va_arg(from->list, unsigned);
    case SIZE_LONG:
        return va_arg(from->list, unsigned long);
    default:
        return va_arg(from->list, unsigned);
    }
}

static int64_t take_signed(struct arguments *from, enum size size)
{
    switch (size) {
    case SIZE_CHAR:
        return (signed char)va_arg(from->list, int);
    case SIZE_SHORT:
        return (short)va_arg(from->list, int);
    case SIZE_LONG:
        return va_arg(from->list, long);
    default:
        return va_arg(from->list, int);
    }
}

/* A decimal number or `*`; advances `*format`. Large values saturate. */
static int parse_number(const char **format, struct arguments *from)
{
    int value = 0;

    if (**format == '*') {
        ++*format;
        return va_arg(from->list, int);
    }
    for (; **format >= '0' && **format <= '9'; ++*format)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, **format - '0', &value))
            value = INT_MAX;
    return value;
}

static void parse_flags(const char **format, struct spec *spec)
{
    for (;; ++*format) {
        switch (**format) {
        case '-':
            spec->left = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        case '0':
            spec->zero = true;
            break;
        default:
            return;
        }
    }
}

static void parse_size(const char **format, struct spec *spec)
{
    const char *at = *format;

    if (at[0] == 'h') {
        spec->size = at[1] == 'h' ? SIZE_CHAR : SIZE_SHORT;
        *format += at[1] == 'h' ? 2 : 1;
    } else if (at[0] == 'l') {
        spec->size = SIZE_LONG;
        *format += at[1] == 'l' ? 2 : 1;
    } else if (at[0] == 'z' || at[0] == 'j' || at[0] == 't') {
        spec->size = SIZE_LONG;
        *format += 1;
    }
}

static void parse_spec(const char **format, struct spec *spec, struct arguments *from)
{
    *spec = (struct spec){0};
    parse_flags(format, spec);
    spec->width = parse_number(format, from);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
    }
    if (**format == '.') {
        ++*format;
        spec->precision = parse_number(format, from);
        spec->has_precision = spec->precision >= 0;
    }
    parse_size(format, spec);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
    if (!text)
        text = "(null)";
    put_text(out, spec, text,
        spec->has_precision ? strnlen(text, (size_t)spec->precision) : strlen(text));
}

static void put_pointer(struct output *out, struct spec *spec, uintptr_t value)
{
    if (!value) {
        put_text(out, spec, "(nil)", 5);
        return;
    }
    spec->alternate = true;
    put_unsigned(out, spec, value, 'x');
}

/* `format` is at the conversion character, `start` at its '%'. Returns where to go on. */
static const char *convert(struct output *out, struct spec *spec, struct arguments *from,
    const char *start, const char *format)
{
    char c;

    switch (*format) {
    case 'd':
    case 'i':
        put_signed(out, spec, take_signed(from, spec->size));
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_unsigned(out, spec, take_unsigned(from, spec->size), *format);
        break;
    case 'c':
        c = (char)va_arg(from->list, int);
        put_text(out, spec, &c, 1);
        break;
    case 's':
        put_string(out, spec, va_arg(from->list, const char *));
        break;
    case 'p':
        put_pointer(out, spec, (uintptr_t)va_arg(from->list, void *));
        break;
    case '%':
        put(out, "%", 1);
        break;
    default:
        if (*format)
            format++;
        put(out, start, (size_t)(format - start));
        return format;
    }
    return format + 1;
}

int format_to(format_sink_fn *sink, void *context, const char *format, va_list arguments)
{
    struct output out = {.sink = sink, .context = context};
    struct arguments from;

    va_copy(from.list, arguments);
    while (*format) {
        const char *start = format;
        struct spec spec;

        format = strchrnul(format, '%');
        put(&out, start, (size_t)(format - start));
        if (!*format)
            break;
        start = format++;
        parse_spec(&format, &spec, &from);
        format = convert(&out, &spec, &from, start, format);
    }
    va_end(from.list);
    return out.total;
}

struct buffer {
    char *at;
    size_t room; /* without the NUL */
};

static void buffer_sink(void *context, const char *text, size_t bytes)
{
    struct buffer *buffer = context;
    size_t part = bytes < buffer->room ? bytes : buffer->room;

    memcpy(buffer->at, text, part);
    buffer->at += part;
    buffer->room -= part;
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    char none;
    struct buffer into = {.at = size ? buffer : &none, .room = size ? size - 1 : 0};
    int total = format_to(buffer_sink, &into, format, arguments);

    if (size)
        *into.at = 0;
    return total;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    int total;

    va_start(arguments, format);
    total = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return total;
}
