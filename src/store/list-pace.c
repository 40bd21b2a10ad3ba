/* SPDX-License-Identifier: Apache-2.0 */
/* list-pace.c - how long a list of many pages may take. */
#include "config.h"

#include "store/list-pace.h"

#include "base/clock.h"

void list_pace_begin(struct list_pace *p, uint64_t timeout_ms)
{
	*p = (struct list_pace){ .allowed = timeout_ms * CLOCK_NS_PER_MS };
}

enum rc list_pace_page(struct list_pace *p, uint64_t ns, size_t n,
		       struct err *err)
{
	p->allowed += n * LIST_PACE_KEY_NS;
	p->spent += ns;
	if (p->spent <= p->allowed)
		return RC_OK;
	return err_set(err, RC_TIMEOUT,
		       "the server's list did not end in %llu s, which is too "
		       "slow for what it brought",
		       (unsigned long long)(p->spent / CLOCK_NS_PER_SEC));
}
