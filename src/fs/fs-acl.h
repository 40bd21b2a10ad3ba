/* SPDX-License-Identifier: Apache-2.0 */
/* fs-acl.h - modes that grant no more than a POSIX ACL nobody evaluates.
 *
 * With an ACL the group bits of a mode are its mask, so whoever looks at the
 * mode alone may grant what the ACL denies: to the owning group, to a named
 * user that is in the group, to a named user or group among the others.
 */
#ifndef DESFS_FS_FS_ACL_H
#define DESFS_FS_FS_ACL_H

#include <stdint.h>

#include "volume/volume.h"

#define FS_ACL_ACCESS "system.posix_acl_access"

/* mode with group and other bits that no user can gain by; acl is the value of
 * system.posix_acl_access.  One that is not understood leaves the owner's.
 */
uint16_t fs_acl_narrow(uint16_t mode, struct span acl);

#endif
