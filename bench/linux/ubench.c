/* SPDX-License-Identifier: MIT */
/*
 * ubench - one-file microbenchmarks of the Linux x86_64 system interface.
 *
 * Every test runs a fixed number of operations (so that runs are comparable
 * and, under an instruction-counting emulator, reproducible) and is sampled
 * several times.  Time is taken both from the TSC and from CLOCK_MONOTONIC.
 *
 *   ubench [-r samples] [-s scale%] [-d dir] [-p] [-i] [-l] [name-prefix ...]
 *      -r N   samples per test (default 5); minimum and median are reported
 *      -s P   scale all iteration counts to P percent
 *      -d D   directory used by the file tests (default /tmp)
 *      -p     pin everything to CPU 0
 *      -i     isolate: run each test in a forked child (survives crashes)
 *      -l     list the tests
 *      -x     exclude the given prefixes instead of selecting them
 *
 * Output, tab separated, one line per test:
 *   ub  name  ops  bytes/op  ticks/op(min)  ticks/op(med)  ns/op(min)  ns/op(med)
 * A test which cannot run prints "ub  name  SKIP  reason".
 *
 * Build: gcc -O2 -static -pthread ubench.c -o ubench    (or musl-gcc)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------ utilities */

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline long sys3(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(n), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}

static inline long sys4(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static jmp_buf bail;
static char why[96];
static const char *dir = "/tmp";
static char hello_path[256], hello_dyn_path[260];

/* Abandon the current test. */
static void fail(const char *what, long err)
{
	snprintf(why, sizeof why, "%s: %s", what, strerror(err < 0 ? -err : err));
	longjmp(bail, 1);
}

#define RAW(what, e) ({ long r_ = (e); if (__builtin_expect(r_ < 0, 0)) fail(what, r_); r_; })
#define CHK(what, e)                                                                               \
    ({                                                                                             \
        long r_ = (long)(e);                                                                       \
        if (__builtin_expect(r_ == -1, 0))                                                         \
            fail(what, errno);                                                                     \
        r_;                                                                                        \
    })

static char *path(const char *leaf)
{
	static char buf[4][300];
	static int i;
	char *p = buf[i++ & 3];
	snprintf(p, sizeof buf[0], "%s/ub.%s", dir, leaf);
	return p;
}

/* State shared by a test's setup, run and done functions. */
static int fa = -1, fb = -1, fc = -1, fd4 = -1;
static pid_t kid = -1;
static char *mem;
static size_t memlen;
static char *buf;		/* 1 MiB scratch, page aligned, populated */
#define BUFSZ (1 << 20)
static volatile unsigned sink;
static int fds[256], nfds;

static void cl(int *f) { if (*f >= 0) close(*f); *f = -1; }

static void reap(int kill_it)
{
	if (kid > 0) {
		if (kill_it)
			kill(kid, SIGKILL);
		waitpid(kid, 0, 0);
	}
	kid = -1;
}

static void done_common(void)
{
	cl(&fa); cl(&fb); cl(&fc); cl(&fd4);
	while (nfds > 0)
		close(fds[--nfds]);
	reap(1);
	if (mem)
		munmap(mem, memlen);
	mem = 0;
}

static void full_write(int fd, const void *p, size_t n)
{
	const char *c = p;
	while (n) {
		ssize_t r = write(fd, c, n);
		if (r <= 0) fail("write", errno);
		c += r; n -= r;
	}
}

/* ------------------------------------------------------ calibration, CPU */

static void r_loop(long n)	/* 1000 x (dec; jnz) + 1: 2001 instructions */
{
	while (n--) {
		long k = 1000;
		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(k) :: "cc");
	}
}
static void r_rdtsc(long n) { while (n--) rdtsc(); }
static void r_movsb(long n)
{
	while (n--) {
		void *d = buf, *s = buf + 65536; long c = 4096;
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(c) :: "memory");
	}
}
static void r_movsq(long n)
{
	while (n--) {
		void *d = buf, *s = buf + 65536; long c = 512;
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(c) :: "memory");
	}
}
static void r_memcpy(long n)
{
	while (n--) {
		memcpy(buf, buf + 65536, 65536);
		__asm__ volatile("" :: "r"(buf) : "memory");
	}
}

/* ------------------------------------------------------- plain syscalls */

static void r_getpid(long n) { while (n--) RAW("getpid", sys3(SYS_getpid, 0, 0, 0)); }
static void r_nosys(long n) { while (n--) sys3(5000, 0, 0, 0); }
static void r_vdso(long n)
{
	struct timespec t;
	while (n--) clock_gettime(CLOCK_MONOTONIC, &t);
}
static void r_clock(long n)
{
	struct timespec t;
	while (n--) RAW("clock_gettime", sys3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0));
}
static void s_zero(void) { fa = CHK("/dev/zero", open("/dev/zero", O_RDONLY)); }
static void s_null(void) { fa = CHK("/dev/null", open("/dev/null", O_WRONLY)); }
static void r_read1(long n) { while (n--) RAW("read", sys3(SYS_read, fa, (long)buf, 1)); }
static void r_write1(long n) { while (n--) RAW("write", sys3(SYS_write, fa, (long)buf, 1)); }
static void r_readz64k(long n) { while (n--) RAW("read", sys3(SYS_read, fa, (long)buf, 65536)); }

