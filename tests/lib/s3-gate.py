#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""s3-gate.py URL DIR - an HTTP server that passes all on to the one at URL.

It prints READY port=N.  DIR/rules says what it does besides, a line each:

    before METHOD REGEX   hold such a request back; what is compared is path and
                          query, and " copy" for one that copies
    after METHOD REGEX    let it through, hold the answer back
    ahead SECONDS         the clock of the answers' Date is so much ahead

What is held is added to DIR/held, a line each.  It goes on when the line has
gone from the file; when the client has gone before, it is dropped.
"""
import email.utils
import http.client
import http.server
import os
import re
import select
import socket
import sys
import threading
import time

server_at = sys.argv[1].removeprefix("http://").rstrip("/")
where = sys.argv[2]
lock = threading.Lock()


def rules():
    try:
        with open(os.path.join(where, "rules"), encoding="utf-8") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 600
    upstream = None

    def client_is_gone(self):
        if not select.select([self.connection], [], [], 0.05)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def hold(self, when):
        """Whether the client is still there then."""
        copy = " copy" if self.headers.get("x-amz-copy-source") else ""
        for line in rules():
            word, _, rest = line.partition(" ")
            method, _, regex = rest.partition(" ")
            if word != when or method != self.command or \
                    not re.search(regex, self.path + copy):
                continue
            with lock, open(os.path.join(where, "held"), "a",
                            encoding="utf-8") as f:
                f.write(f"{when} {self.command} {self.path}\n")
            while line in rules():
                if self.client_is_gone():
                    return False
        return True

    def ask(self, body):
        head = {k: v for k, v in self.headers.items()
                if k.lower() not in ("connection", "expect")}
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(server_at, timeout=120)
        self.upstream.putrequest(self.command, self.path, skip_host=True,
                                 skip_accept_encoding=True)
        for k, v in head.items():
            self.upstream.putheader(k, v)
        self.upstream.endheaders(body)
        answer = self.upstream.getresponse()
        return answer, answer.read()

    def answer(self, reply, body):
        ahead = sum(int(r.split()[1]) for r in rules()
                    if r.startswith("ahead "))
        self.send_response_only(reply.status, reply.reason)
        for k, v in reply.getheaders():
            if k.lower() not in ("date", "connection", "transfer-encoding",
                                 "content-length"):
                self.send_header(k, v)
        self.send_header("Date", email.utils.formatdate(time.time() + ahead,
                                                        usegmt=True))
        if reply.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            if self.hold("before"):
                reply = self.ask(body)
                if self.hold("after"):
                    self.answer(*reply)
                    return
        except (OSError, http.client.HTTPException):
            pass
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = serve

    def finish(self):
        if self.upstream is not None:
            self.upstream.close()
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


with Server(("127.0.0.1", 0), Gate) as gate:
    print(f"READY port={gate.server_address[1]}", flush=True)
    gate.serve_forever(poll_interval=0.1)
