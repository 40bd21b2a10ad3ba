/* SPDX-License-Identifier: Apache-2.0 */
/* cleanup.h - release at the end of the scope, and handing on before it.
 *
 *	CLEANUP_FREE char *name = NULL;
 *	CLEANUP_FD int fd = -1;
 *	CLEANUP_DIR DIR *dir = NULL;
 *	...
 *	*ret = STEAL_PTR(name);
 */
#ifndef DESFS_BASE_CLEANUP_H
#define DESFS_BASE_CLEANUP_H

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void cleanup_unlock(pthread_mutex_t **m)
{
	pthread_mutex_unlock(*m);
}

static inline int steal_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)
#define CLEANUP_DIR CLEANUP(cleanup_dir)

/* Lock now, unlock at the end of the scope; one a scope. */
#define LOCK_SCOPE(mutex)                                                      \
	CLEANUP(cleanup_unlock) pthread_mutex_t *scope_lock = (mutex);         \
	pthread_mutex_lock(scope_lock)

#define STEAL_PTR(p)                                                           \
	({                                                                     \
		__typeof__(p) steal_ptr_ = (p);                                \
		(p) = NULL;                                                    \
		steal_ptr_;                                                    \
	})
#define STEAL_FD(fd) steal_fd(&(fd))

#endif
