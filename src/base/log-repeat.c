/* SPDX-License-Identifier: Apache-2.0 */
/* log-repeat.c - which log messages were seen just now. */
#include "config.h"

#include "base/log-repeat.h"

#include <stdio.h>

#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

uint64_t log_repeat_key(const char *place, const char *text)
{
	uint64_t h = FNV_START ^ (uint64_t)(uintptr_t)place;

	h *= FNV_PRIME;
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * FNV_PRIME;
	return h ? h : 1;
}

static struct log_repeat_slot *find(struct log_repeat *r, uint64_t key)
{
	for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
		if (r->slots[i].key == key)
			return &r->slots[i];
	}
	return NULL;
}

/* A free slot, or the oldest that holds nothing back, or NULL. */
static struct log_repeat_slot *make_room(struct log_repeat *r)
{
	struct log_repeat_slot *oldest = NULL;

	for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
		struct log_repeat_slot *s = &r->slots[i];

		if (!s->key)
			return s;
		if (!s->n_held && (!oldest || s->since < oldest->since))
			oldest = s;
	}
	return oldest;
}

bool log_repeat_pass(struct log_repeat *r, uint64_t key, uint64_t now,
		     int level, const char *text, uint64_t *ret_more)
{
	struct log_repeat_slot *s = find(r, key);

	*ret_more = 0;
	if (s && now - s->since < LOG_REPEAT_NS) {
		s->n_held++;
		return false;
	}
	if (s) {
		*ret_more = s->n_held;
	} else {
		s = make_room(r);
		/* All slots count something: rather too much than too little.
		 */
		if (!s)
			return true;
	}
	s->key = key;
	s->since = now;
	s->n_held = 0;
	s->level = level;
	snprintf(s->text, sizeof(s->text), "%s", text);
	return true;
}

bool log_repeat_take(struct log_repeat *r, uint64_t now, bool all,
		     struct log_repeat_slot *ret)
{
	for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
		struct log_repeat_slot *s = &r->slots[i];

		if (!s->n_held || (!all && now - s->since < LOG_REPEAT_NS))
			continue;
		*ret = *s;
		*s = (struct log_repeat_slot){ 0 };
		return true;
	}
	return false;
}
