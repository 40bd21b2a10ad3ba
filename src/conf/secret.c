/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - the credentials of an S3 account, and where they come from. */
#include "config.h"

#include "conf/secret.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "conf/conf-file.h"

#define CREDENTIALS "/.aws/credentials"
#define CONFIG "/.aws/config"

void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* NULL when the variable is missing or empty. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Visible ASCII that fits; nothing else is in a key, a token or a region. */
static bool keep(char *ret, size_t size, const char *value)
{
	size_t n = strlen(value);

	if (n >= size)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (value[i] <= ' ' || value[i] > '~')
			return false;
	}
	memcpy(ret, value, n + 1);
	return true;
}

/* --- files as AWS's tools have them --------------------------------------- */

struct profile {
	struct secret *s;
	const char *name;
	bool is_config;   /* sections are [profile NAME], only the region counts
			   */
	bool is_only_one; /* keys before the first section count as well */
	bool is_ours;
	bool is_found;
};

static bool is_our_section(const struct profile *p, const char *section)
{
	static const char word[] = "profile";

	if (p->is_config && !strncmp(section, word, sizeof(word) - 1) &&
	    strcspn(section, " \t") == sizeof(word) - 1) {
		section += sizeof(word) - 1;
		section += strspn(section, " \t");
	} else if (p->is_config && strcmp(section, "default") != 0) {
		return false;
	}
	return !strcmp(section, p->name);
}

static enum rc take_line(void *arg, struct conf_line *l, struct err *err)
{
	struct profile *p = arg;
	struct {
		const char *key;
		char *ret;
		size_t size;
	} const fields[] = {
		{ "region", p->s->region, sizeof(p->s->region) },
		{ "aws_access_key_id", p->s->access, sizeof(p->s->access) },
		{ "aws_secret_access_key", p->s->key, sizeof(p->s->key) },
		{ "aws_session_token", p->s->token, sizeof(p->s->token) },
	};
	size_t n = p->is_config ? 1 : ARRAY_LEN(fields);

	if (!l->key) {
		p->is_ours = is_our_section(p, l->section);
		p->is_found |= p->is_ours;
		return RC_OK;
	}
	if (!p->is_ours && !(p->is_only_one && !*l->section))
		return RC_OK;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(l->key, fields[i].key) != 0)
			continue;
		if (!keep(fields[i].ret, fields[i].size, l->value))
			return conf_line_error(l, RC_ACCESS, err,
					       "%s is too long, or has "
					       "characters it cannot have",
					       l->key);
	}
	return RC_OK;
}

/* The path in a variable, or below the home directory; NULL for neither. */
static char *aws_file(const char *name, const char *below_home)
{
	const char *path = variable(name);
	const char *home = variable("HOME");

	if (path)
		return xstrdup(path);
	return home ? xasprintf("%s%s", home, below_home) : NULL;
}

/* A region in the file of credentials goes before the one in the other file. */
static enum rc load_region(const char *profile, struct secret *ret,
			   struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	CLEANUP_FREE char *path = aws_file("AWS_CONFIG_FILE", CONFIG);
	struct profile p = { .s = ret, .name = profile, .is_config = true };

	if (*ret->region || !path)
		return RC_OK;
	/* Not ours, and not needed: what cannot be read says nothing. */
	if (conf_text_read(&t, path, false, err))
		return RC_OK;
	return conf_text_parse(&t, path, take_line, &p, err);
}

static enum rc check_pair(const struct secret *s, const char *where,
			  const char *profile, struct err *err)
{
	const char *missing =
		!*s->access ? "aws_access_key_id" : "aws_secret_access_key";

	if (*s->access && *s->key)
		return RC_OK;
	return err_set(err, RC_ACCESS, "%s: profile %s has no %s", where,
		       profile, missing);
}

static enum rc load_file(const char *path, const char *profile,
			 bool is_only_one, struct secret *ret, struct err *err)
{
	CLEANUP_CONF_TEXT struct conf_text t = { .p = NULL };
	struct profile p = { .s = ret,
			     .name = profile,
			     .is_only_one = is_only_one };
	enum rc rc = conf_text_read(&t, path, true, err);

	if (rc)
		return rc;
	if (conf_text_parse(&t, path, take_line, &p, err))
		return err->rc;
	snprintf(ret->source, sizeof(ret->source), "%s", path);
	if (!p.is_found && !*ret->access)
		return err_set(err, RC_ACCESS, "%s has no profile %s", path,
			       profile);
	return check_pair(ret, path, profile, err);
}

/* --- the environment ------------------------------------------------------ */

static enum rc load_environment(struct secret *ret, struct err *err)
{
	const char *access = variable("AWS_ACCESS_KEY_ID");
	const char *key = variable("AWS_SECRET_ACCESS_KEY");
	const char *token = variable("AWS_SESSION_TOKEN");

	if (!access || !key)
		return err_set(
			err, RC_ACCESS, "%s is set, but %s is not",
			access ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			access ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	if (!keep(ret->access, sizeof(ret->access), access))
		return err_set(err, RC_ACCESS,
			       "AWS_ACCESS_KEY_ID is no access key id");
	if (!keep(ret->key, sizeof(ret->key), key))
		return err_set(err, RC_ACCESS,
			       "AWS_SECRET_ACCESS_KEY is no secret key");
	if (token && !keep(ret->token, sizeof(ret->token), token))
		return err_set(err, RC_ACCESS,
			       "AWS_SESSION_TOKEN is no session token");
	snprintf(ret->source, sizeof(ret->source), "environment");
	return RC_OK;
}

/* --- the order ------------------------------------------------------------ */

static enum rc load_profile(const char *profile, struct secret *ret,
			    struct err *err)
{
	CLEANUP_FREE char *path =
		aws_file("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS);
	enum rc rc = RC_NOENT;

	if (path)
		rc = load_file(path, profile, false, ret, err);
	if (rc == RC_NOENT || rc == RC_NOTDIR)
		return err_set(err, RC_ACCESS,
			       "no credentials: set AWS_ACCESS_KEY_ID and "
			       "AWS_SECRET_ACCESS_KEY, or make %s or a file "
			       "for 'credentials'",
			       path ? path : "~" CREDENTIALS);
	return rc;
}

static enum rc load(const struct store_settings *set, const char *profile,
		    struct secret *ret, struct err *err)
{
	if (set->credentials)
		return load_file(set->credentials, profile, true, ret, err);
	if (!set->profile && (variable("AWS_ACCESS_KEY_ID") ||
			      variable("AWS_SECRET_ACCESS_KEY")))
		return load_environment(ret, err);
	return load_profile(profile, ret, err);
}

enum rc secret_load(const struct store_settings *set, struct secret *ret,
		    struct err *err)
{
	const char *profile = set->profile;
	enum rc rc;

	if (!profile)
		profile = variable("AWS_PROFILE");
	if (!profile)
		profile = "default";
	*ret = (struct secret){ .access = "" };
	rc = load(set, profile, ret, err);
	if (!rc)
		rc = load_region(profile, ret, err);
	if (!rc)
		return RC_OK;
	secret_wipe(ret);
	/* Whatever is wrong with them: there are no credentials. */
	if (rc == RC_NOENT || rc == RC_NOTDIR || rc == RC_USAGE)
		err->rc = RC_ACCESS;
	return err->rc;
}
