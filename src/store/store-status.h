/* SPDX-License-Identifier: Apache-2.0 */
/* store-status.h - what the status of a reply means for a call; pure. */
#ifndef DESFS_STORE_STORE_STATUS_H
#define DESFS_STORE_STORE_STATUS_H

#include "net/s3-xml.h"
#include "store/store-remote-backend.h"

/* A reply that is not of status 2xx, redirects aside.  e is the <Error> in its
 * body, or has the code "" when there was none.  Sets err.
 */
enum remote_verdict status_judge(unsigned int status, const struct s3_error *e,
				 struct err *err);

/* "503 SlowDown (Please reduce your request rate.)" */
#define STATUS_TEXT 256
void status_text(unsigned int status, const struct s3_error *e,
		 char out[STATUS_TEXT]);

#endif
