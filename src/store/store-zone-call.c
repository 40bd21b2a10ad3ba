/* SPDX-License-Identifier: Apache-2.0 */
/* store-zone-call.c - one call after the other until a mirror answers. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "store/store-zone-backend.h"

/* What the mirrors of one call had to say, for when none of them answers. */
struct answers {
	const char *key;
	unsigned int n_down, n_denied, n_damaged, n_missing;
	enum rc damage; /* of the first one that is damaged */
	struct buf text;
};

#define ANSWERS_TEXT_MAX (ERR_MSG_MAX - 1)

/* Messages of stores begin with the key, which is told once. */
static const char *without_key(const char *msg, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(msg, key, len) && !strncmp(msg + len, ": ", 2)
		       ? msg + len + 2
		       : msg;
}

static void add_text(struct answers *a, const struct mirror *m,
		     const char *text)
{
	/* What does not fit into a message is not told. */
	if (a->text.len + strlen(text) + CONF_ZONE_NAME_MAX + 8 >
	    ANSWERS_TEXT_MAX)
		return;
	buf_printf(&a->text, "%s%s: %s", a->text.len ? "; " : "",
		   m->place->conf->name, text);
}

static void add_answer(struct answers *a, const struct mirror *m,
		       enum zone_verdict verdict, const struct err *err)
{
	if (verdict == ZONE_DOWN) {
		a->n_down++;
		a->n_denied += err->rc == RC_ACCESS;
	} else if (err->rc == RC_NOENT) {
		a->n_missing++;
	} else if (!a->n_damaged++) {
		a->damage = err->rc;
	}
	add_text(a, m, without_key(err->msg, a->key));
}

static void add_skipped(struct answers *a, struct mirror *m, uint64_t now)
{
	struct zone_health_view view;
	char text[80];

	zone_health_look(&m->health, now, &view);
	if (view.wait_ns)
		snprintf(text, sizeof(text), "left alone for %.1f s more",
			 (double)view.wait_ns / CLOCK_NS_PER_SEC);
	else
		snprintf(text, sizeof(text), "being tried by another call");
	a->n_down++;
	add_text(a, m, text);
}

static enum rc none_answered(struct answers *a, const struct zone_route *route,
			     struct err *err)
{
	const char *text = buf_str(&a->text);

	if (a->n_down)
		return err_set(err,
			       a->n_denied == a->n_down ? RC_ACCESS : RC_IO,
			       "%s: no store of %s answers: %s", a->key,
			       route->name, text);
	if (a->n_damaged)
		return err_set(err, a->damage,
			       "%s: no store of %s has it whole: %s", a->key,
			       route->name, text);
	return err_set(err, RC_NOENT, "%s: no store of %s has it: %s", a->key,
		       route->name, text);
}

enum rc zone_mirror_open(struct mirror *m, struct store **ret, struct err *err)
{
	_Atomic(struct store *) *slot = &m->place->st[m->way];
	struct store *none = NULL, *st = atomic_load(slot);

	if (!st) {
		if (store_open(&st, m->place->conf->url, &m->place->set[m->way],
			       err))
			return err->rc;
		/* Two may open it; one of them was first. */
		if (!atomic_compare_exchange_strong(slot, &none, st)) {
			store_close(st);
			st = none;
		}
	}
	*ret = st;
	return RC_OK;
}

/* Wait until the zone may be asked once more. */
static enum rc take_token(struct mirror *m, uint64_t deadline, struct err *err)
{
	struct zone *zone = m->zone;
	uint64_t now = clock_mono_ns(), wait = 0, end;
	bool is_taken;

	pthread_mutex_lock(&zone->lock);
	is_taken = token_bucket_take(
		&zone->bucket, now, deadline > now ? deadline - now : 0, &wait);
	pthread_mutex_unlock(&zone->lock);
	if (!is_taken)
		return err_set(err, RC_TIMEOUT,
			       "zone %s: more requests than its rate of %u a "
			       "second lets through in time",
			       zone->conf->name, zone->conf->limits.rate);
	end = now + wait;
	while (wait && now < end) {
		if (stop_sleep(end - now))
			return err_set(err, RC_STOPPED,
				       "zone %s: stopped while waiting for its "
				       "turn",
				       zone->conf->name);
		now = clock_mono_ns();
	}
	return RC_OK;
}

