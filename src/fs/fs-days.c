/* SPDX-License-Identifier: Apache-2.0 */
/* fs-days.c - the directory of days: .des/by-date, or the root. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "fs/fs.h"

void fs_day_name(uint32_t day, char ret[FS_DAY_NAME])
{
	snprintf(ret, FS_DAY_NAME, "%08" PRIu32, day);
}

uint32_t fs_day_of_name(const char *name)
{
	uint32_t day = 0;

	if (strlen(name) != 8)
		return 0;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		day = day * 10 + (uint32_t)(*name - '0');
	}
	return day;
}

static enum rc day_param(struct fs *fs, uint32_t day,
			 struct fuse_entry_param *ret, struct err *err)
{
	struct volume_entry ve;
	enum rc rc;

	/* Before the look, so that a refresh that misses it was before too. */
	if (!fs_saw_days(fs))
		atomic_store(&fs->saw_days, true);
	rc = volume_date_root(fs->v, day, &ve, err);
	if (rc)
		return rc;
	rc = fs_entry_param(fs, NODEID_DATE, &ve, ret, err);
	volume_entry_release(&ve);
	return rc;
}

void fs_days_lookup(struct fs_call *c, const char *name)
{
	uint32_t day = fs_day_of_name(name);
	struct fuse_entry_param e;
	struct err err;
	enum rc rc = RC_NOENT;

	if (day)
		rc = day_param(c->fs, day, &e, &err);
	if (rc == RC_NOENT)
		fs_reply_negative(c);
	else if (rc)
		fs_reply_rc(c, &err);
	else
		fuse_reply_entry(c->req, &e);
}

/* A day's offset is the day, so it stays good when days are added. */
enum rc fs_days_list(struct fs_listing *l, off_t off, struct err *err)
{
	CLEANUP_FREE uint32_t *days = NULL;
	size_t n = 0;
	enum rc rc = volume_days(l->c->fs->v, &days, &n, err);

	for (size_t i = 0; !rc && i < n; i++) {
		struct fuse_entry_param e;
		char name[FS_DAY_NAME];

		if ((off_t)days[i] <= off)
			continue;
		rc = day_param(l->c->fs, days[i], &e, err);
		fs_day_name(days[i], name);
		if (!rc && !fs_list_add(l, name, &e, (off_t)days[i] + 2))
			break;
	}
	return rc;
}