static char *fpath, *fpath2;
static void s_file(void)
{
	fpath = path("file");
	fa = CHK("create", open(fpath, O_CREAT | O_TRUNC | O_RDWR, 0644));
	full_write(fa, buf, 4096);
}
static void d_file(void) { unlink(fpath); done_common(); }
static void r_openclose(long n)
{
	while (n--) {
		long f = RAW("open", sys3(SYS_open, (long)fpath, O_RDONLY, 0));
		RAW("close", sys3(SYS_close, f, 0, 0));
	}
}
static void r_stat(long n)
{
    struct stat st;
    while (n--)
        RAW("stat", sys3(SYS_stat, (long)fpath, (long)&st, 0));
}
static void r_fstat(long n)
{
    struct stat st;
    while (n--)
        RAW("fstat", sys3(SYS_fstat, fa, (long)&st, 0));
}
static void r_lseek(long n) { while (n--) RAW("lseek", sys3(SYS_lseek, fa, 0, SEEK_SET)); }
static void r_pread1(long n) { while (n--) RAW("pread", sys4(SYS_pread64, fa, (long)buf, 1, 0)); }
static void r_pread4k(long n)
{
    while (n--)
        RAW("pread", sys4(SYS_pread64, fa, (long)buf, 4096, 0));
}
static void r_pwrite4k(long n)
{
    while (n--)
        RAW("pwrite", sys4(SYS_pwrite64, fa, (long)buf, 4096, 0));
}
static void r_dupclose(long n)
{
	while (n--) {
		long f = RAW("dup", sys3(SYS_dup, fa, 0, 0));
		RAW("close", sys3(SYS_close, f, 0, 0));
	}
}
static char deep[512];
static void s_deep(void)
{
	int i;
	strcpy(deep, path("deep"));
	mkdir(deep, 0755);
	for (i = 0; i < 7; i++) {
		strcat(deep, "/dir");
		mkdir(deep, 0755);
	}
	strcat(deep, "/f");
	fa = CHK("create", open(deep, O_CREAT | O_RDWR, 0644));
	fpath = deep;
}
static void d_deep(void)
{
	char *p;
	unlink(deep);
	while ((p = strrchr(deep, '/'))) {
		*p = 0;
		if (rmdir(deep)) break;
	}
	done_common();
}
static void s_noent(void) { fpath = path("does-not-exist"); }
static void r_noent(long n)
{
    struct stat st;
    while (n--)
        sys3(SYS_stat, (long)fpath, (long)&st, 0);
}

/* ------------------------------------------------- poll, select, epoll */

static void mkpipes(int n)
{
	int p[2];
	for (nfds = 0; nfds < 2 * n; nfds += 2) {
		CHK("pipe", pipe(p));
		fds[nfds] = p[0]; fds[nfds + 1] = p[1];
	}
	CHK("write", write(fds[1], "x", 1));
}
static void s_pipes10(void) { mkpipes(10); }
static void s_pipes100(void) { mkpipes(100); }
static void r_poll(long n)
{
	struct pollfd p[100];
	int i, k = nfds / 2;
	for (i = 0; i < k; i++)
		p[i] = (struct pollfd){ fds[2 * i], POLLIN, 0 };
	while (n--) RAW("poll", sys3(SYS_poll, (long)p, k, 0));
}
static void r_select(long n)
{
	int i, k = nfds / 2, max = 0;
	fd_set base, s;
	FD_ZERO(&base);
	for (i = 0; i < k; i++) {
		FD_SET(fds[2 * i], &base);
		if (fds[2 * i] > max) max = fds[2 * i];
	}
	while (n--) {
		struct timeval tv = { 0, 0 };
		s = base;
		CHK("select", select(max + 1, &s, 0, 0, &tv));
	}
}
static void s_epoll(void)
{
	int i;
	mkpipes(100);
	fa = CHK("epoll_create1", epoll_create1(0));
	for (i = 0; i < 100; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = fds[2 * i] };
		CHK("epoll_ctl", epoll_ctl(fa, EPOLL_CTL_ADD, fds[2 * i], &e));
	}
}
static void r_epoll(long n)
{
	struct epoll_event e[8];
	while (n--) RAW("epoll_wait", sys4(SYS_epoll_wait, fa, (long)e, 8, 0));
}

/* --------------------------------------------------- message ping-pongs */

