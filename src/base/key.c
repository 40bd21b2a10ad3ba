/* SPDX-License-Identifier: Apache-2.0 */
/* key.c - object keys: parts with '/' between them. */
#include "config.h"

#include "base/key.h"

#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"

static bool part_is_valid(const char *p, size_t len)
{
	if (!len || len > KEY_PART_MAX || (len == 1 && p[0] == '.') ||
	    (len == 2 && p[0] == '.' && p[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

bool key_is_valid(const char *key)
{
	if (strnlen(key, KEY_MAX + 1) > KEY_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(key, "/");

		if (!part_is_valid(key, len))
			return false;
		if (!key[len])
			return true;
		key += len + 1;
	}
}

char *key_join(const char *dir, const char *name)
{
	return xasprintf("%s%s%s", dir, *dir && *name ? "/" : "", name);
}

size_t key_split(const char *key, const char **ret_name)
{
	const char *slash = strrchr(key, '/');

	*ret_name = slash ? slash + 1 : key;
	return slash ? (size_t)(slash - key) : 0;
}

uint64_t key_hash(const char *key)
{
	static const uint8_t none[SIPHASH_KEY_LEN];
	struct siphash h;

	siphash_init(&h, none);
	siphash_update(&h, key, strlen(key));
	return siphash_final(&h);
}
