/* SPDX-License-Identifier: Apache-2.0 */
/* s3-xml.c - expat within bounds; errors and single texts. */
#include "config.h"

#include "net/s3-xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/s3-xml-backend.h"

#define DEPTH_MAX 16
#define TEXT_MAX (16u << 10) /* bytes in one element */

struct reader {
	struct s3_xml_reader base;
	XML_Parser parser;
	const struct s3_xml_ops *ops;
	bool has_child;      /* of the element that ends next */
	struct buf text;     /* directly in the innermost element */
	const char *problem; /* NULL: none so far */
};

static void refuse(struct reader *r, const char *problem)
{
	if (r->problem)
		return;
	r->problem = problem;
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static bool open_element(struct reader *r, const char *name)
{
	if (r->base.depth == 1)
		return r->ops->root(&r->base, name);
	return !r->ops->open || r->ops->open(&r->base, name);
}

static void XMLCALL on_start(void *arg, const XML_Char *name,
			     const XML_Char **attributes)
{
	struct reader *r = arg;

	(void)attributes;
	if (r->problem)
		return;
	name = local_name(name);
	r->base.depth++;
	r->has_child = false;
	buf_clear(&r->text);
	if (r->base.depth > DEPTH_MAX)
		refuse(r, "nested too deeply");
	else if (!open_element(r, name))
		refuse(r, "not the document that was asked for");
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;

	if (r->problem)
		return;
	if (!r->ops->close(&r->base, local_name(name),
			   r->has_child ? "" : buf_str(&r->text)))
		refuse(r, "an element has no valid content");
	r->base.depth--;
	r->has_child = true;
	buf_clear(&r->text);
}

static void XMLCALL on_text(void *arg, const XML_Char *s, int len)
{
	struct reader *r = arg;

	if (r->problem)
		return;
	if (len > 0)
		buf_append(&r->text, s, (size_t)len);
	if (!buf_ok(&r->text))
		refuse(r, "an element with too long a text");
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name,
			       const XML_Char *system, const XML_Char *public,
			       int has_internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_internal;
	refuse(arg, "a document type declaration");
}

/* Servers keep a connection alive with blanks before the document. */
static void skip_blanks(const char **p, size_t *len)
{
	while (*len && strchr(" \t\r\n", **p) && **p) {
		(*p)++;
		(*len)--;
	}
}

enum rc s3_xml_read(const void *data, size_t len, const struct s3_xml_ops *ops,
		    void *arg, struct err *err)
{
	struct reader r = { .base.arg = arg, .ops = ops };
	const char *p = data;
	bool ok;

	if (len > S3_XML_MAX)
		return err_set(err, RC_CORRUPT, "XML of %zu bytes, at most %u",
			       len, S3_XML_MAX);
	skip_blanks(&p, &len);
	r.parser = XML_ParserCreate("UTF-8");
	if (!r.parser)
		return err_set(err, RC_NOMEM, "no memory to read XML");
	buf_init(&r.text, TEXT_MAX);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	ok = XML_Parse(r.parser, p, (int)len, XML_TRUE) == XML_STATUS_OK &&
	     !r.problem;
	if (!ok)
		err_set(err, RC_CORRUPT, "XML: %s",
			r.problem
				? r.problem
				: XML_ErrorString(XML_GetErrorCode(r.parser)));
	XML_ParserFree(r.parser);
	buf_release(&r.text);
	return ok ? RC_OK : err->rc;
}

static bool error_root(struct s3_xml_reader *r, const char *name)
{
	(void)r;
	return !strcmp(name, "Error");
}

/* As much as there is room for, in whole characters; what would move a
 * terminal's cursor becomes '?'.
 */
static void copy_shown(char *ret, size_t size, const char *text)
{
	size_t left = strlen(text), at = 0;

	while (left) {
		uint32_t c = 0;
		size_t n = utf8_decode(text, left, &c);

		if (at + (n ? n : 1) >= size)
			break;
		if (!n || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			ret[at++] = '?';
			n = n ? n : 1;
		} else {
			memcpy(ret + at, text, n);
			at += n;
		}
		text += n;
		left -= n;
	}
	ret[at] = '\0';
}

static bool error_close(struct s3_xml_reader *r, const char *name,
			const char *text)
{
	struct s3_error *e = r->arg;

	if (r->depth != 2)
		return true;
	if (!strcmp(name, "Code"))
		copy_shown(e->code, sizeof(e->code), text);
	else if (!strcmp(name, "Message"))
		copy_shown(e->message, sizeof(e->message), text);
	else if (!strcmp(name, "Region"))
		copy_shown(e->region, sizeof(e->region), text);
	return true;
}

bool s3_xml_error(const void *p, size_t len, struct s3_error *ret)
{
	static const struct s3_xml_ops ops = { error_root, NULL, error_close };
	struct s3_error e = { 0 };
	struct err err;

	if (s3_xml_read(p, len, &ops, &e, &err))
		return false;
	*ret = e;
	return true;
}

struct wanted {
	const char *root, *element;
	char *text; /* NULL: not found yet */
};

static bool text_root(struct s3_xml_reader *r, const char *name)
{
	const struct wanted *w = r->arg;

	return !strcmp(name, w->root);
}

static bool text_close(struct s3_xml_reader *r, const char *name,
		       const char *text)
{
	struct wanted *w = r->arg;

	if (r->depth != 2 || strcmp(name, w->element) != 0)
		return true;
	if (w->text)
		return false;
	w->text = xstrdup(text);
	return true;
}

enum rc s3_xml_text(const void *p, size_t len, const char *root,
		    const char *element, char *ret, size_t size,
		    struct err *err)
{
	static const struct s3_xml_ops ops = { text_root, NULL, text_close };
	struct wanted w = { .root = root, .element = element };
	CLEANUP_FREE char *text = NULL;
	enum rc rc = s3_xml_read(p, len, &ops, &w, err);

	text = w.text;
	if (rc)
		return rc;
	if (!text || !*text || strlen(text) >= size)
		return err_set(err, RC_CORRUPT, "XML: %s without a valid %s",
			       root, element);
	memcpy(ret, text, strlen(text) + 1);
	return RC_OK;
}

void s3_xml_escape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': buf_append_str(out, "&amp;"); break;
		case '<': buf_append_str(out, "&lt;"); break;
		case '>': buf_append_str(out, "&gt;"); break;
		case '"': buf_append_str(out, "&quot;"); break;
		default:
			buf_append(out,
				   (unsigned char)*text < 0x20 ? "?" : text, 1);
		}
	}
}
