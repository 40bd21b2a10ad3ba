/* SPDX-License-Identifier: Apache-2.0 */
/* verify-excuse.h - why one of several stores may lack an object that others
 * have.
 *
 * What is put into the stores of zones is there in the first ones before it is
 * in the last, and what is removed goes from the first ones before; so a run
 * that has died, or is at work, leaves it in some.  All that takes requests is
 * asked when something is missing first.  For one thread.
 */
#ifndef DESFS_VERIFY_VERIFY_EXCUSE_H
#define DESFS_VERIFY_VERIFY_EXCUSE_H

#include <stddef.h>

#include "base/compiler.h"
#include "verify/verify-keys.h"

struct verify_run;
struct verify_excuse;

/* Both are borrowed. */
struct verify_excuse *verify_excuse_new(struct verify_run *r,
					struct verify_place *places,
					size_t n) MUST_CHECK;
void verify_excuse_free(struct verify_excuse *x); /* takes NULL */

/* Of an object that places[lacks] has not and places[has] has.  NULL: it is
 * lost there; "": nobody needs it; else what is to be noted.
 */
const char *verify_excuse_of(struct verify_excuse *x, const char *key,
			     size_t lacks, size_t has) MUST_CHECK;

#endif
