#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a manifest says is packed, in either format, comes back by the same uid
# and the same text of the time, also where the uid can be no path.
. "${0%/*}/../lib/tap.sh"
. "$SRCDIR/tests/lib/tree.sh"

"$PYTHON" - <<'END'
import json, os
uids = ["a", "a/b", "a/b/c", "/etc/passwd", "a//b", "..", "./x", "", "dir/",
        ".des", "50%2F", "50/", "%41", "x\0y", "\u00e9/\u00fc", "n" * 300,
        "a%file", "%empty", "tab\tnl\nback\\", "-o", "\u0663\u0664\u0665"]
with open("list", "w") as out, open("some", "w") as some:
    for i, uid in enumerate(uids):
        name = os.path.abspath("f%d" % i)
        with open(name, "w") as f:
            f.write("content of %d\n" % i)
        row = {"uid": uid, "created_at": "2024-12-15T23:30:%02d-05:00" % i,
               "size_bytes": os.path.getsize(name), "source_path": name}
        print(json.dumps(row), file=out)
        if "\0" not in uid and i % 3 != 1:
            print("%d\n%s" % (i, row["created_at"]), file=some)
END
t 'packed as format 3' "$DESFS_PACK" -q --manifest list v3
t 'packed as format 2' "$DESFS_PACK" -q --format 2 --manifest list v2

comes_back()
{
	"$DESFS" get --batch list --report rep -o out.tar "$1" &&
		"$PYTHON" - <<-'END'
	import hashlib, json, tarfile
	rows = [json.loads(line) for line in open("rep")]
	with tarfile.open("out.tar") as tar:
	    content = {m.name: tar.extractfile(m).read() for m in tar}
	assert len(content) == len(rows), sorted(content)
	for i, (row, asked) in enumerate(zip(rows, open("list"))):
	    want = b"content of %d\n" % i
	    assert row["uid"] == json.loads(asked)["uid"], row
	    assert row["status"] == "ok" and row["bytes"] == len(want), row
	    assert content[row["path"]] == want, row
	    assert row["sha256"] == hashlib.sha256(want).hexdigest(), row
	    assert ".." not in row["path"].split("/"), row
	    assert not row["path"].startswith("/"), row
	END
}
t 'all of format 3 come back' comes_back v3
t 'all of format 2 come back' comes_back v2
to_files()
{
	rm -rf out
	"$DESFS" get --batch list --format files -o out "$1" &&
		[ "$(find out -type f -printf x | wc -c)" = "$(wc -l <list)" ]
}
t 'as files, too' to_files v2
one_by_one()
{
	while read -r i && read -r time; do
		"$PYTHON" -c 'import json, subprocess, sys
uid = json.loads(open("list").readlines()[int(sys.argv[1])])["uid"]
sys.stdout.buffer.write(subprocess.check_output([sys.argv[2], "get",
    "--created-at", sys.argv[3], "--", sys.argv[4], uid]))' \
			"$i" "$DESFS" "$time" "$1" | cmp - "f$i" || return
	done <some
}
t 'format 3 one by one' one_by_one v3
t 'format 2 one by one' one_by_one v2
