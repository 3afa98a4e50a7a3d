// SPDX-License-Identifier: MIT
/*
 * Takes back what rename.h defined: from here on the plain names are the C library's and the
 * functions under test have the prefix rt_. Include the headers under test before this one and
 * the C library's after it.
 */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef memrchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strchrnul
#undef strstr
#undef strspn
#undef strcspn
#undef strlcpy
#undef strlcat
#undef snprintf
#undef vsnprintf
#undef malloc
#undef calloc
#undef realloc
#undef aligned_alloc
#undef free
#undef qsort
#undef bsearch
