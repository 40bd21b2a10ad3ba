/* SPDX-License-Identifier: Apache-2.0 */
/* net-libraries.c - the versions of the libraries for HTTP and XML. */
#include "config.h"

#include "net/net-libraries.h"

#include <stdio.h>

#include <expat.h>

#include "net/http-loop-backend.h"

const char *net_libraries(void)
{
	static _Thread_local char text[160];
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	const XML_Expat_Version x = XML_ExpatVersionInfo();

	snprintf(text, sizeof(text),
		 "libcurl %.20s (%.60s, HTTP/2: %s), expat %d.%d.%d",
		 v->version, v->ssl_version ? v->ssl_version : "no TLS",
		 v->features & CURL_VERSION_HTTP2 ? "yes" : "no", x.major,
		 x.minor, x.micro);
	return text;
}
