/* SPDX-License-Identifier: Apache-2.0 */
/* fake-s3.c - a server for tests: S3 in memory, or a plain web server.
 *
 * It prints "READY port=N" and serves 127.0.0.1 until SIGTERM, or for an hour.
 * Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/opt.h"
#include "fake-s3.h"

#define LIFE 3600 /* seconds */

static const char *const conditionals[] = { "rgw", "yes", "no", NULL };

struct options {
	struct fake fake;
	const char *certificate, *key;
	const char *bucket, *versioned, *load, *rules;
	unsigned int port;
};

static const struct opt rows[] = {
	{ .name = "port",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .max = 65535,
	  .offset = offsetof(struct options, port),
	  .help = "listen there [any]" },
	{ .name = "web",
	  .arg = "DIR",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, fake.web),
	  .help = "be a plain web server over DIR" },
	{ .name = "bucket",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, bucket),
	  .help = "begin with that bucket" },
	{ .name = "versioned",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, versioned),
	  .help = "begin with that bucket, which keeps versions" },
	{ .name = "load",
	  .arg = "BUCKET[/PREFIX]=DIR",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, load),
	  .help = "begin with the files of DIR in it" },
	{ .name = "host",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, fake.host),
	  .help = "BUCKET.NAME is that bucket" },
	{ .name = "region",
	  .arg = "NAME",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, fake.region),
	  .help = "want that region in signatures [us-east-1]" },
	{ .name = "open",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct options, fake.is_open),
	  .help = "requests may have no signature" },
	{ .name = "clock",
	  .arg = "SECONDS",
	  .kind = OPT_INT,
	  .min = -(1 << 30),
	  .max = 1 << 30,
	  .offset = offsetof(struct options, fake.clock),
	  .help = "how far the server's clock is ahead" },
	{ .name = "page",
	  .arg = "N",
	  .kind = OPT_UINT,
	  .min = 1,
	  .max = 1000,
	  .offset = offsetof(struct options, fake.page),
	  .help = "entries of a list's page at most [1000]" },
	{ .name = "min-part",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .offset = offsetof(struct options, fake.min_part),
	  .help = "smallest part of an upload but the last [5M]" },
	{ .name = "max-copy",
	  .arg = "SIZE",
	  .kind = OPT_SIZE,
	  .offset = offsetof(struct options, fake.max_copy),
	  .help = "largest object CopyObject takes [5G]" },
	{ .name = "if-none-match",
	  .arg = "HOW",
	  .kind = OPT_CHOICE,
	  .choices = conditionals,
	  .offset = offsetof(struct options, fake.conditional),
	  .help = "PUT obeys it: yes, no, rgw: without versions [rgw]" },
	{ .name = "silent-copies",
	  .kind = OPT_FLAG,
	  .offset = offsetof(struct options, fake.has_silent_copies),
	  .help = "tell no version of a copy, as RGW does" },
	{ .name = "log",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, fake.log_path),
	  .help = "a line for each request" },
	{ .name = "rules",
	  .arg = "TEXT",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, rules),
	  .help = "what goes wrong, see fake-rule.h" },
	{ .name = "certificate",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, certificate),
	  .help = "PEM, for https" },
	{ .name = "key",
	  .arg = "FILE",
	  .kind = OPT_STRING,
	  .offset = offsetof(struct options, key),
	  .help = "the certificate's key" },
};

static void die(const char *what)
{
	fprintf(stderr, "fake-s3: %s\n", what);
	exit(1);
}

