/* SPDX-License-Identifier: Apache-2.0 */
/* net-libraries.h - the versions of the libraries for HTTP and XML.
 *
 * Any thread.
 */
#ifndef DESFS_NET_NET_LIBRARIES_H
#define DESFS_NET_NET_LIBRARIES_H

/* "libcurl 7.88.1 (OpenSSL/3.0.17, HTTP/2: yes), expat 2.5.0": those that run,
 * in room of the calling thread's.  Loads libcurl; "no libcurl (why)" without.
 */
const char *net_libraries(void);

#endif
