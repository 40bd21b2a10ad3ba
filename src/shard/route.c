/* SPDX-License-Identifier: Apache-2.0 */
/* route.c - the routing of format 3, and that of format 2 with its quirks. */
#include "config.h"

#include "shard/route.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <zlib.h>

#include "base/timestamp.h"
#include "shard/route-digits.h"

/* CPython's limit on the length of numbers, which the original runs into. */
#define V2_DIGITS_MAX 4300

/* How the original sees the characters of a uid. */
enum digit_kind { DIGIT_DECIMAL, DIGIT_OTHER, DIGIT_NONE };

size_t route_parent_len(const char *uid, size_t len)
{
	while (len > 0 && uid[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

static uint32_t slot_mask(unsigned int n_bits)
{
	return (UINT32_C(1) << n_bits) - 1;
}

static uint32_t crc(const char *p, size_t len)
{
	return len ? (uint32_t)crc32_z(0, (const uint8_t *)p, len) : 0;
}

/* The value mod 2^32 of a text of ASCII digits; false for any other. */
static bool ascii_number(const char *p, size_t len, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(p[i] - '0');
	}
	*ret = v;
	return len > 0;
}

uint32_t route_slot(enum route_kind kind, unsigned int n_bits, const char *uid,
		    size_t len)
{
	uint32_t v;

	assert(n_bits >= ROUTE_BITS_MIN && n_bits <= ROUTE_BITS_MAX);
	if (kind == ROUTE_PARENT)
		len = route_parent_len(uid, len);
	if (!ascii_number(uid, len, &v))
		v = crc(uid, len);
	return v & slot_mask(n_bits);
}

/* The slot in upper-case hex, with at least width digits. */
static void put_hex(uint32_t slot, unsigned int width, char out[8])
{
	unsigned int n = width;

	while (n < 7 && slot >> 4 * n)
		n++;
	out[n] = '\0';
	for (; n-- > 0; slot >>= 4)
		out[n] = "0123456789ABCDEF"[slot & 15];
}

/* One character of strict UTF-8 (RFC 3629); 0 bytes when there is none. */
static size_t utf8_next(const uint8_t *p, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

static enum digit_kind digit_kind(uint32_t c, uint32_t *ret_value)
{
	for (size_t i = 0; i < ARRAY_LEN(route_decimal_zeros); i++) {
		uint32_t zero = route_decimal_zeros[i];

		if (c >= zero && c <= zero + 9) {
			*ret_value = c - zero;
			return DIGIT_DECIMAL;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(route_other_digits); i++) {
		if (c >= route_other_digits[i].first &&
		    c <= route_other_digits[i].last)
			return DIGIT_OTHER;
	}
	return DIGIT_NONE;
}

static enum rc v2_slot(unsigned int n_bits, const char *uid, size_t len,
		       uint32_t *ret, struct err *err)
{
	bool is_number = len > 0;
	bool has_other = false;
	uint32_t v = 0;
	size_t n_chars = 0;

	for (size_t n, off = 0; off < len; off += n, n_chars++) {
		uint32_t c = 0;
		uint32_t digit = 0;
		enum digit_kind kind = DIGIT_NONE;

		n = utf8_next((const uint8_t *)uid + off, len - off, &c);
		if (!n)
			return err_set(err, RC_USAGE,
				       "uid is not UTF-8 at byte %zu", off);
		if (is_number)
			kind = digit_kind(c, &digit);
		is_number = is_number && kind != DIGIT_NONE;
		has_other = has_other || kind == DIGIT_OTHER;
		v = v * 10 + digit;
	}
	if (is_number && has_other)
		return err_set(err, RC_USAGE,
			       "uid has digits that are no decimals");
	if (is_number && n_chars > V2_DIGITS_MAX)
		return err_set(err, RC_USAGE,
			       "uid is a number of %zu digits, not at most %d",
			       n_chars, V2_DIGITS_MAX);
	*ret = (is_number ? v : crc(uid, len)) & slot_mask(n_bits);
	return RC_OK;
}

static enum rc locate_v2(enum route_kind kind, unsigned int n_bits,
			 const char *uid, size_t len,
			 const struct timestamp *created_at, struct route *r,
			 struct err *err)
{
	enum rc rc;

	if (kind != ROUTE_UID)
		return err_set(err, RC_USAGE, "format 2 has only route uid");
	rc = v2_slot(n_bits, uid, len, &r->slot, err);
	if (rc)
		return rc;
	snprintf(r->day, sizeof(r->day), "%d%02d%02d", created_at->wall_year,
		 created_at->wall_month, created_at->wall_day);
	put_hex(r->slot, n_bits / 4, r->hex);
	snprintf(r->key, sizeof(r->key), "%s/%s.des", r->day, r->hex);
	return RC_OK;
}

static enum rc locate_v3(enum route_kind kind, unsigned int n_bits,
			 const char *uid, size_t len,
			 const struct timestamp *created_at, struct route *r,
			 struct err *err)
{
	if (!timestamp_is_valid(created_at->us))
		return err_set(err, RC_USAGE,
			       "time is not in the years 0001 to 9999");
	timestamp_day(created_at->us, r->day);
	r->slot = route_slot(kind, n_bits, uid, len);
	put_hex(r->slot, route_hex_width(n_bits), r->hex);
	snprintf(r->key, sizeof(r->key), "%s/%s_%s", r->day, r->day, r->hex);
	return RC_OK;
}

enum rc locate_shard(enum route_format format, enum route_kind kind,
		     unsigned int n_bits, const char *uid, size_t len,
		     const struct timestamp *created_at, struct route *ret,
		     struct err *err)
{
	struct route r = { 0 };
	enum rc rc = RC_OK;

	if (n_bits < ROUTE_BITS_MIN || n_bits > ROUTE_BITS_MAX)
		return err_set(err, RC_USAGE, "n_bits is %u, not %d to %d",
			       n_bits, ROUTE_BITS_MIN, ROUTE_BITS_MAX);
	switch (format) {
	case ROUTE_V3:
		rc = locate_v3(kind, n_bits, uid, len, created_at, &r, err);
		break;
	case ROUTE_V2:
		rc = locate_v2(kind, n_bits, uid, len, created_at, &r, err);
		break;
	}
	if (rc)
		return rc;
	*ret = r;
	return RC_OK;
}
