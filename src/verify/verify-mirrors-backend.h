/* SPDX-License-Identifier: Apache-2.0 */
/* verify-mirrors-backend.h - the stores of zones being compared; private to
 * verify-mirrors*.c.
 */
#ifndef DESFS_VERIFY_VERIFY_MIRRORS_BACKEND_H
#define DESFS_VERIFY_VERIFY_MIRRORS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/verify-backend.h"
#include "verify/verify-copies.h"
#include "verify/verify-excuse.h"
#include "verify/verify-keys.h"

struct mirrors {
	struct verify_run *r;
	struct verify_place *places;
	size_t n, cap;
	bool *is_told; /* by place: that it is away */
	/* What comes next: the descriptor, what is listed, documents. */
	bool has_begun;
	struct verify_keys *keys;
	size_t at; /* in prefixes, of the next keys */
	size_t document;
	struct verify_excuse *excuse;
	struct workers *workers; /* NULL: the caller's thread */
	struct verify_copies *ring;
	size_t n_ring;
	uint64_t begun, told;
	bool is_over;
};

/* verify-mirrors-tell.c: what copies that were read lack or have otherwise. */
void verify_mirrors_tell(struct mirrors *m, const struct verify_copies *c);
/* A place that could not be read: once, when it is left alone from then on. */
void verify_mirrors_unread(struct mirrors *m, const char *key, size_t i,
			   const struct err *err);

#endif
