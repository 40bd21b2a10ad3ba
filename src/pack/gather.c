/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - all names in the sources, sorted by slot. */
#include "config.h"

#include "pack/gather.h"

#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "pack/compare-file.h"
#include "pack/dirs.h"
#include "pack/item.h"
#include "pack/keep.h"
#include "pack/links.h"
#include "pack/pack.h"
#include "pack/sorter.h"
#include "pack/walk.h"
#include "shard/route.h"

struct gather {
	struct pack *p;
	struct buf uid, key, value;
};

static enum rc gather_item(void *arg, const struct item *it, struct err *err)
{
	struct gather *g = arg;
	const struct descriptor *d = &g->p->descriptor;
	struct span parent = it->parent, name = it->name;
	uint32_t slot;

	buf_clear(&g->uid);
	buf_append(&g->uid, parent.p, parent.len);
	if (parent.len)
		buf_append_str(&g->uid, "/");
	buf_append(&g->uid, name.p, name.len);
	slot = route_slot((enum route_kind)d->route, d->n_bits,
			  buf_str(&g->uid), g->uid.len);
	buf_clear(&g->key);
	buf_clear(&g->value);
	item_key_encode(parent, name, &g->key);
	item_encode(it, &g->value);
	if (!buf_ok(&g->key) || !buf_ok(&g->value) || !buf_ok(&g->uid))
		return err_set(err, RC_NOMEM, "no memory for a name");
	if (g->p->opts->created == CREATED_MTIME &&
	    compare_mtime_us(it) > g->p->stamp)
		g->p->stamp = compare_mtime_us(it);
	return sorter_add(g->p->items, slot, span_of(g->key.p, g->key.len),
			  span_of(g->value.p, g->value.len), err);
}

/* The archive's directory is not to be packed into itself. */
static void find_archive(const struct pack_options *o, struct walk_options *w)
{
	const char *path = o->archive;
	struct stat st;

	if (!strncmp(path, "file://", 7))
		path += 7;
	if (strstr(path, "://") || stat(path, &st))
		return;
	w->has_archive = true;
	w->archive_dev = st.st_dev;
	w->archive_ino = st.st_ino;
}

enum rc gather(struct pack *p, struct err *err)
{
	struct gather g = { .p = p };
	struct walk_options w = { .sources = &p->sources,
				  .filter = p->opts->filter,
				  .one_file_system = p->opts->one_file_system,
				  .report = p->report,
				  .emit = gather_item,
				  .arg = &g };
	enum rc rc;

	p->links = links_new();
	p->keep = keep_new();
	p->items = sorter_new(p->opts->spool, GATHER_MEMORY,
			      1u << p->descriptor.n_bits);
	p->dirs = dirs_new(p->opts->spool);
	w.links = p->links;
	w.keep = p->keep;
	w.dirs = p->dirs;
	find_archive(p->opts, &w);
	buf_init(&g.uid, SIZE_MAX / 2);
	buf_init(&g.key, SIZE_MAX / 2);
	buf_init(&g.value, SIZE_MAX / 2);
	report_phase(p->report, "looking");
	if (p->opts->files0_from)
		rc = walk_list(&w, p->opts->files0_from, p->opts->spool, err);
	else
		rc = walk_sources(&w, err);
	if (!rc)
		rc = sorter_finish(p->items, err);
	buf_release(&g.uid);
	buf_release(&g.key);
	buf_release(&g.value);
	return rc;
}