static void bucket_request(struct fake_request *rq, struct fake_bucket *b)
{
	struct buf out = { 0 };
	bool is_put = !strcmp(rq->method, "PUT");

	buf_init(&out, 1 << 20);
	if (fake_query(rq, "versioning") && is_put) {
		b->is_versioned = strstr(buf_str(&rq->body), ">Enabled<");
		fake_reply_text(rq->reply, 200, "text/plain", "");
	} else if (fake_query(rq, "versioning")) {
		fake_xml_begin(&out, "VersioningConfiguration");
		if (b->is_versioned)
			fake_xml_text(&out, "Status", "Enabled");
		buf_append_str(&out, "</VersioningConfiguration>");
		fake_reply_xml(rq->reply, 200, &out);
	} else if (fake_query(rq, "location")) {
		fake_xml_begin(&out, "LocationConstraint");
		buf_printf(&out, "%s</LocationConstraint>", rq->fake->region);
		fake_reply_xml(rq->reply, 200, &out);
	} else if (fake_query(rq, "object-lock")) {
		fake_reply_error(rq, 404,
				 "ObjectLockConfigurationNotFoundError",
				 "there is none");
	} else {
		fake_reply_text(rq->reply, 200, "text/plain", "");
		fake_reply_header(rq->reply, "x-amz-bucket-region",
				  rq->fake->region);
	}
	buf_release(&out);
}

static void operate_s3(struct fake_request *rq)
{
	struct fake_bucket *b;

	if (!fake_auth(rq))
		return;
	if (!rq->bucket) {
		fake_reply_text(rq->reply, 200, "application/xml",
				"<ListAllMyBucketsResult/>");
		return;
	}
	b = fake_bucket_find(rq->fake->buckets, rq->bucket);
	if (!b && !rq->key && !strcmp(rq->method, "PUT"))
		b = fake_bucket_new(&rq->fake->buckets, rq->bucket);
	if (!b) {
		fake_reply_error(rq, 404, "NoSuchBucket",
				 "The specified bucket does not exist");
		return;
	}
	switch (rq->kind) {
	case KIND_BUCKET: bucket_request(rq, b); break;
	case KIND_LIST: fake_list(rq, b); break;
	case KIND_VERSIONS: fake_list_versions(rq, b); break;
	case KIND_UPLOADS: fake_list_uploads(rq, b); break;
	case KIND_GET:
	case KIND_HEAD:
	case KIND_PUT:
	case KIND_COPY:
	case KIND_DELETE: fake_object(rq, b); break;
	case KIND_CREATE:
	case KIND_PART:
	case KIND_PARTCOPY:
	case KIND_COMPLETE:
	case KIND_ABORT: fake_upload(rq, b); break;
	case KIND_OTHER:
	case N_KINDS:
		fake_reply_error(rq, 501, "NotImplemented", "not here");
		break;
	}
}

static void operate(struct fake_request *rq)
{
	struct fake *f = rq->fake;
	LOCK_SCOPE(&f->lock);

	if (fake_control(rq))
		return;
	rq->is_counted = true;
	if (++f->in_flight > f->in_flight_max)
		f->in_flight_max = f->in_flight;
	fake_rules_match(f->rules, rq);
	if (!fake_fault_replaces(&rq->fault) || rq->fault.applied) {
		if (f->web)
			fake_web(rq);
		else
			operate_s3(rq);
	}
	fake_spoil(rq);
	fake_log(rq);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *data_len, void **state)
{
	struct fake_request *rq = *state;

	(void)arg;
	(void)url;
	(void)version;
	if (!rq->has_begun) {
		rq->has_begun = true;
		rq->conn = conn;
		rq->method = method;
		return MHD_YES;
	}
	if (*data_len) {
		buf_append(&rq->body, data, *data_len);
		*data_len = 0;
		return MHD_YES;
	}
	if (!buf_ok(&rq->body))
		return MHD_NO;
	fake_request_complete(rq);
	operate(rq);
	return fake_send(rq);
}

static void *on_uri(void *arg, const char *uri, struct MHD_Connection *conn)
{
	(void)conn;
	return fake_request_new(arg, uri);
}

static void on_completed(void *arg, struct MHD_Connection *conn, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct fake *f = arg;
	struct fake_request *rq = *state;

	(void)conn;
	(void)why;
	if (rq && rq->is_counted) {
		pthread_mutex_lock(&f->lock);
		f->in_flight--;
		pthread_mutex_unlock(&f->lock);
	}
	fake_request_free(rq);
	*state = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *conn, void **state,
			  enum MHD_ConnectionNotificationCode code)
{
	struct fake *f = arg;
	LOCK_SCOPE(&f->lock);

