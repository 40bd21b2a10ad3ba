/* SPDX-License-Identifier: Apache-2.0 */
/* store-settings.h - how a store is reached, as settings and options say it.
 *
 * A plain struct: conf/conf.h fills it from files, programs from their options,
 * store/ reads it.  Zeros are the defaults.  Strings are borrowed and must live
 * as long as the store that was opened with them.  It holds no secret: see
 * conf/secret.h.
 */
#ifndef DESFS_CONF_STORE_SETTINGS_H
#define DESFS_CONF_STORE_SETTINGS_H

#include <stdint.h>

#define STORE_TIMEOUT_DEFAULT 20

enum path_style {
	PATH_STYLE_AUTO, /* path style wherever an endpoint is given */
	PATH_STYLE_YES,  /* https://endpoint/bucket/key */
	PATH_STYLE_NO,   /* https://bucket.endpoint/key */
};

struct store_settings {
	const char
		*endpoint;  /* URL of an S3 server; NULL: AWS's of the region */
	const char *region; /* NULL: AWS_REGION, the profile's, us-east-1 */
	const char *profile;     /* NULL: AWS_PROFILE, "default" */
	const char *credentials; /* a file of mode 0600; NULL: see secret.h */
	const char *ca_file;     /* PEM; NULL: the system's */
	const char *proxy;       /* URL; NULL: the environment's */
	const char *trace;       /* file for a line a request; "-": stderr */
	enum path_style path_style;
	unsigned int connections; /* at most at a time; 0: 16 */
	/* Seconds for one call with its retries; 0: the default. */
	unsigned int timeout;
	unsigned int retries; /* of one call; 0: 5, 12 of writing */
	uint64_t part_size;   /* of uploads, bytes; 0: 5 MiB */
};

#endif
