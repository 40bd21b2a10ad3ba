/* SPDX-License-Identifier: Apache-2.0 */
/* oplog.c - the log: the records read so far and what they mean. */
#include "config.h"

#include "volume/oplog.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "volume/oplog-backend.h"
#include "volume/oplog-state.h"

struct oplog *oplog_new(void)
{
	struct oplog *log = xcalloc(1, sizeof(*log));

	log->state = oplog_state_new(NULL, 0);
	return log;
}

void oplog_free(struct oplog *log)
{
	if (!log)
		return;
	oplog_state_free(log->state);
	for (size_t i = 0; i < log->n_records; i++) {
		oplog_record_release(log->records[i]);
		free(log->records[i]);
	}
	free(log->records);
	for (size_t i = 0; i < log->n_checkpoints; i++)
		oplog_checkpoint_release(&log->checkpoints[i]);
	free(log->checkpoints);
	oplog_deleted_release(&log->deleted);
	oplog_documents_release(&log->documents);
	free(log->written.name);
	free(log);
}

void oplog_expect(struct oplog *log, const uint8_t archive_id[SHARD_ID_LEN])
{
	memcpy(log->archive_id, archive_id, SHARD_ID_LEN);
	log->has_id = true;
}

void oplog_trust(struct oplog *log)
{
	log->is_unproved = false;
}

void oplog_keep_receipts(struct oplog *log)
{
	log->keeps_receipts = true;
}

void oplog_want_all(struct oplog *log)
{
	log->wants_all = true;
}

size_t oplog_count(const struct oplog *log)
{
	return oplog_state_n_counting(log->state);
}

const struct shard_meta *oplog_shard(const struct oplog *log, size_t i)
{
	return oplog_state_counting(log->state, i);
}

size_t oplog_n_records(const struct oplog *log)
{
	return log->n_records;
}

const struct oplog_record *oplog_record_at(const struct oplog *log, size_t i)
{
	return log->records[i];
}

const struct oplog_state *oplog_state(const struct oplog *log)
{
	return log->state;
}

const struct tombstone_set *oplog_deleted(const struct oplog *log)
{
	return log->deleted.set;
}

bool oplog_is_of_the_future(int64_t time)
{
	return time > clock_wall_us() + CLOCK_SKEW_US;
}

void oplog_newest(const struct oplog *log, struct oplog_prev *ret)
{
	const struct oplog_record *r;
	size_t i = log->n_records;

	*ret = (struct oplog_prev){ .name = NULL };
	while (i && oplog_is_of_the_future(log->records[i - 1]->time))
		i--;
	if (!i)
		return;
	r = log->records[i - 1];
	ret->name = r->name;
	memcpy(ret->sha256, r->sha256, SHA256_LEN);
}

bool oplog_has_record(const struct oplog *log, const char *name)
{
	return oplog_index(log, name) < log->n_records;
}

size_t oplog_n_checkpoints(const struct oplog *log)
{
	return log->n_checkpoints;
}

const char *oplog_checkpoint_name(const struct oplog *log, size_t i)
{
	return log->checkpoints[i].name;
}

bool oplog_checkpoint_has(const struct oplog *log, size_t i, const char *name)
{
	return oplog_names_has(&log->checkpoints[i].records, name);
}

bool oplog_checkpoint_find(const struct oplog *log, const char *name,
			   struct oplog_checkpoint_view *ret)
{
	for (size_t i = 0; i < log->n_checkpoints; i++) {
		const struct oplog_checkpoint *c = &log->checkpoints[i];

		if (strcmp(c->name, name) != 0)
			continue;
		*ret = (struct oplog_checkpoint_view){
			.sha256 = c->sha256,
			.records = (const char *const *)c->records.p,
			.n_records = c->records.n,
			.named = (const uint8_t(*)[SHARD_ROOT_LEN])c->named,
			.n_named = c->n_named,
		};
		return true;
	}
	return false;
}
