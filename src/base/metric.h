/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - numbers as Prometheus reads them: its text format, version 0.0.4.
 *
 * For each metric metric_head first, then a line a value.  Values are in
 * seconds and bytes; counters end in _total.  labels is what goes between the
 * braces, "" for none: names, and values that metric_label has escaped.
 */
#ifndef DESFS_BASE_METRIC_H
#define DESFS_BASE_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* type: counter, gauge, histogram; help without special characters. */
void metric_head(struct buf *out, const char *name, const char *type,
		 const char *help);

/* Append name="value", after a comma if labels has some already.  What is not
 * UTF-8 becomes U+FFFD.
 */
void metric_label(struct buf *labels, const char *name, const char *value);

void metric_uint(struct buf *out, const char *name, const char *labels,
		 uint64_t value);
void metric_double(struct buf *out, const char *name, const char *labels,
		   double value);

/* The lines of a histogram.  counts has one number more than bounds, which
 * ascend: how often the value was at most that bound but more than the one
 * before.
 */
void metric_histogram(struct buf *out, const char *name, const char *labels,
		      const double *bounds, const uint64_t *counts,
		      size_t n_bounds, double sum);

#endif
