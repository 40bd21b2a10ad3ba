/* SPDX-License-Identifier: Apache-2.0 */
/* curl-library.c - libcurl's functions, found by dlopen.
 *
 * Each is defined here under its own name, so that curl's header checks the
 * types of calls, those of options too.  These definitions stay in the program:
 * libcurl itself does not see them.
 */
#include "config.h"

#include "net/curl-library.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

#define PACKAGE_WITH_IT "(Debian: libcurl4)"
/* CURLOPT_QUICK_EXIT came with 7.87. */
#define VERSION_MIN 0x075700
#define VERSION_MIN_TEXT "7.87"

/* The real ones; written once by load, before anything else reads them. */
static struct {
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_wakeup) *multi_wakeup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_version_info) *version_info;
} real;

/* Where in real the address of a function goes. */
#define ROW(name)                         \
	{                                 \
		"curl_" #name, &real.name \
	}

static const struct {
	const char *name;
	void *to; /* a pointer to a function */
} rows[] = {
	ROW(easy_cleanup),        ROW(easy_getinfo),   ROW(easy_init),
	ROW(easy_setopt),         ROW(easy_strerror),  ROW(global_init),
	ROW(multi_add_handle),    ROW(multi_cleanup),  ROW(multi_info_read),
	ROW(multi_init),          ROW(multi_perform),  ROW(multi_poll),
	ROW(multi_remove_handle), ROW(multi_setopt),   ROW(multi_wakeup),
	ROW(slist_append),        ROW(slist_free_all), ROW(version_info),
};

static enum rc find_functions(void *library, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *p = dlsym(library, rows[i].name);

		if (!p)
			return err_set(
				err, RC_IO,
				"%s has no %s: libcurl %s or newer is "
				"needed for remote archives " PACKAGE_WITH_IT,
				LIBCURL_SONAME, rows[i].name, VERSION_MIN_TEXT);
		/* POSIX has pointers to functions be as those to objects. */
		*(void **)rows[i].to = p;
	}
	return RC_OK;
}

static enum rc start(struct err *err)
{
	const curl_version_info_data *v = real.version_info(CURLVERSION_NOW);
	CURLcode code;

	if (v->version_num < VERSION_MIN)
		return err_set(err, RC_IO,
			       "%s is libcurl %.20s, remote archives need %s "
			       "or newer",
			       LIBCURL_SONAME, v->version, VERSION_MIN_TEXT);
	code = real.global_init(CURL_GLOBAL_DEFAULT);
	if (code)
		return err_set(err, RC_NOMEM, "libcurl: %s",
			       real.easy_strerror(code));
	return RC_OK;
}

static struct err loaded; /* written once, by load */

/* It stays loaded: OpenSSL does not like to be loaded twice. */
static void load(void)
{
	void *library = dlopen(LIBCURL_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		err_set(&loaded, RC_IO,
			"remote archives need libcurl " PACKAGE_WITH_IT ": %s",
			dlerror());
		return;
	}
	if (!find_functions(library, &loaded) && !start(&loaded))
		loaded.rc = RC_OK;
}

enum rc curl_library_load(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loaded.rc)
		return err_set(err, loaded.rc, "%s", loaded.msg);
	return RC_OK;
}

/* --- by the names of curl/curl.h ------------------------------------------ */

CURL *curl_easy_init(void)
{
	return real.easy_init();
}

void curl_easy_cleanup(CURL *easy)
{
	real.easy_cleanup(easy);
}

const char *curl_easy_strerror(CURLcode code)
{
	return real.easy_strerror(code);
}

/* The option alone tells of what type its value is. */
CURLcode(curl_easy_setopt)(CURL *easy, CURLoption option, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, option);
	if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = real.easy_setopt(easy, option, va_arg(ap, curl_off_t));
	else if (option < CURLOPTTYPE_OBJECTPOINT)
		code = real.easy_setopt(easy, option, va_arg(ap, long));
	else
		code = real.easy_setopt(easy, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, info);
	code = real.easy_getinfo(easy, info, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLM *curl_multi_init(void)
{
	return real.multi_init();
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	return real.multi_cleanup(multi);
}

/* All of ours are numbers. */
CURLMcode(curl_multi_setopt)(CURLM *multi, CURLMoption option, ...)
{
	CURLMcode code;
	va_list ap;

	assert(option < CURLOPTTYPE_OBJECTPOINT);
	va_start(ap, option);
	code = real.multi_setopt(multi, option, va_arg(ap, long));
	va_end(ap);
	return code;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return real.multi_add_handle(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return real.multi_remove_handle(multi, easy);
}

CURLMcode curl_multi_perform(CURLM *multi, int *ret_running)
{
	return real.multi_perform(multi, ret_running);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *ret_left)
{
	return real.multi_info_read(multi, ret_left);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd fds[],
			  unsigned int n, int ms, int *ret_n)
{
	return real.multi_poll(multi, fds, n, ms, ret_n);
}

CURLMcode curl_multi_wakeup(CURLM *multi)
{
	return real.multi_wakeup(multi);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *s)
{
	return real.slist_append(list, s);
}

void curl_slist_free_all(struct curl_slist *list)
{
	real.slist_free_all(list);
}

curl_version_info_data *curl_version_info(CURLversion age)
{
	return real.version_info(age);
}
