/* SPDX-License-Identifier: Apache-2.0 */
/* raw-server.h - a server on the loopback interface that answers as a test
 * wants it to: also not at all, too slowly, and with what is not HTTP.
 *
 * A thread accepts, and each connection has one of its own.  The handler gets
 * each request's head and writes the answer byte for byte.
 */
#ifndef DESFS_TESTS_UNIT_RAW_SERVER_H
#define DESFS_TESTS_UNIT_RAW_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct raw_server;
struct raw_conn;

/* head: request line and header, ends with an empty line.  True: another
 * request may follow on this connection.
 */
typedef bool raw_handler(struct raw_conn *c, const char *head, void *arg);

/* cert_file: serve TLS with a new certificate for 127.0.0.1, written there as
 * PEM; NULL: plain.
 */
struct raw_server *raw_server_start(raw_handler *fn, void *arg,
				    const char *cert_file);
/* With TLS: HTTP/2 is what it speaks; the handler sees the preface's head. */
void raw_server_speak_2(struct raw_server *s);
/* Ends all connections and waits for the handlers. */
void raw_server_stop(struct raw_server *s);

unsigned int raw_server_port(const struct raw_server *s);
/* Connections accepted since start. */
unsigned int raw_server_n_connections(const struct raw_server *s);

/* For handlers.  Number of this request on its connection, from 1. */
unsigned int raw_n_requests(const struct raw_conn *c);
/* False when the other side is gone. */
bool raw_send(struct raw_conn *c, const void *p, size_t len);
bool raw_printf(struct raw_conn *c, const char *fmt, ...) PRINTF(2, 3);
/* len bytes of the request's body. */
bool raw_read(struct raw_conn *c, void *p, size_t len);
/* Take from now on only what fits a small buffer, so that a sender waits. */
void raw_narrow(struct raw_conn *c);
/* Wait until the other side has closed the connection, or the server stops. */
void raw_wait(struct raw_conn *c);
/* Let the connection end with a reset. */
void raw_reset(struct raw_conn *c);

#endif
