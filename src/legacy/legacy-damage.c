/* SPDX-License-Identifier: Apache-2.0 */
/* legacy-damage.c - what of an older archive could not be read. */
#include "config.h"

#include "legacy/legacy-damage.h"

#include <stdlib.h>

#include "base/mem.h"

bool legacy_is_damage(enum rc rc)
{
	return rc == RC_CORRUPT || rc == RC_UNSUPPORTED || rc == RC_LIMIT;
}

void legacy_damage_release(struct legacy_damage *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->texts[i]);
	free(d->texts);
	*d = (struct legacy_damage){ .texts = NULL };
}

void legacy_damage_add(struct legacy_damage *d, const char *text)
{
	d->n_all++;
	if (d->n == LEGACY_DAMAGE_MAX)
		return;
	d->texts = mem_grow(d->texts, &d->cap, d->n + 1, sizeof(*d->texts));
	d->texts[d->n++] = xstrdup(text);
}
