/* SPDX-License-Identifier: Apache-2.0 */
/* erasure-key.c - the keys of the list of what is not to be archived again. */
#include "config.h"

#include "conf/erasure-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/unique.h"
#include "conf/conf-file.h"

void erasure_keys_wipe(struct erasure_keys *k)
{
	explicit_bzero(k, sizeof(*k));
}

static enum rc take_line(void *arg, struct conf_line *l, struct err *err)
{
	struct erasure_keys *k = arg;

	if (!l->key)
		return conf_line_error(l, RC_USAGE, err,
				       "a file of keys has no sections");
	if (strcmp(l->key, "key") != 0)
		return conf_line_error(l, RC_USAGE, err,
				       "want lines key = HEX, see "
				       "desfs.conf(5)");
	if (k->n == ERASURE_KEYS_MAX)
		return conf_line_error(l, RC_USAGE, err, "more than %u keys",
				       ERASURE_KEYS_MAX);
	if (!hex_decode(l->value, strlen(l->value), k->v[k->n],
			ERASURE_KEY_LEN))
		return conf_line_error(l, RC_USAGE, err,
				       "a key has %u hexadecimal digits in "
				       "lower case",
				       2 * ERASURE_KEY_LEN);
	k->n++;
	return RC_OK;
}

enum rc erasure_keys_load(const char *path, struct erasure_keys *ret,
			  struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	enum rc rc;

	*ret = (struct erasure_keys){ .n = 0 };
	if (!path)
		return RC_OK;
	rc = conf_text_read(&t, path, true, err);
	if (!rc)
		rc = conf_text_parse(&t, path, take_line, ret, err);
	if (!rc && !ret->n)
		rc = err_set(err, RC_USAGE, "%s: has no key", path);
	if (rc)
		erasure_keys_wipe(ret);
	return rc ? err_prefix(err, "erasure_key") : RC_OK;
}

static enum rc write_key(int fd, const char *path, struct err *err)
{
	uint8_t key[ERASURE_KEY_LEN];
	char hex[HEX_TEXT(ERASURE_KEY_LEN)], line[sizeof(hex) + 8];
	enum rc rc = unique_bytes(key, sizeof(key), err);
	int n;

	if (rc)
		return rc;
	hex_encode(key, sizeof(key), hex);
	n = snprintf(line, sizeof(line), "key = %s\n", hex);
	if (fchmod(fd, 0600) || io_write(fd, line, (size_t)n) || fsync(fd))
		rc = err_set_errno(err, errno, "%s", path);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(hex, sizeof(hex));
	explicit_bzero(line, sizeof(line));
	return rc;
}

enum rc erasure_key_make(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP_FREE char *name =
		slash ? xmemdup0(path, (size_t)(slash + 1 - path))
		      : xstrdup(".");
	CLEANUP_FD int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int fd = -1;
	enum rc rc;

	if (dir < 0)
		return err_set_errno(err, errno, "%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	rc = write_key(fd, path, err);
	if (!rc && io_fsync_dir(dir))
		rc = err_set_errno(err, errno, "%s", name);
	if (rc)
		(void)unlink(path);
	return rc;
}
