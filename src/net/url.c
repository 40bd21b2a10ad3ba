/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - http and https URLs: taken apart, encoded, put together.
 *
 * No message quotes the text: what was wrong may be that it holds a secret.
 */
#include "config.h"

#include "net/url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define LABEL_MAX 63
#define HOST_MAX 253

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_unreserved(char c)
{
	return is_alnum(c) || is_one_of(c, "-._~");
}

static bool is_path_char(char c)
{
	return is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:@/");
}

/* The parsers below return NULL, or what is wrong. */

static const char *parse_path(const char *p, char *ret, size_t size)
{
	size_t len = strlen(p);

	if (strchr(p, '?'))
		return "it must not have a query";
	if (strchr(p, '#'))
		return "it must not have a fragment";
	if (len >= size)
		return "its path is too long";
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '%' && is_hex(p[i + 1]) && is_hex(p[i + 2]))
			continue;
		if (!is_path_char(p[i]))
			return "its path must be encoded (%20 for a space)";
	}
	memcpy(ret, len ? p : "/", len ? len + 1 : 2);
	return NULL;
}

/* What follows the host: nothing, or ':' and a number. */
static const char *parse_port(const char *p, size_t len, struct url *u)
{
	unsigned int port = 0;

	if (!len)
		return NULL;
	if (len < 2 || len > 6 || *p != ':')
		return "its port is not 1 to 65535";
	for (size_t i = 1; i < len; i++) {
		if (!is_digit(p[i]))
			return "its port is not 1 to 65535";
		port = port * 10 + (unsigned int)(p[i] - '0');
	}
	if (port < 1 || port > 65535)
		return "its port is not 1 to 65535";
	u->port = port == (u->is_https ? 443 : 80) ? 0 : port;
	return NULL;
}

/* A name whose last label is a number is an IPv4 address, and must be one: curl
 * and the C library read "0x7f.1" as an address as well, each in its own way.
 */
static bool is_name(const char *host)
{
	const char *label = host;
	struct in_addr a;
	size_t n;

	for (;; label += n + 1) {
		n = strcspn(label, ".");
		if (n < 1 || n > LABEL_MAX)
			return false;
		for (size_t i = 0; i < n; i++)
			if (!is_alnum(label[i]) && !is_one_of(label[i], "-_"))
				return false;
		/* One '.' may end it. */
		if (!label[n] || !label[n + 1])
			break;
	}
	if (strspn(label, "0123456789") == n || !strncmp(label, "0x", 2))
		return inet_pton(AF_INET, host, &a) == 1;
	return true;
}

static const char *parse_host(const char *p, size_t len, struct url *u)
{
	struct in6_addr a;
	bool is_bracketed = len && *p == '[';

	if (is_bracketed) {
		p++;
		len--;
	}
	if (!len)
		return "it names no host";
	if (len > HOST_MAX)
		return "its host is too long";
	for (size_t i = 0; i < len; i++) {
		bool is_upper = p[i] >= 'A' && p[i] <= 'Z';

		u->host[i] = (char)(is_upper ? p[i] - 'A' + 'a' : p[i]);
	}
	u->host[len] = '\0';
	if (is_bracketed ? inet_pton(AF_INET6, u->host, &a) != 1
			 : !is_name(u->host))
		return "its host is no name or address";
	return NULL;
}

static const char *parse_authority(const char *p, size_t len, struct url *u)
{
	size_t host_len = 0, end;
	const char *why;

	if (memchr(p, '@', len))
		return "it must not have a user name or a password";
	if (len && *p == '[') {
		while (host_len < len && p[host_len] != ']')
			host_len++;
		if (host_len == len)
			return "']' is missing";
		end = host_len + 1;
	} else {
		while (host_len < len && p[host_len] != ':')
			host_len++;
		end = host_len;
	}
	why = parse_host(p, host_len, u);
	if (why)
		return why;
	return parse_port(p + end, len - end, u);
}

static const char *parse(const char *p, struct url *u)
{
	const char *why;
	size_t len;

	if (strnlen(p, URL_MAX + 1) > URL_MAX)
		return "it is too long";
	if (!strncasecmp(p, "https://", 8))
		u->is_https = true;
	else if (strncasecmp(p, "http://", 7))
		return "it does not begin with http:// or https://";
	p += u->is_https ? 8 : 7;
	len = strcspn(p, "/?#");
	why = parse_authority(p, len, u);
	if (why)
		return why;
	return parse_path(p + len, u->path, sizeof(u->path));
}

enum rc url_parse(const char *text, struct url *ret, struct err *err)
{
	struct url u = { 0 };
	const char *why = parse(text, &u);

	if (why)
		return err_set(err, RC_USAGE, "bad URL: %s", why);
	*ret = u;
	return RC_OK;
}

void url_encode(struct buf *out, const char *s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *s; s++) {
		uint8_t b = (uint8_t)*s;
		const char hex[] = { '%', digits[b >> 4], digits[b & 15] };

		if (is_unreserved(*s) || (keep_slash && *s == '/'))
			buf_append(out, s, 1);
		else
			buf_append(out, hex, sizeof(hex));
	}
}

void url_authority(struct buf *out, const struct url *u)
{
	bool is_ipv6 = strchr(u->host, ':');

	buf_printf(out, is_ipv6 ? "[%s]" : "%s", u->host);
	if (u->port)
		buf_printf(out, ":%u", u->port);
}

void url_origin(struct buf *out, const struct url *u)
{
	buf_append_str(out, u->is_https ? "https://" : "http://");
	url_authority(out, u);
}