/* The child echoes one byte from rfd to wfd until end of file. */
static void echo_kid(int rfd, int wfd, int c1, int c2)
{
	kid = CHK("fork", fork());
	if (kid == 0) {
		char c;
		if (c1 >= 0) close(c1);
		if (c2 >= 0) close(c2);
		while (read(rfd, &c, 1) == 1 && write(wfd, &c, 1) == 1)
			;
		_exit(0);
	}
}
static void r_pingpong(long n)	/* fa: write side, fb: read side */
{
	while (n--) {
		if (sys3(SYS_write, fa, (long)buf, 1) != 1) fail("write", EIO);
		if (sys3(SYS_read, fb, (long)buf, 1) != 1) fail("read", EIO);
	}
}
static void s_pipepp(void)
{
	int p[2], q[2];
	CHK("pipe", pipe(p));
	CHK("pipe", pipe(q));
	echo_kid(p[0], q[1], p[1], q[0]);
	close(p[0]); close(q[1]);
	fa = p[1]; fb = q[0];
}
static void s_pipeself(void)
{
	int p[2];
	CHK("pipe", pipe(p));
	fa = p[1]; fb = p[0];
}
static void sp_type(int type)
{
	int s[2];
	CHK("socketpair", socketpair(AF_UNIX, type, 0, s));
	echo_kid(s[1], s[1], s[0], -1);
	close(s[1]);
	fa = s[0]; fb = dup(s[0]);
}
static void s_unixpp(void) { sp_type(SOCK_STREAM); }
static void s_udgpp(void) { sp_type(SOCK_SEQPACKET); }
static void s_unixself(void)
{
	int s[2];
	CHK("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	fa = s[0]; fb = s[1];
}

static int tcp_listen(struct sockaddr_in *sa)
{
	socklen_t l = sizeof *sa;
	int s = CHK("socket", socket(AF_INET, SOCK_STREAM, 0)), one = 1;
	memset(sa, 0, sizeof *sa);
	sa->sin_family = AF_INET;
	sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	CHK("bind", bind(s, (void *)sa, sizeof *sa));
	CHK("listen", listen(s, 64));
	CHK("getsockname", getsockname(s, (void *)sa, &l));
	return s;
}
static void tcp_pair(int *a, int *b)
{
	struct sockaddr_in sa;
	int l = tcp_listen(&sa), one = 1;
	*a = CHK("socket", socket(AF_INET, SOCK_STREAM, 0));
	CHK("connect", connect(*a, (void *)&sa, sizeof sa));
	*b = CHK("accept", accept(l, 0, 0));
	close(l);
	setsockopt(*a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(*b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}
static void s_tcppp(void)
{
	int a, b;
	tcp_pair(&a, &b);
	echo_kid(b, b, a, -1);
	close(b);
	fa = a; fb = dup(a);
}
static void s_udppp(void)
{
	struct sockaddr_in x = { .sin_family = AF_INET }, y = x;
	socklen_t l = sizeof x;
	int a, b;
	x.sin_addr.s_addr = y.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a = CHK("socket", socket(AF_INET, SOCK_DGRAM, 0));
	b = CHK("socket", socket(AF_INET, SOCK_DGRAM, 0));
	CHK("bind", bind(a, (void *)&x, sizeof x));
	CHK("bind", bind(b, (void *)&y, sizeof y));
	CHK("getsockname", getsockname(a, (void *)&x, &l));
	CHK("getsockname", getsockname(b, (void *)&y, &l));
	CHK("connect", connect(a, (void *)&y, sizeof y));
	CHK("connect", connect(b, (void *)&x, sizeof x));
	echo_kid(b, b, a, -1);
	close(b);
	fa = a; fb = dup(a);
}
static struct sockaddr_in srv;
static void s_tcpconn(void)
{
	int l = tcp_listen(&srv);
	kid = CHK("fork", fork());
	if (kid == 0)
		for (;;) {
			char c;
			int s = accept(l, 0, 0);
			if (s < 0) _exit(1);
			if (write(s, "x", 1) == 1)
				while (read(s, &c, 1) == 1)
					;
			close(s);
		}
	close(l);
}
static void r_tcpconn(long n)
{
	struct linger lg = { 1, 0 };	/* reset on close: no TIME_WAIT build-up */
	while (n--) {
		int s = CHK("socket", socket(AF_INET, SOCK_STREAM, 0));
		CHK("connect", connect(s, (void *)&srv, sizeof srv));
		RAW("read", sys3(SYS_read, s, (long)buf, 1));	/* wait for accept */
		setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
		close(s);
	}
}
static void r_socket(long n)
{
	while (n--)
		close(CHK("socket", socket(AF_INET, SOCK_STREAM, 0)));
}
static void s_eventpp(void)
{
	fa = CHK("eventfd", eventfd(0, 0));
	fb = CHK("eventfd", eventfd(0, 0));
	kid = CHK("fork", fork());
	if (kid == 0) {
		uint64_t v;
		while (read(fa, &v, 8) == 8 && write(fb, &v, 8) == 8)
			;
		_exit(0);
	}
}
static void r_eventpp(long n)
{
	uint64_t v = 1;
	while (n--) {
		RAW("write", sys3(SYS_write, fa, (long)&v, 8));
		RAW("read", sys3(SYS_read, fb, (long)&v, 8));
	}
}
static void r_scm(long n)	/* pass a descriptor to oneself, close it */
{
	char c = 0, ctl[CMSG_SPACE(sizeof(int))];
	while (n--) {
		struct iovec io = { &c, 1 };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1,
			.msg_control = ctl, .msg_controllen = sizeof ctl };
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);
		int f;
		h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fa, sizeof fa);
		CHK("sendmsg", sendmsg(fa, &m, 0));
		m.msg_controllen = sizeof ctl;
		CHK("recvmsg", recvmsg(fb, &m, 0));
		memcpy(&f, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof f);
		close(f);
	}
}

/* --------------------------------------------------- threads and futexes */

