/* SPDX-License-Identifier: Apache-2.0 */
/* net-libraries.c - the versions of the libraries for HTTP and XML. */
#include "config.h"

#include "net/net-libraries.h"

#include <stdio.h>

#include <expat.h>

#include "net/curl-library.h"

static void describe_curl(char *ret, size_t size)
{
	const curl_version_info_data *v;
	struct err err;

	if (curl_library_load(&err)) {
		snprintf(ret, size, "no libcurl (%.200s)", err.msg);
		return;
	}
	v = curl_version_info(CURLVERSION_NOW);
	snprintf(ret, size, "libcurl %.20s (%.60s, HTTP/2: %s)", v->version,
		 v->ssl_version ? v->ssl_version : "no TLS",
		 v->features & CURL_VERSION_HTTP2 ? "yes" : "no");
}

const char *net_libraries(void)
{
	static _Thread_local char text[280];
	const XML_Expat_Version x = XML_ExpatVersionInfo();
	char curl[240];

	describe_curl(curl, sizeof(curl));
	snprintf(text, sizeof(text), "%s, expat %d.%d.%d", curl, x.major,
		 x.minor, x.micro);
	return text;
}
