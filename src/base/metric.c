/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - numbers as Prometheus reads them. */
#include "config.h"

#include "base/metric.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void metric_head(struct buf *out, const char *name, const char *type,
		 const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_escaped(struct buf *out, const char *p)
{
	size_t left = strlen(p);

	while (left) {
		uint32_t c;
		size_t n = utf8_decode(p, left, &c);

		if (!n)
			buf_append_str(out, "\xef\xbf\xbd");
		else if (*p == '\\' || *p == '"')
			buf_printf(out, "\\%c", *p);
		else if (*p == '\n')
			buf_append_str(out, "\\n");
		else
			buf_append(out, p, n);
		n += !n;
		p += n;
		left -= n;
	}
}

void metric_label(struct buf *labels, const char *name, const char *value)
{
	buf_printf(labels, "%s%s=\"", labels->len ? "," : "", name);
	append_escaped(labels, value);
	buf_append_str(labels, "\"");
}

static void begin(struct buf *out, const char *name, const char *labels)
{
	if (*labels)
		buf_printf(out, "%s{%s} ", name, labels);
	else
		buf_printf(out, "%s ", name);
}

void metric_uint(struct buf *out, const char *name, const char *labels,
		 uint64_t value)
{
	begin(out, name, labels);
	buf_printf(out, "%" PRIu64 "\n", value);
}

void metric_double(struct buf *out, const char *name, const char *labels,
		   double value)
{
	begin(out, name, labels);
	buf_printf(out, "%.15g\n", value);
}

void metric_histogram(struct buf *out, const char *name, const char *labels,
		      const double *bounds, const uint64_t *counts,
		      size_t n_bounds, double sum)
{
	const char *comma = *labels ? "," : "";
	uint64_t n = 0;

	for (size_t i = 0; i < n_bounds; i++) {
		n += counts[i];
		buf_printf(out, "%s_bucket{%s%sle=\"%.9g\"} %" PRIu64 "\n",
			   name, labels, comma, bounds[i], n);
	}
	n += counts[n_bounds];
	buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name,
		   labels, comma, n);
	buf_printf(out, "%s_sum", name);
	begin(out, "", labels);
	buf_printf(out, "%.15g\n%s_count", sum, name);
	begin(out, "", labels);
	buf_printf(out, "%" PRIu64 "\n", n);
}
