/* Makes the k-th call of one kind fail, or kills the process there.  Loaded with LD_PRELOAD.
 *
 * Each function of libc that is replaced here counts its calls after fault_arm(), on descriptors
 * above 2: what is printed must get out. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KILL_BIT = 1 << 30 };

static char armed_kind[32];
static int armed_error;
static long armed_call;
static atomic_long n_calls;

/* kind: of the functions below, or "any".  call: from 1; 0 only counts.  error: an errno, or
 * KILL_BIT. */
void fault_arm(const char *kind, long call, int error)
{
    strncpy(armed_kind, kind, sizeof armed_kind - 1);
    armed_error = error;
    armed_call = call;
    n_calls = 0;
}

long fault_calls(void)
{
    return n_calls;
}

/* Counts a call and returns whether it must fail; errno is then set. */
static int fails(const char *kind)
{
    if (strcmp(armed_kind, kind) != 0 && strcmp(armed_kind, "any") != 0)
        return 0;
    if (++n_calls != armed_call)
        return 0;
    if (armed_error == KILL_BIT)
        kill(getpid(), SIGKILL);
    errno = armed_error;
    return 1;
}

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real)                                                                                     \
        real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return fd > 2 && fails("write") ? -1 : real(fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return fails("write") ? -1 : real(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return fails("write") ? -1 : real(fd, data, n, at);
}

ssize_t preadv2(int fd, const struct iovec *parts, int n, off_t at, int flags)
{
    REAL(ssize_t, preadv2, int, const struct iovec *, int, off_t, int);
    return fails("read") ? -1 : real(fd, parts, n, at, flags);
}

ssize_t preadv64v2(int fd, const struct iovec *parts, int n, off64_t at, int flags)
{
    REAL(ssize_t, preadv64v2, int, const struct iovec *, int, off64_t, int);
    return fails("read") ? -1 : real(fd, parts, n, at, flags);
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return fails("fsync") ? -1 : real(fd);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return fails("rename") ? -1 : real(from, to);
}

int unlink(const char *path)
{
    REAL(int, unlink, const char *);
    return fails("unlink") ? -1 : real(path);
}

/* As in Linux, the descriptor is closed even if that fails. */
int close(int fd)
{
    REAL(int, close, int);
    int is_failing = fd > 2 && fails("close");
    int result = real(fd);
    if (!is_failing)
        return result;
    errno = armed_error;
    return -1;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t from)
{
    REAL(void *, mmap, void *, size_t, int, int, int, off_t);
    return fails("mmap") ? MAP_FAILED : real(at, n, protection, flags, fd, from);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t from)
{
    REAL(void *, mmap64, void *, size_t, int, int, int, off64_t);
    return fails("mmap") ? MAP_FAILED : real(at, n, protection, flags, fd, from);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return fails("thread") ? EAGAIN : real(thread, attributes, run, argument);
}