	(void)conn;
	(void)state;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		f->connections_open--;
		return;
	}
	f->connections++;
	if (++f->connections_open > f->connections_max)
		f->connections_max = f->connections_open;
}

static char *file_text(const char *path)
{
	struct fake_blob *b = fake_blob_open(path);
	char *ret;

	if (!b)
		die(path);
	ret = xmemdup0(b->p, b->len);
	fake_blob_unref(b);
	return ret;
}

static struct MHD_Daemon *serve(struct options *o)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)o->port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned int flags = MHD_USE_AUTO_INTERNAL_THREAD |
			     MHD_USE_THREAD_PER_CONNECTION |
			     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	CLEANUP_FREE char *certificate = NULL, *key = NULL;
	struct fake *f = &o->fake;

	if (o->certificate) {
		flags |= MHD_USE_TLS;
		tls[0].ptr_value = certificate = file_text(o->certificate);
		tls[1].ptr_value = key =
			file_text(o->key ? o->key : o->certificate);
	} else {
		tls[0].option = MHD_OPTION_END;
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL,
				MHD_OPTION_SOCK_ADDR, &sin,
				MHD_OPTION_URI_LOG_CALLBACK, on_uri, f,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, f,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, f,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)262144, MHD_OPTION_LISTEN_BACKLOG_SIZE,
				512u, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static void load(struct fake *f, const char *what)
{
	const char *eq = strchr(what, '='), *slash;
	CLEANUP_FREE char *name = NULL;
	struct fake_bucket *b;

	if (!eq)
		die("--load wants BUCKET[/PREFIX]=DIR");
	name = xmemdup0(what, (size_t)(eq - what));
	slash = strchr(name, '/');
	if (slash)
		name[slash - name] = '\0';
	b = fake_bucket_new(&f->buckets, name);
	if (!fake_bucket_load(b, eq + 1, slash ? slash + 1 : ""))
		die(eq + 1);
}

static void prepare(struct options *o)
{
	struct fake *f = &o->fake;
	const char *bad = "";

	f->access = getenv("AWS_ACCESS_KEY_ID");
	f->secret = getenv("AWS_SECRET_ACCESS_KEY");
	f->token = getenv("AWS_SESSION_TOKEN");
	if (!f->access || !f->secret) {
		f->access = f->secret = "";
		f->is_open = true;
	}
	pthread_mutex_init(&f->lock, NULL);
	if (o->bucket)
		fake_bucket_new(&f->buckets, o->bucket);
	if (o->versioned)
		fake_bucket_new(&f->buckets, o->versioned)->is_versioned = true;
	if (o->load)
		load(f, o->load);
	if (o->rules && !fake_rules_set(&f->rules, o->rules, &bad))
		die(bad);
	f->log = f->log_path ? fopen(f->log_path, "ae") : NULL;
	if (f->log_path && !f->log)
		die(f->log_path);
}

static void release(struct fake *f)
{
	if (f->log)
		fclose(f->log);
	fake_rules_free(f->rules);
	fake_buckets_free(f->buckets);
	pthread_mutex_destroy(&f->lock);
}

int main(int argc, char **argv)
{
	static struct options o = { .fake = { .region = "us-east-1",
					      .page = 1000,
					      .min_part = 5 << 20,
					      .max_copy = 5ull << 30 } };
	struct MHD_Daemon *d;
	struct err err = { 0 };
	sigset_t set;
	int first, sig;

	if (opt_parse(rows, ARRAY_LEN(rows), &o, argc, argv, &first, &err))
		die(err.msg);
	if (first == OPT_HELP) {
		opt_print_help(stdout, "fake-s3", "[OPTION]...",
			       "A server for tests.", rows, ARRAY_LEN(rows));
		return 0;
	}
	prepare(&o);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGPIPE);
	d = serve(&o);
	if (!d)
		die("cannot listen");
	alarm(LIFE);
	printf("READY port=%u\n",
	       MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&set, &sig);
	o.fake.quit = true;
	MHD_stop_daemon(d);
	release(&o.fake);
	return 0;
}
