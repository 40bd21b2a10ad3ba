/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - the credentials of an S3 account, and where they come from.
 *
 * The first of these that is there: the file settings name; the profile
 * settings name, in ~/.aws/credentials; AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN); the profile of AWS_PROFILE,
 * or "default", in ~/.aws/credentials.  AWS_SHARED_CREDENTIALS_FILE and
 * AWS_CONFIG_FILE name other files in place of those in ~/.aws.
 *
 * A file others may read is refused.  No message, log line or argument holds a
 * secret.  Safe from any thread as long as nobody changes the environment.
 */
#ifndef DESFS_CONF_SECRET_H
#define DESFS_CONF_SECRET_H

#include "base/err.h"
#include "conf/store-settings.h"

#define SECRET_ACCESS_MAX 128
#define SECRET_KEY_MAX 256
#define SECRET_TOKEN_MAX 4096

struct secret {
	char access[SECRET_ACCESS_MAX]; /* the access key id: may be shown */
	char key[SECRET_KEY_MAX];
	char token[SECRET_TOKEN_MAX]; /* "": none */
	char region[64];              /* the profile's; "": says none */
	char source[128];             /* for messages: "environment", a path */
};

/* RC_ACCESS: there are none, or their file is open to others; the message says
 * what to do.  ret is to be wiped after success.
 */
enum rc secret_load(const struct store_settings *set, struct secret *ret,
		    struct err *err) MUST_CHECK;
/* Overwrite what is secret. */
void secret_wipe(struct secret *s);

#endif
