/* SPDX-License-Identifier: Apache-2.0 */
/* archive-library.c - libarchive's functions, found by dlopen.
 *
 * Each is defined here under its own name, so that the library's headers check
 * the types of calls.  These definitions stay in the program: libarchive itself
 * does not see them.
 */
#include "config.h"

#include "exchange/archive-library.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#define PACKAGE_WITH_IT "(Debian: libarchive13)"
/* Reads and writes zstd, and the attributes of GNU tar alone. */
#define VERSION_MIN 3006000
#define VERSION_MIN_TEXT "3.6"

/* The real ones; written once by load, before anything else reads them. */
static struct {
#define FN(result, name, parameters, arguments) result(*name) parameters;
#define VOID(name, parameters, arguments) void(*name) parameters;
#include "exchange/archive-library.def"
#undef FN
#undef VOID
} real;

/* Where in real the address of a function goes. */
static const struct {
	const char *name;
	void *to; /* a pointer to a function */
} rows[] = {
#define FN(result, name, parameters, arguments) { #name, &real.name },
#define VOID(name, parameters, arguments) { #name, &real.name },
#include "exchange/archive-library.def"
#undef FN
#undef VOID
};

static enum rc find_functions(void *library, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *p = dlsym(library, rows[i].name);

		if (!p)
			return err_set(
				err, RC_IO,
				"%s has no %s: libarchive %s or newer is "
				"needed for tar and zip " PACKAGE_WITH_IT,
				LIBARCHIVE_SONAME, rows[i].name,
				VERSION_MIN_TEXT);
		/* POSIX has pointers to functions be as those to objects. */
		*(void **)rows[i].to = p;
	}
	if (real.archive_version_number() < VERSION_MIN)
		return err_set(err, RC_IO,
			       "%s is %.20s, tar and zip need %s or newer",
			       LIBARCHIVE_SONAME, real.archive_version_string(),
			       VERSION_MIN_TEXT);
	return RC_OK;
}

static struct err loaded;   /* written once, by load */
static locale_t utf8_names; /* likewise; 0: there is none */

/* It stays loaded. */
static void load(void)
{
	void *library = dlopen(LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		err_set(&loaded, RC_IO,
			"tar and zip need libarchive " PACKAGE_WITH_IT ": %s",
			dlerror());
		return;
	}
	if (find_functions(library, &loaded))
		return;
	utf8_names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	loaded.rc = RC_OK;
}

enum rc archive_library_load(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loaded.rc)
		return err_set(err, loaded.rc, "%s", loaded.msg);
	return RC_OK;
}

locale_t archive_library_enter(void)
{
	return uselocale(utf8_names);
}

void archive_library_leave(locale_t before)
{
	uselocale(before);
}

enum rc archive_library_error(struct archive *a, struct err *err)
{
	const char *text = archive_error_string(a);
	int errnum = archive_errno(a);

	if (errnum == ENOMEM)
		return err_set(err, RC_NOMEM, "libarchive: out of memory");
	return err_set(err, RC_IO, "%.400s", text ? text : "libarchive failed");
}

/* --- by the names of archive.h and archive_entry.h ------------------------ */

#define FN(result, name, parameters, arguments) \
	result name parameters                  \
	{                                       \
		return real.name arguments;     \
	}
#define VOID(name, parameters, arguments) \
	void name parameters              \
	{                                 \
		real.name arguments;      \
	}
#include "exchange/archive-library.def"
#undef FN
#undef VOID
