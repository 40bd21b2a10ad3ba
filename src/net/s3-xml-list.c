/* SPDX-License-Identifier: Apache-2.0 */
/* s3-xml-list.c - a page of objects, of versions, or of unfinished uploads. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "net/s3-xml-backend.h"
#include "net/s3-xml.h"

#define PAGE_MAX 1100 /* items: 1000 are asked for at most */

enum list_kind { LIST_OBJECTS, LIST_VERSIONS, LIST_UPLOADS };

static const struct list_words {
	const char *root, *item, *marker_item;
	const char *id, *time, *next, *next_id;
} list_words[] = {
	[LIST_OBJECTS] = { "ListBucketResult", "Contents", "", "",
			   "LastModified", "NextContinuationToken", "" },
	[LIST_VERSIONS] = { "ListVersionsResult", "Version", "DeleteMarker",
			    "VersionId", "LastModified", "NextKeyMarker",
			    "NextVersionIdMarker" },
	[LIST_UPLOADS] = { "ListMultipartUploadsResult", "Upload", "",
			   "UploadId", "Initiated", "NextKeyMarker",
			   "NextUploadIdMarker" },
};

struct list {
	const struct list_words *w;
	struct s3_page page;
	size_t cap;
	struct s3_item item; /* being read */
	bool in_item, has_size, has_latest;
	bool has_truncated, is_url;
};

static bool list_root(struct s3_xml_reader *r, const char *name)
{
	struct list *l = r->arg;

	for (size_t i = 0; i < ARRAY_LEN(list_words); i++) {
		if (!strcmp(name, list_words[i].root))
			l->w = &list_words[i];
	}
	return l->w;
}

static bool list_open(struct s3_xml_reader *r, const char *name)
{
	struct list *l = r->arg;

	if (r->depth != 2)
		return true;
	l->in_item = *name && (!strcmp(name, l->w->item) ||
			       !strcmp(name, l->w->marker_item));
	if (!l->in_item)
		return true;
	l->item.is_marker = strcmp(name, l->w->item) != 0;
	l->has_size = l->has_latest = false;
	return l->page.n < PAGE_MAX;
}

/* Once only. */
static bool set_text(char **ret, const char *text)
{
	if (*ret)
		return false;
	*ret = xstrdup(text);
	return true;
}

static bool set_bool(bool *ret, bool *has, const char *text)
{
	bool is_true = !strcmp(text, "true");

	if (*has || (!is_true && strcmp(text, "false") != 0))
		return false;
	*ret = is_true;
	*has = true;
	return true;
}

static bool set_size(uint64_t *ret, bool *has, const char *text)
{
	size_t len = strspn(text, "0123456789");
	uint64_t n = 0;

	/* 18 digits cannot overflow; no object has more. */
	if (*has || !len || len > 18 || text[len])
		return false;
	for (size_t i = 0; i < len; i++)
		n = 10 * n + (uint64_t)(text[i] - '0');
	*ret = n;
	*has = true;
	return true;
}

static bool item_field(struct list *l, const char *name, const char *text)
{
	struct s3_item *it = &l->item;

	if (!strcmp(name, "Key"))
		return *text && set_text(&it->key, text);
	if (!strcmp(name, l->w->id))
		return set_text(&it->id, text);
	if (!strcmp(name, "Size"))
		return set_size(&it->size, &l->has_size, text);
	if (!strcmp(name, "IsLatest"))
		return set_bool(&it->is_latest, &l->has_latest, text);
	if (!strcmp(name, l->w->time)) {
		if (*it->time || strlen(text) >= sizeof(it->time))
			return false;
		memcpy(it->time, text, strlen(text) + 1);
	}
	return true;
}

static bool item_end(struct list *l)
{
	bool is_object = l->w == &list_words[LIST_OBJECTS];
	bool is_upload = l->w == &list_words[LIST_UPLOADS];

	l->in_item = false;
	if (!l->item.key || (!is_object && !l->item.id) ||
	    (!is_upload && !l->item.is_marker && !l->has_size))
		return false;
	l->page.items = mem_grow(l->page.items, &l->cap, l->page.n + 1,
				 sizeof(*l->page.items));
	l->page.items[l->page.n++] = l->item;
	l->item = (struct s3_item){ 0 };
	return true;
}

static bool page_field(struct list *l, const char *name, const char *text)
{
	if (!strcmp(name, "IsTruncated"))
		return set_bool(&l->page.is_truncated, &l->has_truncated, text);
	if (!strcmp(name, "EncodingType"))
		l->is_url = !strcmp(text, "url");
	else if (*text && !strcmp(name, l->w->next))
		return set_text(&l->page.next, text);
	else if (*text && !strcmp(name, l->w->next_id))
		return set_text(&l->page.next_id, text);
	return true;
}

static bool list_close(struct s3_xml_reader *r, const char *name,
		       const char *text)
{
	struct list *l = r->arg;

	if (r->depth == 3 && l->in_item)
		return item_field(l, name, text);
	if (r->depth != 2)
		return true;
	return l->in_item ? item_end(l) : page_field(l, name, text);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* In place, as a form is decoded: AWS writes a blank as "+". */
static bool url_decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*to++ = *s == '+' ? ' ' : *s;
			continue;
		}
		high = hex_digit(s[1]);
		low = high < 0 ? -1 : hex_digit(s[2]);
		if (low < 0 || !(high | low))
			return false;
		*to++ = (char)(high << 4 | low);
		s += 2;
	}
	*to = '\0';
	return true;
}

static enum rc list_finish(struct list *l, struct err *err)
{
	bool has_key_marker = l->w != &list_words[LIST_OBJECTS];

	if (!l->has_truncated)
		return err_set(err, RC_CORRUPT, "XML: a list without its end");
	if (l->page.is_truncated && !l->page.next)
		return err_set(err, RC_CORRUPT,
			       "XML: a list cut without saying where");
	if (!l->is_url)
		return RC_OK;
	for (size_t i = 0; i < l->page.n; i++) {
		if (!url_decode(l->page.items[i].key))
			return err_set(err, RC_CORRUPT,
				       "XML: a key that is "
				       "not encoded right");
	}
	if (has_key_marker && l->page.next && !url_decode(l->page.next))
		return err_set(err, RC_CORRUPT,
			       "XML: a marker that is not encoded right");
	return RC_OK;
}

static void item_release(struct s3_item *it)
{
	free(it->key);
	free(it->id);
}

void s3_page_release(struct s3_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		item_release(&page->items[i]);
	free(page->items);
	free(page->next);
	free(page->next_id);
	*page = (struct s3_page){ 0 };
}

enum rc s3_xml_list(const void *p, size_t len, struct s3_page *ret,
		    struct err *err)
{
	static const struct s3_xml_ops ops = { list_root, list_open,
					       list_close };
	struct list l = { 0 };

	if (s3_xml_read(p, len, &ops, &l, err) || list_finish(&l, err)) {
		item_release(&l.item);
		s3_page_release(&l.page);
		return err->rc;
	}
	*ret = l.page;
	return RC_OK;
}
