/* SPDX-License-Identifier: Apache-2.0 */
/* unique.c - random bytes and names that nobody else makes or can guess. */
#include "config.h"

#include "base/unique.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "base/hex.h"

enum rc unique_bytes(void *ret, size_t n, struct err *err)
{
	assert(n <= UNIQUE_MAX);
	if (getrandom(ret, n, 0) != (ssize_t)n)
		return err_set_errno(err, errno, "random number");
	return RC_OK;
}

enum rc unique_text(char *ret, size_t n, struct err *err)
{
	uint8_t b[UNIQUE_MAX];

	if (unique_bytes(b, n, err))
		return err->rc;
	hex_encode(b, n, ret);
	return RC_OK;
}
