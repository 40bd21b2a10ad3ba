/* SPDX-License-Identifier: Apache-2.0 */
/* feed.c - options that go with a feed; telling it what became of its records.
 */
#include "config.h"

#include "pack/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "pack/pack.h"

#define FILE_URL "file://"

char *feed_identity(const char *kind, const char *place)
{
	bool is_stdin = !strcmp(place, "-");
	const char *path = place;
	CLEANUP_FREE char *real = NULL;
	struct stat st;

	if (!strncmp(place, FILE_URL, strlen(FILE_URL)))
		path += strlen(FILE_URL);
	else if (strstr(place, "://"))
		return xasprintf("%s %s", kind, place);
	if (!is_stdin)
		real = realpath(path, NULL);
	/* Not its device and inode: these may change with a restart, after
	 * which a run is to go on.
	 */
	if ((is_stdin ? fstat(STDIN_FILENO, &st) : stat(path, &st)) ||
	    !S_ISREG(st.st_mode))
		return xasprintf("%s %s", kind, real ? real : path);
	return xasprintf("%s %s %" PRIu64 " %" PRId64 ".%09ld", kind,
			 real ? real : path, (uint64_t)st.st_size,
			 (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* What is for directories. */
enum rc feed_check_options(const struct pack_options *o, struct err *err)
{
	const struct {
		const char *text;
		bool is_set;
	} all[] = {
		{ "--mirror", o->mirror || o->mirror_empty },
		{ "--checksum", o->checksum },
		{ "--remove-source-files", o->remove_sources },
		{ "--files0-from", o->files0_from },
		{ "--one-file-system", o->one_file_system },
		{ "a source directory", o->n_sources },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].is_set)
			return err_set(err, RC_USAGE,
				       "%s: not for records of a list or "
				       "another archive",
				       all[i].text);
	}
	return RC_OK;
}

void feed_tell(const struct feed *f, uint64_t number, enum feed_status status,
	       const struct err *why)
{
	const struct feed_result r = { .number = number,
				       .status = status,
				       .why = why };

	if (f && f->result)
		f->result(f->arg, &r);
}

void feed_directory(const struct feed *f, struct item *it)
{
	CLEANUP_FREE char *uid = NULL;
	size_t len;

	if (!f || !f->directory)
		return;
	uid = xcalloc(1, entry_uid_len(it->parent, it->name) + 1);
	len = entry_uid(it->parent, it->name, uid);
	f->directory(f->arg, span_of(uid, len), it->created_at, it);
}
