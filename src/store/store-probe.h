/* SPDX-License-Identifier: Apache-2.0 */
/* store-probe.h - whether a store can be used, step by step; for tools.
 *
 * Steps that make no sense for a kind of store are left out, and so are those
 * that cannot work after one that failed.
 */
#ifndef DESFS_STORE_STORE_PROBE_H
#define DESFS_STORE_STORE_PROBE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"

struct store_settings;

/* A note is no failure, but worth to be known. */
enum probe_found { PROBE_OK, PROBE_NOTE, PROBE_FAILED };

/* step: "server", "clock", "credentials", "open", "list", "read", "range" or
 * "write"; where it takes more to write also "create-only", "copy",
 * "multipart", "uploads", "versions" and "remove".  text says what was found,
 * or what is wrong and what to do.  No text has a secret.
 */
typedef void store_probe_fn(void *arg, const char *step, enum probe_found found,
			    const char *text);

/* Whether an archive is there that has no desfs.json; what legacy_store_exists
 * of the room above tells.
 */
struct store;
typedef enum rc store_probe_older_fn(struct store *st, bool *ret,
				     struct err *err);

/* Prove that the server answers, that its clock agrees with ours, that there
 * are credentials, that log/ can be listed and desfs.json be read, by parts
 * too, or that older says yes; with try_write also what store_try_write does,
 * and then an archive need not be there yet.  Returns the first failure.
 */
enum rc store_probe(const char *url, const struct store_settings *set,
		    bool try_write, store_probe_older_fn *older,
		    store_probe_fn *fn, void *arg) MUST_CHECK;

#endif
