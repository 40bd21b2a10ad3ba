/* SPDX-License-Identifier: Apache-2.0 */
/* store-remote-backend.h - calls to a server: tried again within budget and
 * deadline, counted, traced; private to this room.
 *
 * Remote stores embed struct remote.  A call is one or more tries: each is made
 * anew (so that a signature is fresh), sent, and judged.  Safe from many
 * threads.
 */
#ifndef DESFS_STORE_STORE_REMOTE_BACKEND_H
#define DESFS_STORE_STORE_REMOTE_BACKEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "conf/store-settings.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/store.h"

#define REMOTE_HEADERS_MAX 24
/* Tries of one call that are made at once because what is sent has changed. */
#define REMOTE_AGAIN_MAX 4

/* As requests are counted. */
enum remote_kind {
	REMOTE_GET,
	REMOTE_LIST,
	REMOTE_PUT,
	REMOTE_POST,
	REMOTE_DELETE,
	REMOTE_HEAD,
	REMOTE_KINDS
};

struct trace;

struct remote {
	const struct store_settings *set;
	struct retry_budget budget;
	struct trace *trace; /* NULL: none */
	_Atomic uint64_t requests[REMOTE_KINDS];
	_Atomic uint64_t retries, timeouts, throttled, bad_replies;
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint64_t seed;
	pthread_mutex_t lock; /* guards http while it is opened */
	struct http *http;    /* NULL before the first call */
};

/* No thread and no connection before the first call, so that a fork may come
 * between.  remote_release also takes a zeroed one.
 */
enum rc remote_init(struct remote *rm, const struct store_settings *set,
		    struct err *err) MUST_CHECK;
void remote_release(struct remote *rm);
void remote_count(struct remote *rm, struct store_counters *ret);

/* What one try sends. */
struct remote_try {
	struct buf url;
	char *headers[REMOTE_HEADERS_MAX + 1]; /* "Name: value", then NULL */
	size_t n_headers;
	unsigned int n; /* which try, from 1 */
};
/* "name: value"; more than REMOTE_HEADERS_MAX is our own mistake. */
void remote_try_header(struct remote_try *t, const char *name,
		       const char *value);

enum remote_verdict {
	REMOTE_DONE,   /* the reply is what was asked for */
	REMOTE_FAILED, /* another try would end the same way */
	REMOTE_RETRY,  /* may pass: after a wait, within budget and deadline */
	REMOTE_AGAIN,  /* what is sent next differs: at once, and not often */
};

struct remote_call {
	enum remote_kind kind;
	enum http_method method;
	const char *what;  /* a key or prefix: for messages and the trace */
	const char *range; /* likewise, "bytes=0-99"; NULL: none */
	const void *body;
	size_t body_len;
	size_t max_body;  /* of the data wanted; more is RC_CORRUPT */
	void *into;       /* see struct http_request */
	uint64_t more_ms; /* the deadline beyond `timeout`, see remote_grace_ms
			   */
	unsigned int stall_ms; /* of silence; 0: as usual */
	bool is_ahead;
	bool ignores_stop; /* cleaning up: also after stop_requested */
	bool is_whole;     /* once sent, a stop waits for the answer */
	/* Append the URL and the headers. */
	enum rc (*prepare)(void *arg, struct remote_try *t, struct err *err);
	/* A whole response came: what of it?  All but REMOTE_DONE set err,
	 * without the name of what it is about.  The body has at most max_body
	 * bytes, or HTTP_ERROR_BODY_MAX when the status is not 2xx.
	 */
	enum remote_verdict (*judge)(void *arg, const struct remote_try *t,
				     const struct http_response *r,
				     struct err *err);
	void *arg;
};

/* Release ret in any case.  *ret_tries: requests sent, more than one when what
 * the first ones did is not known.  Messages begin with what.
 */
enum rc remote_run(struct remote *rm, const struct remote_call *c,
		   struct http_response *ret, unsigned int *ret_tries,
		   struct err *err) MUST_CHECK;

/* Milliseconds for one call, without more_ms. */
uint64_t remote_timeout_ms(const struct remote *rm);

/* Milliseconds a slow line may take for so many bytes. */
uint64_t remote_grace_ms(uint64_t bytes);

/* Whether a status says that the same may work later. */
bool remote_is_passing(unsigned int status);

#endif
