/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-conf.c - desfs.conf and files of credentials. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "conf/secret.h"
#include "fuzz.h"

static void check_conf(void)
{
	struct conf c = CONF_INIT;
	struct err err;

	if (!conf_fill(&c, "s3://bucket/prefix", &err)) {
		for (size_t i = 0; i < conf_n_rows(); i++) {
			CLEANUP_BUF struct buf b = { .max = 1u << 20 };

			conf_value_text(&c, i, &b);
			if (!b.len || !*conf_origin(&c, i))
				abort();
		}
		if (c.refresh == CONF_UNSET || c.stale == STALE_UNSET ||
		    (c.store.endpoint && strncmp(c.store.endpoint, "http", 4) &&
		     strncmp(c.store.endpoint, "socks", 5)))
			abort();
	} else if (!strstr(err.msg, ":")) {
		abort();
	}
	conf_release(&c);
}

static void check_secret(const char *path)
{
	struct store_settings set = { .credentials = path };
	static struct secret s;
	struct err err;

	if (secret_load(&set, &s, &err))
		return;
	if (!*s.access || !*s.key || strlen(s.key) >= SECRET_KEY_MAX)
		abort();
	secret_wipe(&s);
	if (*s.key)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FD int fd = memfd_create("conf", MFD_CLOEXEC);
	CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d", fd);

	if (fd < 0 || fchmod(fd, 0600) || io_pwrite(fd, data, size, 0))
		return 0;
	setenv("HOME", "/nonexistent", 1);
	setenv("DESFS_CONF", path, 1);
	check_conf();
	check_secret(path);
	return 0;
}
