/* SPDX-License-Identifier: Apache-2.0 */
/* sha256-many.c - SHA-256 of many messages at once, by libipsec-mb; one after
 * the other by Nettle where there is none.
 */
#include "config.h"

#include "base/sha256-many.h"

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_LEAST 8u    /* messages; fewer are as quick one after the other */
#define TOGETHER 256u  /* messages that are ordered by length */
#define ALONE_ABOVE 5u /* a message longer than one in so many of all */

/* A job's length has 16 bits, of which the library takes 65,534 bytes: the
 * whole blocks below that.
 */
#define LONGEST 65472u

/* --- a manager of each thread --------------------------------------------- */

/* A manager is one thread's, and takes a millisecond to make. */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

/* The library has once failed: none of it is used from then on. */
static atomic_bool is_refused;

static void free_manager(void *p)
{
	free_mb_mgr(p);
}

/* The destructor of the key is not called for the thread that calls exit(). */
static void free_own(void)
{
	IMB_MGR *mgr = pthread_getspecific(key);

	if (mgr && !pthread_setspecific(key, NULL))
		free_manager(mgr);
}

static void make_key(void)
{
	key_error = pthread_key_create(&key, free_manager);
	if (!key_error)
		(void)atexit(free_own);
}

static bool has(uint64_t features, uint64_t wanted)
{
	return (features & wanted) == wanted;
}

/* The library takes the widest vectors there are.  Where those are AVX or AVX2,
 * of its first types, it has the processor's own instructions for SHA-256 with
 * SSE alone: two lanes of those are twice as quick as eight of AVX2 (2.8 GB/s
 * and 1.3 on Zen 3), but not as sixteen of AVX-512.  What it does with its
 * second types of AVX and AVX2, which are those with GFNI, was not measured, so
 * that is left to it.
 */
static bool is_best_narrow(uint64_t features)
{
	return has(features, IMB_CPUFLAGS_SSE_T2) &&
	       !has(features, IMB_CPUFLAGS_AVX_T2) &&
	       !has(features, IMB_CPUFLAGS_AVX2_T2) &&
	       !has(features, IMB_CPUFLAGS_AVX512);
}

/* NULL: there is none, or its test of itself failed. */
static IMB_MGR *new_manager(void)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);

	if (!mgr)
		return NULL;
	if (is_best_narrow(mgr->features))
		init_mb_mgr_sse(mgr);
	else
		init_mb_mgr_auto(mgr, NULL);
	if (!imb_get_errno(mgr) &&
	    (mgr->features & IMB_FEATURE_SELF_TEST_PASS) &&
	    !pthread_setspecific(key, mgr))
		return mgr;
	free_manager(mgr);
	return NULL;
}

static IMB_MGR *own_manager(void)
{
	IMB_MGR *mgr;

	if (atomic_load(&is_refused))
		return NULL;
	pthread_once(&key_once, make_key);
	mgr = key_error ? NULL : pthread_getspecific(key);
	if (!mgr && !key_error)
		mgr = new_manager();
	if (!mgr)
		atomic_store(&is_refused, true);
	return mgr;
}

/* --- jobs ----------------------------------------------------------------- */

static void fill_job(IMB_JOB *job, struct sha256_message *m)
{
	memset(job, 0, sizeof(*job));
	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->hash_alg = IMB_AUTH_SHA_256;
	job->src = m->p;
	job->msg_len_to_hash_in_bytes = m->len;
	job->auth_tag_output = m->hash;
	job->auth_tag_output_len_in_bytes = SHA256_LEN;
}

static bool is_done(const IMB_JOB *job)
{
	return job && job->status == IMB_STATUS_COMPLETED;
}

/* Whether all of them are hashed. */
static bool by_jobs(IMB_MGR *mgr, struct sha256_message *const *m, size_t n)
{
	const IMB_JOB *job;
	size_t n_done = 0;

	for (size_t i = 0; i < n; i++) {
		fill_job(IMB_GET_NEXT_JOB(mgr), m[i]);
		n_done += is_done(IMB_SUBMIT_JOB(mgr));
	}
	while ((job = IMB_FLUSH_JOB(mgr)))
		n_done += is_done(job);
	return n_done == n;
}

static void by_itself(struct sha256_message *m)
{
	sha256_of(m->p, m->len, m->hash);
}

static int longest_first(const void *pa, const void *pb)
{
	const struct sha256_message *const *a = pa, *const *b = pb;

	return ((*a)->len < (*b)->len) - ((*a)->len > (*b)->len);
}

/* The longest first, so that all lanes end at about the same time.  Those that
 * would go on when all others are done are not worth it, and those of no bytes
 * may have no address.
 */
static void in_order(IMB_MGR *mgr, struct sha256_message *m, size_t n)
{
	struct sha256_message *order[TOGETHER], **next = order;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		order[i] = &m[i];
		sum += m[i].len;
	}
	qsort(order, n, sizeof(order[0]), longest_first);
	while (n &&
	       ((*next)->len > LONGEST || (*next)->len > sum / ALONE_ABOVE)) {
		sum -= (*next)->len;
		by_itself(*next++);
		n--;
	}
	while (n && !next[n - 1]->len)
		by_itself(next[--n]);
	if (by_jobs(mgr, next, n))
		return;
	atomic_store(&is_refused, true);
	for (size_t i = 0; i < n; i++)
		by_itself(next[i]);
}

void sha256_many(struct sha256_message *m, size_t n)
{
	IMB_MGR *mgr;

	while (n >= AT_LEAST && (mgr = own_manager())) {
		size_t k = n < TOGETHER ? n : TOGETHER;

		in_order(mgr, m, k);
		m += k;
		n -= k;
	}
	for (size_t i = 0; i < n; i++)
		by_itself(&m[i]);
}

const char *sha256_many_library(void)
{
	static _Thread_local char text[40];

	snprintf(text, sizeof(text), "libipsec-mb %s", imb_get_version_str());
	return text;
}
#else
void sha256_many(struct sha256_message *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sha256_of(m[i].p, m[i].len, m[i].hash);
}

const char *sha256_many_library(void)
{
	return "none";
}
#endif
