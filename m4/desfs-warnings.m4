dnl SPDX-License-Identifier: Apache-2.0
dnl desfs-warnings.m4 - compiler flags, each probed; errors only when asked for.

dnl DESFS_WARNINGS: sets WARN_CFLAGS.
AC_DEFUN([DESFS_WARNINGS], [
AX_REQUIRE_DEFINED([AX_APPEND_COMPILE_FLAGS])
AX_APPEND_COMPILE_FLAGS([-std=gnu11 -Wall -Wextra -Wshadow -Wvla -Wundef dnl
	-Wformat=2 -Wcast-qual -Wpointer-arith -Wwrite-strings dnl
	-Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes dnl
	-Wmissing-declarations -Wredundant-decls -Wswitch-enum dnl
	-Wnull-dereference -Wimplicit-fallthrough -Walloca dnl
	-Wstack-usage=16384 -fno-common -fvisibility=hidden],
	[WARN_CFLAGS], [-Werror])
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
	[], [enable_werror=no])
AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])

dnl DESFS_HARDENING: sets HARDEN_CPPFLAGS, HARDEN_CFLAGS, HARDEN_LDFLAGS.
dnl Sanitizers bring their own checks, and do not work with _FORTIFY_SOURCE.
AC_DEFUN([DESFS_HARDENING], [
AX_REQUIRE_DEFINED([AX_APPEND_LINK_FLAGS])
AC_ARG_ENABLE([hardening],
	[AS_HELP_STRING([--disable-hardening],
		[leave out stack protector, fortify, PIE, RELRO])],
	[], [enable_hardening=yes])
AS_IF([test "x$enable_sanitize$enable_fuzzing" != x &&
       test "x$enable_sanitize$enable_fuzzing" != xnono], [enable_hardening=no])
AS_IF([test "x$enable_hardening" = xyes], [
	AX_APPEND_COMPILE_FLAGS([-fstack-protector-strong -fPIE],
		[HARDEN_CFLAGS], [-Werror])
	AX_APPEND_LINK_FLAGS([-pie -Wl,-z,relro -Wl,-z,now],
		[HARDEN_LDFLAGS], [-Werror -fPIE])
	AS_CASE([" $CFLAGS $CPPFLAGS "],
		[*_FORTIFY_SOURCE*|*" -O0 "*], [],
		[*" -O"*], [HARDEN_CPPFLAGS="-D_FORTIFY_SOURCE=2"])
])
AC_SUBST([HARDEN_CPPFLAGS])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])
])