/* What changed is told to whoever runs the program. */
static void log_change(struct mirror *m, enum breaker_pass pass,
		       const struct err *err)
{
	struct zone_health_view view;

	zone_health_look(&m->health, clock_mono_ns(), &view);
	if (view.state == BREAKER_OPEN && pass == BREAKER_CALL)
		log_warn("zone %s: store %s is left alone for a while: %s",
			 m->zone->conf->name, m->place->conf->name, err->msg);
	if (view.state == BREAKER_CLOSED && pass == BREAKER_PROBE)
		log_info("zone %s: store %s is used again", m->zone->conf->name,
			 m->place->conf->name);
}

void zone_mirror_failed(struct mirror *m, const struct err *err)
{
	struct zone_call call = { .began = clock_mono_ns() };

	call.pass = zone_health_enter(&m->health, call.began);
	if (call.pass == BREAKER_NO)
		return;
	/* Once is enough: nobody waits for it now. */
	zone_health_leave(&m->health, &call, RC_TIMEOUT, call.began);
	log_change(m, call.pass, err);
}

static enum rc call_open(struct mirror *m, zone_call_fn *fn, void *arg,
			 struct err *err)
{
	struct store *st = NULL;
	enum rc rc = zone_mirror_open(m, &st, err);

	/* A place that is gone is a store that is down. */
	if (rc == RC_NOENT || rc == RC_NOTDIR)
		err->rc = RC_IO;
	return rc ? err->rc : fn(arg, m->place, st, err);
}

/* One call that the breaker let through.  Waiting for a token says nothing of
 * the store.
 */
static enum zone_verdict call_one(struct mirror *m, struct zone_call *call,
				  uint64_t deadline, zone_call_fn *fn,
				  void *arg, enum rc *ret, struct err *err)
{
	enum zone_verdict verdict;

	*ret = take_token(m, deadline, err);
	call->began = clock_mono_ns();
	if (*ret)
		return zone_health_leave(&m->health, call, RC_STOPPED,
					 call->began);
	*ret = call_open(m, fn, arg, err);
	verdict = zone_health_leave(&m->health, call, *ret, clock_mono_ns());
	if (call->pass == BREAKER_PROBE || verdict == ZONE_DOWN)
		log_change(m, call->pass, err);
	return verdict;
}

static enum rc try_in_order(const struct zone_route *route, uint64_t deadline,
			    zone_call_fn *fn, void *arg, struct answers *a,
			    struct err *err)
{
	for (size_t i = 0; i < route->n; i++) {
		struct mirror *m = route->mirrors[i];
		struct zone_call call = { .is_instead = i > 0 };
		uint64_t now = clock_mono_ns();
		enum zone_verdict verdict;
		enum rc rc;

		if (i > 0 && now >= deadline)
			return err_set(err, RC_IO,
				       "%s: no store of %s answers in time: %s",
				       a->key, route->name, buf_str(&a->text));
		call.pass = zone_health_enter(&m->health, now);
		if (call.pass == BREAKER_NO) {
			add_skipped(a, m, now);
			continue;
		}
		verdict = call_one(m, &call, deadline, fn, arg, &rc, err);
		if (verdict == ZONE_ANSWERED || verdict == ZONE_OURS)
			return rc;
		add_answer(a, m, verdict, err);
	}
	return none_answered(a, route, err);
}

enum rc zone_call(struct zone_store *zs, const struct zone_route *route,
		  const char *key, zone_call_fn *fn, void *arg, struct err *err)
{
	struct answers a = { .key = key };
	enum rc rc;

	buf_init(&a.text, ANSWERS_TEXT_MAX + 1);
	rc = try_in_order(route, clock_mono_ns() + zs->deadline_ns, fn, arg, &a,
			  err);
	buf_release(&a.text);
	return rc;
}
