# SPDX-License-Identifier: Apache-2.0
"""Delete names of an archive in a directory, as the log tells it.

    make-tombstone.py ARCHIVE UID...          all versions up to now
    make-tombstone.py --at TIME ARCHIVE UID...  the version of that time
    make-tombstone.py --withdraw ARCHIVE      nothing that was asked for

Written from desfs-archive(5): a document below tombstones/, then a record.
"""
import datetime
import hashlib
import json
import os
import sys
import urllib.parse


def canonical(j):
    return json.dumps(j, sort_keys=True, separators=(",", ":")).encode()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "xb") as f:
        f.write(data)
    os.rename(path + ".new", path)


def documents(archive):
    for at, _, files in os.walk(archive + "/tombstones"):
        for f in files:
            with open(at + "/" + f, "rb") as d:
                yield json.load(d)


def main(args):
    at, withdraw = None, False
    if args[0] == "--at":
        at = args[1]
        args = args[2:]
    elif args[0] == "--withdraw":
        withdraw = True
        args = args[1:]
    archive, uids = args[0], args[1:]
    with open(archive + "/desfs.json", "rb") as f:
        archive_id = json.load(f)["archive_id"]
    now = datetime.datetime.now(datetime.timezone.utc)
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    record = {"version": 1, "archive_id": archive_id, "time": time}
    if withdraw:
        record["kind"] = "withdrawn"
        record["withdrawn"] = sorted(e["id"] for d in documents(archive)
                                     for e in d["erasures"])
    else:
        which = {"created_at": at} if at else {"until": time}
        erasures = [dict(which, id=os.urandom(16).hex(),
                         uid=urllib.parse.quote(u, safe="/"))
                    for u in uids]
        document = canonical({
            "version": 1, "kind": "tombstones", "archive_id": archive_id,
            "time": time, "reason": "user", "nonce": os.urandom(16).hex(),
            "erasures": sorted(erasures, key=lambda e: e["id"])}) + b"\n"
        key = "tombstones/%s/%s.json" % (now.strftime("%Y%m%d"),
                                         os.urandom(16).hex())
        write(archive + "/" + key, document)
        record["kind"] = "tombstones"
        record["tombstones"] = [{
            "key": key, "count": len(erasures),
            "sha256": hashlib.sha256(document).hexdigest()}]
    record["digest"] = hashlib.sha256(canonical(record)).hexdigest()[:32]
    write("%s/log/%s-%s.json" % (archive, now.strftime("%Y%m%dT%H%M%S.%fZ"),
                                 os.urandom(16).hex()),
          canonical(record) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
