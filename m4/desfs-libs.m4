dnl SPDX-License-Identifier: Apache-2.0
dnl desfs-libs.m4 - the libraries, all required; cmocka for make check only.

AC_DEFUN([DESFS_LIBS], [
PKG_PROG_PKG_CONFIG([0.29])
PKG_CHECK_MODULES([FUSE], [fuse3 >= 3.12])
PKG_CHECK_MODULES([CODEC], [libzstd >= 1.4.8 liblz4 >= 1.9.3])
PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
PKG_CHECK_MODULES([ZLIB], [zlib >= 1.2.11])
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.13])
PKG_CHECK_MODULES([CURL], [libcurl >= 7.87])
DESFS_LIBCURL_SONAME
AC_SEARCH_LIBS([dlopen], [dl])
PKG_CHECK_MODULES([EXPAT], [expat >= 2.2.10])
PKG_CHECK_MODULES([SQLITE], [sqlite3 >= 3.34])
AC_CHECK_HEADER([uthash.h], [],
	[AC_MSG_ERROR([uthash.h not found (Debian: uthash-dev)])])
PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5],
	[have_cmocka=yes], [have_cmocka=no])
PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.72],
	[have_microhttpd=yes], [have_microhttpd=no])
AM_CONDITIONAL([HAVE_MICROHTTPD], [test "x$have_microhttpd" = xyes])
AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
])

dnl The name by which a program linked with libcurl has it loaded: ours load it
dnl themselves (src/net/curl-library.h).
AC_DEFUN([DESFS_LIBCURL_SONAME], [
AC_CHECK_TOOL([READELF], [readelf], [false])
AC_CACHE_CHECK([for the name of libcurl], [desfs_cv_libcurl_soname], [
desfs_save_LIBS=$LIBS
LIBS="$CURL_LIBS $LIBS"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[char curl_easy_init(void);]],
	[[return curl_easy_init();]])],
	[desfs_cv_libcurl_soname=`$READELF -d conftest$ac_exeext |
		sed -n '/NEEDED/s/.*\(libcurl.*so@<:@.0-9@:>@*\).*/\1/p'`])
LIBS=$desfs_save_LIBS
])
AS_IF([test -z "$desfs_cv_libcurl_soname"],
	[AC_MSG_ERROR([cannot link with libcurl, or no readelf to see how])])
AC_DEFINE_UNQUOTED([LIBCURL_SONAME], ["$desfs_cv_libcurl_soname"],
	[Define to the name by which dlopen finds libcurl.])
])
