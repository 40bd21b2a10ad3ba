/* SPDX-License-Identifier: Apache-2.0 */
/* raw-server.c - a server for tests of clients. */
#include "config.h"

#include "raw-server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/mem.h"

#define CONNS_MAX 512
#define HEAD_MAX 16384

struct raw_conn {
	struct raw_server *s;
	pthread_t thread;
	int fd;
	SSL *ssl; /* NULL: plain */
	unsigned int n_requests;
};

struct raw_server {
	raw_handler *fn;
	void *arg;
	SSL_CTX *tls; /* NULL: plain */
	int fd;
	unsigned int port;
	pthread_t thread;
	pthread_mutex_t lock; /* guards is_stopping and conns */
	bool is_stopping;
	_Atomic unsigned int n_conns;
	struct raw_conn *conns[CONNS_MAX];
};

bool raw_send(struct raw_conn *c, const void *p, size_t len)
{
	const char *from = p;

	while (len) {
		ssize_t n = c->ssl ? SSL_write(c->ssl, from, (int)len)
				   : send(c->fd, from, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		from += n;
		len -= (size_t)n;
	}
	return true;
}

bool raw_printf(struct raw_conn *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < sizeof(text));
	return raw_send(c, text, (size_t)n);
}

bool raw_read(struct raw_conn *c, void *p, size_t len)
{
	char *to = p;

	while (len) {
		ssize_t n = c->ssl ? SSL_read(c->ssl, to, (int)len)
				   : recv(c->fd, to, len, 0);

		if (n <= 0)
			return false;
		to += n;
		len -= (size_t)n;
	}
	return true;
}

void raw_narrow(struct raw_conn *c)
{
	const int size = 128 * 1024;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void raw_wait(struct raw_conn *c)
{
	char waste[256];

	while (recv(c->fd, waste, sizeof(waste), 0) > 0)
		;
}

void raw_reset(struct raw_conn *c)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

unsigned int raw_n_requests(const struct raw_conn *c)
{
	return c->n_requests;
}

/* Byte for byte, since what follows is the body. */
static bool read_head(struct raw_conn *c, char *head)
{
	size_t n = 0;

	while (n < HEAD_MAX - 1 && raw_read(c, head + n, 1)) {
		head[++n] = '\0';
		if (n >= 4 && !memcmp(head + n - 4, "\r\n\r\n", 4))
			return true;
	}
	return false;
}

static void *conn_main(void *arg)
{
	struct raw_conn *c = arg;
	CLEANUP_FREE char *head = xcalloc(1, HEAD_MAX);

	if (!c->ssl || SSL_accept(c->ssl) == 1)
		while (read_head(c, head)) {
			c->n_requests++;
			if (!c->s->fn(c, head, c->s->arg))
				break;
		}
	pthread_mutex_lock(&c->s->lock);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
	pthread_mutex_unlock(&c->s->lock);
	return NULL;
}

static void add_conn(struct raw_server *s, int fd)
{
	struct raw_conn *c = xcalloc(1, sizeof(*c));
	const int on = 1;
	LOCK_SCOPE(&s->lock);

	assert(s->n_conns < CONNS_MAX);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->s = s;
	c->fd = fd;
	if (s->tls) {
		c->ssl = SSL_new(s->tls);
		SSL_set_fd(c->ssl, fd);
	}
	if (s->is_stopping)
		shutdown(fd, SHUT_RDWR);
	s->conns[s->n_conns++] = c;
	if (pthread_create(&c->thread, NULL, conn_main, c))
		abort();
}

static void *accept_main(void *arg)
{
	struct raw_server *s = arg;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		add_conn(s, fd);
	return NULL;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	const unsigned char cn[] = "desfs test";

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, cn, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	if (!X509_sign(cert, key, EVP_sha256()))
		abort();
	return cert;
}

static SSL_CTX *make_tls(const char *cert_file)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = make_certificate(key);
	FILE *f = fopen(cert_file, "w");

	if (!f || !PEM_write_X509(f, cert) || fclose(f) ||
	    SSL_CTX_use_certificate(tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(tls, key) != 1)
		abort();
	X509_free(cert);
	EVP_PKEY_free(key);
	return tls;
}

static int choose_2(SSL *ssl, const unsigned char **out, unsigned char *len,
		    const unsigned char *in, unsigned int in_len, void *arg)
{
	(void)ssl;
	(void)in;
	(void)in_len;
	(void)arg;
	*out = (const unsigned char *)"h2";
	*len = 2;
	return SSL_TLSEXT_ERR_OK;
}

void raw_server_speak_2(struct raw_server *s)
{
	SSL_CTX_set_alpn_select_cb(s->tls, choose_2, NULL);
}

struct raw_server *raw_server_start(raw_handler *fn, void *arg,
				    const char *cert_file)
{
	struct raw_server *s = xcalloc(1, sizeof(*s));
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	s->fn = fn;
	s->arg = arg;
	s->tls = cert_file ? make_tls(cert_file) : NULL;
	pthread_mutex_init(&s->lock, NULL);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(s->fd, 128) ||
	    getsockname(s->fd, (struct sockaddr *)&a, &len) ||
	    pthread_create(&s->thread, NULL, accept_main, s))
		abort();
	s->port = ntohs(a.sin_port);
	return s;
}

void raw_server_stop(struct raw_server *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	for (unsigned int i = 0; i < s->n_conns; i++)
		if (s->conns[i]->fd >= 0)
			shutdown(s->conns[i]->fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (unsigned int i = 0; i < s->n_conns; i++) {
		pthread_join(s->conns[i]->thread, NULL);
		free(s->conns[i]);
	}
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
	SSL_CTX_free(s->tls);
	free(s);
}

unsigned int raw_server_port(const struct raw_server *s)
{
	return s->port;
}

unsigned int raw_server_n_connections(const struct raw_server *s)
{
	return s->n_conns;
}