static volatile unsigned turn;
static pthread_t thr;
static long futex(volatile unsigned *p, int op, unsigned v)
{
	return sys4(SYS_futex, (long)p, op | FUTEX_PRIVATE_FLAG, v, 0);
}
static void *futex_thread(void *x)
{
	(void)x;
	for (;;) {
		while (turn == 0)
			futex(&turn, FUTEX_WAIT, 0);
		if (turn == 2)
			return 0;
		turn = 0;
		futex(&turn, FUTEX_WAKE, 1);
	}
}
static void spawn(pthread_t *t, void *(*f)(void *))
{
	int e = pthread_create(t, 0, f, 0);
	if (e) fail("pthread_create", e);
}
static void s_futexpp(void) { turn = 0; spawn(&thr, futex_thread); }
static void r_futexpp(long n)
{
	while (n--) {
		turn = 1;
		futex(&turn, FUTEX_WAKE, 1);
		while (turn == 1)
			futex(&turn, FUTEX_WAIT, 1);
	}
}
static void d_futexpp(void)
{
	turn = 2;
	futex(&turn, FUTEX_WAKE, 1);
	pthread_join(thr, 0);
	done_common();
}
static void r_futexwake(long n) { while (n--) futex(&turn, FUTEX_WAKE, 1); }

static int tp[2], tq[2];
static void *pipe_thread(void *x)
{
	char c;
	(void)x;
	while (read(tp[0], &c, 1) == 1 && write(tq[1], &c, 1) == 1)
		;
	return 0;
}
static void s_thrpipe(void)
{
	CHK("pipe", pipe(tp));
	CHK("pipe", pipe(tq));
	fa = tp[1]; fb = tq[0];
	spawn(&thr, pipe_thread);
}
static void d_thrpipe(void)
{
	cl(&fa);
	pthread_join(thr, 0);
	close(tp[0]); close(tq[1]);
	done_common();
}
static void *nop_thread(void *x) { return x; }
static void r_pthread(long n)
{
	while (n--) {
		pthread_t t;
		spawn(&t, nop_thread);
		pthread_join(t, 0);
	}
}

/* ------------------------------------------------------ context switches */

static int ring_n;
static void ring(int n)		/* n processes pass a token round a ring of pipes */
{
	int i, p[17][2];
	ring_n = n;
	for (i = 0; i < n; i++)
		CHK("pipe", pipe(p[i]));
	nfds = 0;
	for (i = 1; i < n; i++) {
		pid_t k = CHK("fork", fork());
		if (k == 0) {
			char c;
			int j, r = p[i - 1][0], w = p[i][1];
			for (j = 0; j < n; j++) {
				if (p[j][0] != r) close(p[j][0]);
				if (p[j][1] != w) close(p[j][1]);
			}
			while (read(r, &c, 1) == 1 && write(w, &c, 1) == 1)
				;
			_exit(0);
		}
	}
	fa = p[0][1]; fb = p[n - 1][0];
	for (i = 0; i < n; i++) {
		if (p[i][0] != fb) close(p[i][0]);
		if (p[i][1] != fa) close(p[i][1]);
	}
}
static void s_ring2(void) { ring(2); }
static void s_ring16(void) { ring(16); }
static void r_ring(long n) { r_pingpong(n / ring_n); }	/* op = one hop */
static void d_ring(void)
{
	int i;
	cl(&fa);
	for (i = 1; i < ring_n; i++)
		wait(0);
	done_common();
}
static void r_yield(long n) { while (n--) sys3(SYS_sched_yield, 0, 0, 0); }

/* -------------------------------------------------------------- processes */

static void wait_ok(pid_t p)
{
	int st;
	if (p < 0) fail("fork", errno);
	CHK("waitpid", waitpid(p, &st, 0));
	if (!WIFEXITED(st) || WEXITSTATUS(st)) fail("child", EIO);
}
static void r_fork(long n)
{
	while (n--) {
		pid_t p = fork();
		if (p == 0) _exit(0);
		wait_ok(p);
	}
}
static void r_vfork(long n)
{
	while (n--) {
		pid_t p = vfork();
		if (p == 0) _exit(0);
		wait_ok(p);
	}
}
static void do_exec(long n, int vf, char *const av[])
{
	while (n--) {
		pid_t p = vf ? vfork() : fork();
		if (p == 0) {
			execve(av[0], av, environ);
			_exit(127);
		}
		wait_ok(p);
	}
}
static void s_exec(void) { CHK("hello", access(hello_path, X_OK)); }
static void s_execdyn(void) { CHK("hello-dyn", access(hello_dyn_path, X_OK)); }
static void s_execsh(void) { CHK("/bin/sh", access("/bin/sh", X_OK)); }
static void r_exec(long n) { char *av[] = { hello_path, 0 }; do_exec(n, 0, av); }
static void r_vexec(long n) { char *av[] = { hello_path, 0 }; do_exec(n, 1, av); }
static void r_execdyn(long n) { char *av[] = { hello_dyn_path, 0 }; do_exec(n, 0, av); }
static void r_execsh(long n)
{
	char cmd[300];
	char *av[] = { "/bin/sh", "-c", cmd, 0 };
	snprintf(cmd, sizeof cmd, "%s; :", hello_path);
	do_exec(n, 0, av);
}
static void map_anon(size_t len, int touch)
{
	size_t i;
	memlen = len;
	mem = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED) { mem = 0; fail("mmap", errno); }
	madvise(mem, len, MADV_NOHUGEPAGE);
	for (i = 0; touch && i < len; i += 4096)
		mem[i] = 1;
}
static void s_fork16m(void) { map_anon(16 << 20, 1); }

