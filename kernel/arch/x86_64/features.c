/* SPDX-License-Identifier: MIT */
/*
 * What the processor offers, from CPUID alone: unknown MSRs and control bits do not fault
 * everywhere. Each leaf is read only if the maximum leaf reaches it (SDM volume 2, CPUID).
 *
 * The glue has refused processors that lack something needed. All cores are taken to be
 * like the first one.
 */
#include <arch/platform.h>
#include <arch/x86.h>

struct features features;

#define XCR0_X87 0x1ull
#define XCR0_SSE 0x2ull
#define XCR0_AVX 0x4ull
#define XCR0_AVX512 0xe0ull
#define XCR0_PKRU 0x200ull
#define XSAVE_LEGACY 576u
#define XSAVE_MAX 2752u
#define FXSAVE_SIZE 512u

static bool bit(u32 value, u32 n)
{
    return value >> n & 1;
}

/* Bytes of a standard-format XSAVE area with these components (SDM 1, 13.4). */
static u32 xsave_bytes(u64 components)
{
    u32 bytes = XSAVE_LEGACY, r[4];

    for (u32 i = 2; i < 32; i++) {
        if (!(components >> i & 1))
            continue;
        cpuid(13, i, r);
        if (r[0] + r[1] > bytes)
            bytes = r[0] + r[1];
    }
    return bytes;
}

static void xsave_choose(u32 max, bool avx, bool avx512)
{
    u32 r[4];

    features.xsave_size = FXSAVE_SIZE;
    if (!features.xsave || max < 13) {
        features.xsave = features.pku = false;
        return;
    }
    cpuid(13, 0, r);
    u64 want = r[0] & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU);
    if (!avx)
        want &= ~XCR0_AVX;
    if (!avx512 || !(want & XCR0_AVX) || (want & XCR0_AVX512) != XCR0_AVX512)
        want &= ~XCR0_AVX512;
    if (!features.pku)
        want &= ~XCR0_PKRU;
    if (xsave_bytes(want) > XSAVE_MAX)
        want &= ~XCR0_AVX512;
    if (xsave_bytes(want) > XSAVE_MAX)
        want &= XCR0_X87 | XCR0_SSE;
    features.pku = want & XCR0_PKRU;
    features.xcr0 = want;
    features.xsave_size = xsave_bytes(want);
    cpuid(13, 1, r);
    features.xsaveopt = bit(r[0], 0);
}

/* AMD and its licensee never had the fault; others say so in IA32_ARCH_CAPABILITIES. */
static bool meltdown_check(u32 vendor, bool capabilities)
{
    return vendor == 0x68747541 || vendor == 0x6f677948 || /* "Auth", "Hygo" */
           (capabilities && (rdmsr(0x10a) & 1));
}

void features_init(void)
{
    u32 r[4], max, max_ext, vendor;

    cpuid(0, 0, r);
    max = r[0];
    vendor = r[1];
    cpuid(1, 0, r);
    features.x2apic = bit(r[2], 21);
    features.tsc_deadline = bit(r[2], 24);
    features.xsave = bit(r[2], 26);
    features.mce = bit(r[3], 7);
    features.pge = bit(r[3], 13);
    bool pcid = bit(r[2], 17), avx = bit(r[2], 28), avx512 = false, capabilities = false;
    if (max >= 7) {
        cpuid(7, 0, r);
        features.fsgsbase = bit(r[1], 0);
        features.smep = bit(r[1], 7);
        features.invpcid = bit(r[1], 10);
        avx512 = bit(r[1], 16);
        features.smap = bit(r[1], 20);
        features.umip = bit(r[2], 2);
        features.pku = bit(r[2], 3);
        capabilities = bit(r[3], 29);
    }
    features.pcid = pcid && features.invpcid;
    features.meltdown_safe = meltdown_check(vendor, capabilities);
    xsave_choose(max, avx, avx512);
    cpuid(0x80000000, 0, r);
    max_ext = r[0];
    cpuid(0x80000001, 0, r);
    features.nx = bit(r[3], 20);
    features.page1g = bit(r[3], 26);
    if (max_ext >= 0x80000007) {
        cpuid(0x80000007, 0, r);
        features.invariant_tsc = bit(r[3], 8);
    }
    features.quick_switch = features.fsgsbase && features.xsave && features.xsaveopt;
}
