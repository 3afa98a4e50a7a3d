// SPDX-License-Identifier: MIT
/*
 * Gives lib/rt's functions names of their own on the host, so that tests can call them beside the
 * C library's. Comes before every source of a host test by -include; restore.h takes it back for
 * the rest of a test file.
 */
#define memcpy rt_memcpy
#define memmove rt_memmove
#define memset rt_memset
#define memcmp rt_memcmp
#define memchr rt_memchr
#define memrchr rt_memrchr
#define strlen rt_strlen
#define strnlen rt_strnlen
#define strcmp rt_strcmp
#define strncmp rt_strncmp
#define strchr rt_strchr
#define strrchr rt_strrchr
#define strchrnul rt_strchrnul
#define strstr rt_strstr
#define strspn rt_strspn
#define strcspn rt_strcspn
#define strlcpy rt_strlcpy
#define strlcat rt_strlcat
#define snprintf rt_snprintf
#define vsnprintf rt_vsnprintf
#define malloc rt_malloc
#define calloc rt_calloc
#define realloc rt_realloc
#define aligned_alloc rt_aligned_alloc
#define free rt_free
#define qsort rt_qsort
#define bsearch rt_bsearch
