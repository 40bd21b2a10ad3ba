/* SPDX-License-Identifier: Apache-2.0 */
/* http-loop-backend.h - what the parts of the HTTP client share; private to
 * this room.
 *
 * http.c has the callers' side, http-loop.c the thread, http-transfer.c one
 * request on one libcurl handle, http-answer.c what comes back, http-sockets.c
 * what it comes over.
 */
#ifndef DESFS_NET_HTTP_LOOP_BACKEND_H
#define DESFS_NET_HTTP_LOOP_BACKEND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "net/curl-library.h"
#include "net/http.h"

struct workers;

#define HTTP_PEER_MAX 272

enum http_task_state { TASK_QUEUED, TASK_RUNNING, TASK_DONE };

/* One call; lies on its caller's stack.  While it runs it is the net thread's,
 * and so are the response and the error it points to.
 */
struct http_task {
	const struct http_request *rq;
	struct http_response *ret;
	struct err *err;
	struct curl_slist *headers;
	char peer[HTTP_PEER_MAX]; /* "host:port", for messages */
	uint64_t begun;           /* of clock_mono_ns */

	enum http_task_state state; /* guarded by http.lock, as those below */
	enum rc rc;
	pthread_cond_t done;
	struct http_task *prev, *next; /* in a queue */
};

/* One request on the wire; the net thread's. */
struct http_transfer {
	struct http *h;
	CURL *easy;             /* NULL until first used */
	struct http_task *task; /* NULL: free */
	uint64_t begun;         /* of clock_mono_ns */
	uint64_t window;        /* when the present stall window began */
	int64_t window_bytes;   /* had come and gone by then */
	int64_t bytes_in;
	size_t header_bytes;
	unsigned int n_sent;
	bool has_answer; /* a byte of it came */
	bool has_header; /* all of it */
	bool is_chunked;
	bool is_encoded;
	bool is_cut; /* enough of an error's body came */
	/* Set by a callback that ends the transfer, with the task's error. */
	enum rc rc;
	char text[CURL_ERROR_SIZE]; /* libcurl's words */
};

/* Lock order: lock alone. */
struct http {
	unsigned int connections;
	unsigned int connect_timeout, stall_timeout; /* ms */
	char *ca_file, *proxy;
	/* curl_multi_wakeup from any thread, all else by the net thread. */
	CURLM *multi;
	struct workers *thread;
	struct http_transfer *transfers; /* the net thread's; connections */

	pthread_mutex_t lock; /* guards what follows and the states of tasks */
	pthread_cond_t gone;  /* n_callers is 0 */
	struct http_task *demand, *ahead; /* in order of their coming */
	unsigned int n_callers, n_running, n_ahead; /* n_ahead of n_running */
	bool is_stopping;
	int *sockets; /* open ones */
	size_t n_sockets, cap_sockets;

	_Atomic uint64_t n_requests, n_connections, in_flight, in_flight_max;
};

/* A stop is requested, and the task is one that ends then: its error is set. */
bool http_task_is_stopped(const struct http_task *task);

/* The net thread, until is_stopping; arg is the struct http. */
void http_loop_run(void *arg);

/* Make a handle ready for task; its result is the task's if it fails. */
enum rc http_transfer_begin(struct http_transfer *t, struct http_task *task);

/* False when the transfer has to end now, and then the task's error is set;
 * else *ret_when is lowered to when to ask again.
 */
bool http_transfer_may_go_on(struct http_transfer *t, uint64_t now,
			     uint64_t *ret_when);

/* Bytes of the request's body that went and of the answer that came. */
int64_t http_transfer_bytes(struct http_transfer *t);

/* The result libcurl came to in our terms; fills the response. */
enum rc http_transfer_result(struct http_transfer *t, CURLcode code);

/* Fill in what is known of the response at its end, however it ended. */
void http_transfer_end(struct http_transfer *t);

/* Called by the net thread for each socket; the second is libcurl's callback,
 * arg is the struct http.
 */
void http_sockets_add(struct http *h, int fd);
int http_sockets_close(void *arg, curl_socket_t fd);
/* From any thread, with the lock held: no more bytes come or go. */
void http_sockets_end(const struct http *h);

/* libcurl's callbacks for the header's lines and for the body. */
size_t http_answer_header(char *p, size_t size, size_t n, void *arg);
size_t http_answer_body(char *p, size_t size, size_t n, void *arg);

#endif
