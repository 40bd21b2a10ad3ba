/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h - the few compiler extensions the house uses, by name. */
#ifndef DESFS_BASE_COMPILER_H
#define DESFS_BASE_COMPILER_H

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument fmt (counted from 1) is a printf format for the arguments from args;
 * args is 0 for functions that take a va_list.
 */
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
