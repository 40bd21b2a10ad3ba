/* SPDX-License-Identifier: Apache-2.0 */
/* fs-acl.c - modes that grant no more than a POSIX ACL nobody evaluates. */
#include "config.h"

#include "fs/fs-acl.h"

#include "base/rd.h"

/* linux/posix_acl_xattr.h */
#define ACL_VERSION 2
enum {
	TAG_USER_OBJ = 0x01,
	TAG_USER = 0x02,
	TAG_GROUP_OBJ = 0x04,
	TAG_GROUP = 0x08,
	TAG_MASK = 0x10,
	TAG_OTHER = 0x20,
};

struct sums {
	unsigned int users, groups; /* what all named ones have */
	unsigned int group, other, mask;
};

static void add_entry(struct sums *s, unsigned int tag, unsigned int perm,
		      struct rd *r)
{
	switch (tag) {
	case TAG_USER_OBJ: break;
	case TAG_USER: s->users &= perm; break;
	case TAG_GROUP_OBJ: s->group = perm; break;
	case TAG_GROUP: s->groups &= perm; break;
	case TAG_MASK: s->mask = perm; break;
	case TAG_OTHER: s->other = perm; break;
	default: rd_fail(r);
	}
}

uint16_t fs_acl_narrow(uint16_t mode, struct span acl)
{
	struct rd r = { .p = (const uint8_t *)acl.p, .left = acl.len };
	struct sums s = { 7, 7, 0, 0, 7 };
	unsigned int keep;

	if (rd_u32(&r) != ACL_VERSION)
		rd_fail(&r);
	while (rd_ok(&r) && r.left) {
		unsigned int tag = rd_u16(&r);
		unsigned int perm = rd_u16(&r);

		rd_u32(&r);
		add_entry(&s, tag, perm & 7, &r);
	}
	if (!rd_ok(&r))
		return mode & 07700;
	/* A named user is judged by its own entry even when in the group; of
	 * several groups the best counts, so named ones take nothing there.
	 */
	s.group &= s.mask & s.users;
	s.other &= s.users & s.groups;
	if (s.users != 7 || s.groups != 7)
		s.other &= s.mask;
	/* Members of the owning group are not among the others. */
	keep = 07700 | s.group << 3 | s.other;
	return mode & (uint16_t)keep;
}