/* ----------------------------------------------------------------- memory */

static void mmap_touch(long n, size_t len)
{
	while (n--) {
		size_t i;
		char *p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) fail("mmap", errno);
		for (i = 0; i < len; i += 4096)
			((volatile char *)p)[i] = 1;
		munmap(p, len);
	}
}
static void r_mmap0(long n)
{
	while (n--) {
		char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) fail("mmap", errno);
		munmap(p, 4096);
	}
}
static void r_mmap4k(long n) { mmap_touch(n, 4096); }
static void r_mmap1m(long n) { mmap_touch(n, 1 << 20); }
static void s_prot(void) { map_anon(4096, 1); }
static void r_mprotect(long n)
{
	while (n--) {
		CHK("mprotect", mprotect(mem, 4096, PROT_READ));
		CHK("mprotect", mprotect(mem, 4096, PROT_READ | PROT_WRITE));
	}
}
#define FAULTS 4096		/* pages: the fault tests run this many operations */
static void s_fault(void) { map_anon(FAULTS * 4096l, 0); }
static void r_touch(long n)
{
	long i;
	for (i = 0; i < n; i++)
		((volatile char *)mem)[(i % FAULTS) * 4096] = 1;
}
static void r_touchr(long n)
{
	long i;
	for (i = 0; i < n; i++)
		sink += ((volatile char *)mem)[(i % FAULTS) * 4096];
}
static void s_cow(void)
{
	int p[2];
	map_anon(FAULTS * 4096l, 1);
	CHK("pipe", pipe(p));
	kid = CHK("fork", fork());
	if (kid == 0) {
		char c;
		close(p[1]);
		_exit(read(p[0], &c, 1));
	}
	close(p[0]);
	fa = p[1];
}
static void big_file(int flags)
{
	long i;
	fpath = path("big");
	fa = CHK("create", open(fpath, O_CREAT | O_TRUNC | O_RDWR, 0644));
	for (i = 0; i < 16; i++)
		full_write(fa, buf, BUFSZ);
	if (flags) {
		close(fa);
		fa = -1;
		fa = CHK("open", open(fpath, O_RDWR | flags));
	}
	lseek(fa, 0, SEEK_SET);
}
static void s_filemap(void)
{
	big_file(0);
	memlen = FAULTS * 4096l;
	mem = mmap(0, memlen, PROT_READ, MAP_PRIVATE, fa, 0);
	if (mem == MAP_FAILED) { mem = 0; fail("mmap", errno); }
}

/* ---------------------------------------------------------------- signals */

static void on_sig(int s) { sink += s; }
static void r_sigaction(long n)
{
	struct sigaction sa = { .sa_handler = on_sig };
	while (n--) CHK("sigaction", sigaction(SIGUSR1, &sa, 0));
}
static void s_sig(void) { r_sigaction(1); }
static void r_sig(long n)
{
	long me = getpid();
	while (n--) RAW("kill", sys3(SYS_kill, me, SIGUSR1, 0));
}
static void on_segv(int s, siginfo_t *si, void *ctx)
{
	(void)s; (void)si;
	((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP] += 3;	/* movb $0,(%rax) */
}
static void s_segv(void)
{
	struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	map_anon(4096, 1);
	CHK("mprotect", mprotect(mem, 4096, PROT_READ));
	CHK("sigaction", sigaction(SIGSEGV, &sa, 0));
}
static void r_segv(long n)
{
	while (n--)
		__asm__ volatile(".byte 0xc6,0x00,0x00" :: "a"(mem) : "memory");
}
static void d_segv(void) { signal(SIGSEGV, SIG_DFL); done_common(); }

/* ------------------------------------------------------------------ files */

static void s_names(void) { fpath = path("new"); fpath2 = path("new2"); }
static void d_names(void) { unlink(fpath); unlink(fpath2); done_common(); }
static void r_create(long n)
{
	while (n--) {
		long f = RAW("open", sys3(SYS_open, (long)fpath, O_CREAT | O_EXCL | O_WRONLY, 0644));
		RAW("close", sys3(SYS_close, f, 0, 0));
		RAW("unlink", sys3(SYS_unlink, (long)fpath, 0, 0));
	}
}
static void r_create10k(long n)
{
	while (n--) {
		long f = RAW("open", sys3(SYS_open, (long)fpath, O_CREAT | O_EXCL | O_WRONLY, 0644));
		RAW("write", sys3(SYS_write, f, (long)buf, 10240));
		RAW("close", sys3(SYS_close, f, 0, 0));
		RAW("unlink", sys3(SYS_unlink, (long)fpath, 0, 0));
	}
}
static void r_mkdir(long n)
{
	while (n--) {
		RAW("mkdir", sys3(SYS_mkdir, (long)fpath, 0755, 0));
		RAW("rmdir", sys3(SYS_rmdir, (long)fpath, 0, 0));
	}
}
static void s_rename(void)
{
	s_names();
	close(CHK("create", open(fpath, O_CREAT | O_WRONLY, 0644)));
}
static void r_rename(long n)	/* op = there and back */
{
	while (n--) {
		RAW("rename", sys3(SYS_rename, (long)fpath, (long)fpath2, 0));
		RAW("rename", sys3(SYS_rename, (long)fpath2, (long)fpath, 0));
	}
}
static void dir100(int make)
{
	char name[400];
	int i;
	fpath = path("dir100");
	if (make) CHK("mkdir", mkdir(fpath, 0755));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "%s/file%03d", fpath, i);
		if (make) close(CHK("create", open(name, O_CREAT | O_WRONLY, 0644)));
		else unlink(name);
	}
	if (!make) rmdir(fpath);
}
static void s_dir100(void) { dir100(1); }
static void d_dir100(void) { dir100(0); done_common(); }
static void r_dir100(long n)
{
	while (n--) {
		long f = RAW("open", sys3(SYS_open, (long)fpath, O_RDONLY | O_DIRECTORY, 0));
		while (RAW("getdents64", sys3(SYS_getdents64, f, (long)buf, 32768)) > 0)
			;
		RAW("close", sys3(SYS_close, f, 0, 0));
	}
}
static void s_wr(void)
{
	fpath = path("big");
	fa = CHK("create", open(fpath, O_CREAT | O_TRUNC | O_RDWR, 0644));
}
static void s_rd(void) { big_file(0); }
static void seq(long n, long nr, long len)
{
	while (n--)
		if (RAW("io", sys3(nr, fa, (long)buf, len)) != len) fail("short i/o", EIO);
}
static void r_w4k(long n) { seq(n, SYS_write, 4096); }
static void r_w64k(long n) { seq(n, SYS_write, 65536); }
static void r_r4k(long n) { seq(n, SYS_read, 4096); }
static void r_r64k(long n) { seq(n, SYS_read, 65536); }
static void r_fsync(long n)
{
	while (n--) {
		RAW("pwrite", sys4(SYS_pwrite64, fa, (long)buf, 4096, 0));
		RAW("fsync", sys3(SYS_fsync, fa, 0, 0));
	}
}
static void s_dio(void)
{
	big_file(O_DIRECT);
	fsync(fa);
}
static void r_dior4k(long n)	/* pseudo-random 4 KiB blocks of a 16 MiB file */
{
	unsigned x = 1;
	while (n--) {
		x = x * 1103515245u + 12345u;
		RAW("pread", sys4(SYS_pread64, fa, (long)buf, 4096, (long)(x >> 16 & 4095) << 12));
	}
}
static void r_diow4k(long n)
{
	unsigned x = 1;
	while (n--) {
		x = x * 1103515245u + 12345u;
		RAW("pwrite", sys4(SYS_pwrite64, fa, (long)buf, 4096, (long)(x >> 16 & 4095) << 12));
	}
}

