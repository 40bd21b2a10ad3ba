/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - what an archive must show. */
#include "config.h"

#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

void model_release(struct model *m)
{
	free(m->versions);
	free(m->erasures);
	*m = (struct model){ 0 };
}

void model_pack(struct model *m, const struct model_version *v)
{
	struct model_version *new;

	m->versions =
		mem_grow(m->versions, &m->cap, m->n + 1, sizeof(*m->versions));
	new = &m->versions[m->n++];
	*new = *v;
	new->may_return = v->created_at <= model_until(m, v->uid);
	new->may_go = !v->is_allowed &&model_is_erased(m, v->uid, false);
}

void model_erase(struct model *m, const struct model_erasure *e)
{
	m->erasures = mem_grow(m->erasures, &m->cap_erasures, m->n_erasures + 1,
			       sizeof(*m->erasures));
	m->erasures[m->n_erasures] = *e;
	m->erasures[m->n_erasures++].withdrawn = MODEL_NEVER;
}

void model_doubt(struct model *m, const char *uid)
{
	for (size_t i = 0; i < m->n_erasures; i++) {
		if (!strcmp(m->erasures[i].uid, uid))
			m->erasures[i].acked = MODEL_NEVER;
	}
}

bool model_has_doubt(const struct model *m)
{
	for (size_t i = 0; i < m->n_erasures; i++) {
		if (m->erasures[i].acked == MODEL_NEVER)
			return true;
	}
	return false;
}

void model_withdraw(struct model *m, const char *uid, int64_t acked)
{
	struct model_erasure *only = NULL;

	for (size_t i = 0; i < m->n_erasures; i++) {
		struct model_erasure *e = &m->erasures[i];

		if (strcmp(e->uid, uid) != 0)
			continue;
		/* Of several, some may be done, and what they named gone. */
		if (only) {
			model_doubt(m, uid);
			return;
		}
		only = e;
	}
	if (only && only->acked != MODEL_NEVER)
		only->withdrawn = acked;
}

static bool covers(const struct model_erasure *e, const struct model_version *v)
{
	if (strcmp(e->uid, v->uid) != 0)
		return false;
	return e->is_until ? v->created_at <= e->time
			   : v->created_at == e->time;
}

enum model_answer model_ask(const struct model *m,
			    const struct model_version *v, int64_t since)
{
	enum model_answer ret =
		v->acked > since || v->may_go ? MODEL_EITHER : MODEL_SHOWN;

	for (size_t i = 0; i < m->n_erasures; i++) {
		const struct model_erasure *e = &m->erasures[i];

		if (!covers(e, v))
			continue;
		if (e->withdrawn == MODEL_NEVER && e->acked <= since &&
		    !v->may_return)
			return MODEL_HIDDEN;
		if (e->withdrawn > since)
			ret = MODEL_EITHER;
	}
	return ret;
}

const struct model_version *model_find(const struct model *m, const char *uid,
				       size_t uid_len, int64_t created_at)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *v = &m->versions[i];

		if (v->created_at == created_at && strlen(v->uid) == uid_len &&
		    !memcmp(v->uid, uid, uid_len))
			return v;
	}
	return NULL;
}

/* One that surely was asked for, and not taken back, takes it. */
static bool is_surely_covered(const struct model *m,
			      const struct model_version *v)
{
	for (size_t i = 0; i < m->n_erasures; i++) {
		const struct model_erasure *e = &m->erasures[i];

		if (covers(e, v) && e->acked != MODEL_NEVER &&
		    e->withdrawn == MODEL_NEVER)
			return true;
	}
	return false;
}

bool model_is_gone(const struct model *m, const char *uid)
{
	bool is_known = false;

	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *v = &m->versions[i];

		if (strcmp(v->uid, uid) != 0)
			continue;
		if (model_ask(m, v, MODEL_ALWAYS) != MODEL_HIDDEN &&
		    (!v->may_return || v->is_allowed ||
		     !is_surely_covered(m, v)))
			return false;
		is_known = true;
	}
	return is_known;
}

int64_t model_latest(const struct model *m, const char *uid)
{
	int64_t ret = INT64_MIN;

	for (size_t i = 0; i < m->n; i++) {
		const struct model_version *v = &m->versions[i];

		if (v->created_at > ret && !strcmp(v->uid, uid))
			ret = v->created_at;
	}
	return ret;
}

int64_t model_until(const struct model *m, const char *uid)
{
	int64_t ret = INT64_MIN;

	for (size_t i = 0; i < m->n_erasures; i++) {
		const struct model_erasure *e = &m->erasures[i];

		if (e->is_until && e->time > ret &&
		    e->withdrawn == MODEL_NEVER && !strcmp(e->uid, uid))
			ret = e->time;
	}
	return ret;
}

bool model_is_erased(const struct model *m, const char *uid, bool surely)
{
	for (size_t i = 0; i < m->n_erasures; i++) {
		const struct model_erasure *e = &m->erasures[i];

		if (e->is_until && !strcmp(e->uid, uid) &&
		    (!surely ||
		     (e->acked != MODEL_NEVER && e->withdrawn == MODEL_NEVER)))
			return true;
	}
	return false;
}

void model_bytes(const struct model_version *v, uint8_t *ret)
{
	uint64_t state = v->seed;

	/* Noise first, then what shrinks. */
	for (uint32_t i = 0; i < v->size && i < MODEL_MARK_LEN; i++)
		ret[i] = (uint8_t)(random_next(&state) >> 32);
	for (uint32_t n = MODEL_MARK_LEN; n < v->size; n *= 2)
		memcpy(ret + n, ret, v->size - n < n ? v->size - n : n);
}
