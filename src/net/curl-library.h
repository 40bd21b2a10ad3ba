/* SPDX-License-Identifier: Apache-2.0 */
/* curl-library.h - libcurl, loaded when it is first needed.
 *
 * Who reads a local archive does not pay for libcurl and the thirty libraries
 * behind it, half of the time from the start of a mount to its first byte.  So
 * the programs are not linked with it: curl-library.c defines those of its
 * functions that this room calls, by their own names and types, and passes
 * calls on.  Include this header in <curl/curl.h>'s place, and call nothing
 * before curl_library_load has succeeded once.
 */
#ifndef DESFS_NET_CURL_LIBRARY_H
#define DESFS_NET_CURL_LIBRARY_H

#include <curl/curl.h>

#include "base/compiler.h"
#include "base/err.h"

/* Load and start libcurl, once however often it is called; any thread.
 * RC_IO says which library or function is missing, and the package that has it.
 * What failed once fails ever after.
 */
enum rc curl_library_load(struct err *err) MUST_CHECK;

#endif