/* -------------------------------------------------------------- bandwidth */

static void flood_kid(int wfd, int rfd)
{
	kid = CHK("fork", fork());
	if (kid == 0) {
		signal(SIGPIPE, SIG_DFL);
		close(rfd);
		while (write(wfd, buf, 65536) > 0)
			;
		_exit(0);
	}
	close(wfd);
	fa = rfd;
}
static void s_bwpipe(void) { int p[2]; CHK("pipe", pipe(p)); flood_kid(p[1], p[0]); }
static void s_bwunix(void)
{
    int p[2];
    CHK("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, p));
    flood_kid(p[1], p[0]);
}
static void s_bwtcp(void) { int a, b; tcp_pair(&a, &b); flood_kid(a, b); }
static void r_drain(long n)	/* op = 64 KiB received */
{
	long left = n * 65536;
	while (left > 0) {
		long r = RAW("read", sys3(SYS_read, fa, (long)buf, left > 65536 ? 65536 : left));
		if (r == 0) fail("read", EPIPE);
		left -= r;
	}
}

/* ------------------------------------------------------------------ table */

#define COLD 1	/* no warm-up pass: each operation may run only once per setup */
static const struct test {
	const char *name;
	long n, bytes;
	void (*setup)(void), (*run)(long), (*done)(void);
	int flags;
} tests[] = {
	{ "cpu.loop2001",     2000, 0, 0, r_loop, 0, 0 },
	{ "cpu.rdtsc",       50000, 0, 0, r_rdtsc, 0, 0 },
	{ "cpu.rep_movsb_4k", 2000, 4096, 0, r_movsb, 0, 0 },
	{ "cpu.rep_movsq_4k", 2000, 4096, 0, r_movsq, 0, 0 },
	{ "cpu.memcpy_64k",    500, 65536, 0, r_memcpy, 0, 0 },
	{ "null.getpid",     50000, 0, 0, r_getpid, 0, 0 },
	{ "null.enosys",     50000, 0, 0, r_nosys, 0, 0 },
	{ "null.read_zero1", 30000, 0, s_zero, r_read1, 0, 0 },
	{ "null.write_null1",30000, 0, s_null, r_write1, 0, 0 },
	{ "null.read_zero64k", 500, 65536, s_zero, r_readz64k, 0, 0 },
	{ "null.clock_vdso", 50000, 0, 0, r_vdso, 0, 0 },
	{ "null.clock_sys",  20000, 0, 0, r_clock, 0, 0 },
	{ "null.yield",      20000, 0, 0, r_yield, 0, 0 },
	{ "file.open_close",  5000, 0, s_file, r_openclose, d_file, 0 },
	{ "file.stat",       10000, 0, s_file, r_stat, d_file, 0 },
	{ "file.stat_deep9",  5000, 0, s_deep, r_stat, d_deep, 0 },
	{ "file.stat_noent", 10000, 0, s_noent, r_noent, 0, 0 },
	{ "file.fstat",      20000, 0, s_file, r_fstat, d_file, 0 },
	{ "file.lseek",      20000, 0, s_file, r_lseek, d_file, 0 },
	{ "file.pread1",     10000, 0, s_file, r_pread1, d_file, 0 },
	{ "file.pread4k",    10000, 4096, s_file, r_pread4k, d_file, 0 },
	{ "file.pwrite4k",    5000, 4096, s_file, r_pwrite4k, d_file, 0 },
	{ "file.dup_close",  20000, 0, s_file, r_dupclose, d_file, 0 },
	{ "poll.10",         10000, 0, s_pipes10, r_poll, 0, 0 },
	{ "poll.100",         2000, 0, s_pipes100, r_poll, 0, 0 },
	{ "select.100",       2000, 0, s_pipes100, r_select, 0, 0 },
	{ "epoll.1of100",    10000, 0, s_epoll, r_epoll, 0, 0 },
	{ "ipc.pipe_self",   10000, 0, s_pipeself, r_pingpong, 0, 0 },
	{ "ipc.pipe_pp",      4000, 0, s_pipepp, r_pingpong, 0, 0 },
	{ "ipc.pipe_pp_thr",  4000, 0, s_thrpipe, r_pingpong, d_thrpipe, 0 },
	{ "ipc.futex_wake0", 30000, 0, 0, r_futexwake, 0, 0 },
	{ "ipc.futex_pp_thr", 4000, 0, s_futexpp, r_futexpp, d_futexpp, 0 },
	{ "ipc.eventfd_pp",   4000, 0, s_eventpp, r_eventpp, 0, 0 },
	{ "ipc.unix_self",    5000, 0, s_unixself, r_pingpong, 0, 0 },
	{ "ipc.unix_pp",      3000, 0, s_unixpp, r_pingpong, 0, 0 },
	{ "ipc.unix_seq_pp",  3000, 0, s_udgpp, r_pingpong, 0, 0 },
	{ "ipc.unix_passfd",  3000, 0, s_unixself, r_scm, 0, 0 },
	{ "ctx.ring2_hop",    8000, 0, s_ring2, r_ring, d_ring, 0 },
	{ "ctx.ring16_hop",   8000, 0, s_ring16, r_ring, d_ring, 0 },
	{ "net.socket_close", 3000, 0, 0, r_socket, 0, 0 },
	{ "net.udp_pp",       1000, 0, s_udppp, r_pingpong, 0, 0 },
	{ "net.tcp_pp",       1000, 0, s_tcppp, r_pingpong, 0, 0 },
	{ "net.tcp_connect",   200, 0, s_tcpconn, r_tcpconn, 0, 0 },
	{ "proc.fork_exit",    100, 0, 0, r_fork, 0, 0 },
	{ "proc.fork16m_exit",  20, 0, s_fork16m, r_fork, 0, 0 },
	{ "proc.vfork_exit",   300, 0, 0, r_vfork, 0, 0 },
	{ "proc.fork_exec",     50, 0, s_exec, r_exec, 0, 0 },
	{ "proc.vfork_exec",    50, 0, s_exec, r_vexec, 0, 0 },
	{ "proc.fork_execdyn",  20, 0, s_execdyn, r_execdyn, 0, 0 },
	{ "proc.fork_sh",       20, 0, s_execsh, r_execsh, 0, 0 },
	{ "proc.pthread",      500, 0, 0, r_pthread, 0, 0 },
	{ "mem.mmap_munmap",  5000, 0, 0, r_mmap0, 0, 0 },
	{ "mem.mmap_touch4k", 3000, 0, 0, r_mmap4k, 0, 0 },
	{ "mem.mmap_touch1m",   30, 0, 0, r_mmap1m, 0, 0 },
	{ "mem.mprotect_x2",  3000, 0, s_prot, r_mprotect, 0, 0 },
	{ "mem.fault_anon", FAULTS, 0, s_fault, r_touch, 0, COLD },
	{ "mem.fault_zeropg", FAULTS, 0, s_fault, r_touchr, 0, COLD },
	{ "mem.fault_cow",  FAULTS, 0, s_cow, r_touch, 0, COLD },
	{ "mem.fault_file", FAULTS, 0, s_filemap, r_touchr, d_file, COLD },
	{ "sig.sigaction",   20000, 0, 0, r_sigaction, 0, 0 },
	{ "sig.kill_self",    5000, 0, s_sig, r_sig, 0, 0 },
	{ "sig.segv",         3000, 0, s_segv, r_segv, d_segv, 0 },
	{ "fs.create_unlink", 2000, 0, s_names, r_create, d_names, 0 },
	{ "fs.create10k_unlink", 1000, 10240, s_names, r_create10k, d_names, 0 },
	{ "fs.mkdir_rmdir",   1000, 0, s_names, r_mkdir, d_names, 0 },
	{ "fs.rename_x2",     2000, 0, s_rename, r_rename, d_names, 0 },
	{ "fs.readdir100",     200, 0, s_dir100, r_dir100, d_dir100, 0 },
	{ "fs.write4k",       4096, 4096, s_wr, r_w4k, d_file, COLD },
	{ "fs.write64k",       256, 65536, s_wr, r_w64k, d_file, COLD },
	{ "fs.read4k",        4096, 4096, s_rd, r_r4k, d_file, COLD },
	{ "fs.read64k",        256, 65536, s_rd, r_r64k, d_file, COLD },
	{ "fs.write4k_fsync",  100, 4096, s_file, r_fsync, d_file, 0 },
	{ "dio.read4k_rand",   500, 4096, s_dio, r_dior4k, d_file, 0 },
	{ "dio.write4k_rand",  500, 4096, s_dio, r_diow4k, d_file, 0 },
	{ "dio.read64k_seq",   256, 65536, s_dio, r_r64k, d_file, COLD },
	{ "bw.pipe64k",        200, 65536, s_bwpipe, r_drain, 0, 0 },
	{ "bw.unix64k",        200, 65536, s_bwunix, r_drain, 0, 0 },
	{ "bw.tcp64k",         200, 65536, s_bwtcp, r_drain, 0, 0 },
};
#define NTESTS (int)(sizeof tests / sizeof tests[0])

#define MAXR 31
static int samples = 5, scale = 100;

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(const struct test *t)
{
	double tk[MAXR], ns[MAXR];
	volatile int i;
	static long n;		/* static: survives the longjmp */

	n = t->n * scale / 100;
	if (n < 1) n = 1;
	if (t->n == FAULTS && n > FAULTS) n = FAULTS;
	if (setjmp(bail)) {
		(t->done ? t->done : done_common)();
		printf("ub\t%s\tSKIP\t%s\n", t->name, why);
		fflush(stdout);
		return;
	}
	for (i = 0; i < samples; i++) {
		uint64_t c0, c1, n0, n1;
		if (t->setup) t->setup();
		if (!(t->flags & COLD)) t->run(n / 10 + ring_n + 1);
		n0 = now_ns();
		c0 = rdtsc();
		t->run(n);
		c1 = rdtsc();
		n1 = now_ns();
		(t->done ? t->done : done_common)();
		tk[i] = (double)(c1 - c0) / n;
		ns[i] = (double)(n1 - n0) / n;
	}
	qsort(tk, samples, sizeof tk[0], cmp);
	qsort(ns, samples, sizeof ns[0], cmp);
	printf("ub\t%s\t%ld\t%ld\t%.1f\t%.1f\t%.1f\t%.1f\n", t->name, n, t->bytes,
	       tk[0], tk[samples / 2], ns[0], ns[samples / 2]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int i, j, o, pin = 0, isolate = 0, exclude = 0;
	uint64_t c0, n0, n1;
	char *slash;

	while ((o = getopt(argc, argv, "r:s:d:pilx")) != -1)
		switch (o) {
		case 'r': samples = atoi(optarg); break;
		case 's': scale = atoi(optarg); break;
		case 'd': dir = optarg; break;
		case 'p': pin = 1; break;
		case 'i': isolate = 1; break;
		case 'x': exclude = 1; break;
		case 'l':
			for (i = 0; i < NTESTS; i++) puts(tests[i].name);
			return 0;
		default:
			fprintf(stderr, "usage: ubench [-r n] [-s %%] [-d dir] [-pilx] [prefix...]\n");
			return 2;
		}
	if (samples < 1) samples = 1;
	if (samples > MAXR) samples = MAXR;
	if (pin) {
		cpu_set_t s;
		CPU_ZERO(&s);
		CPU_SET(0, &s);
		sched_setaffinity(0, sizeof s, &s);
	}
	signal(SIGPIPE, SIG_IGN);
	if (strchr(argv[0], '/'))
		snprintf(hello_path, sizeof hello_path, "%s", argv[0]);
	else if (readlink("/proc/self/exe", hello_path, sizeof hello_path - 1) <= 0)
		strcpy(hello_path, "/usr/bin/ubench");
	slash = strrchr(hello_path, '/');
	snprintf(slash ? slash + 1 : hello_path, 32, "hello");
	snprintf(hello_dyn_path, sizeof hello_dyn_path, "%s-dyn", hello_path);

	buf = mmap(0, BUFSZ, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED) { perror("mmap"); return 1; }
	madvise(buf, BUFSZ, MADV_NOHUGEPAGE);
	memset(buf, 'x', BUFSZ);

	n0 = now_ns(); c0 = rdtsc();
	while ((n1 = now_ns()) - n0 < 20000000)
		;
	printf("ub-info\ttsc_mhz\t%.3f\n", (rdtsc() - c0) * 1e3 / (n1 - n0));
	printf("ub-info\tsamples\t%d\n", samples);
	fflush(stdout);

	for (i = 0; i < NTESTS; i++) {
		int hit = optind == argc || exclude;
		for (j = optind; j < argc; j++)
			if (!strncmp(tests[i].name, argv[j], strlen(argv[j])))
				hit = !exclude;
		if (!hit) continue;
		if (isolate) {
			int st;
			pid_t p = fork();
			if (p == 0) { measure(&tests[i]); _exit(0); }
			if (p < 0 || waitpid(p, &st, 0) < 0 || !WIFEXITED(st) || WEXITSTATUS(st)) {
				printf("ub\t%s\tSKIP\tcrashed\n", tests[i].name);
				fflush(stdout);
			}
		} else
			measure(&tests[i]);
	}
	return 0;
}
