"""A client of Nomad's HTTP API."""

import json
import urllib.request


class Nomad:
    """The HTTP API of the machine's agent, over the forwarded port."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/v1"
        self.token = ""

    def request(self, path, body=None, method=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.base}/{path}", data, {"X-Nomad-Token": self.token}, method=method)
        return urllib.request.urlopen(request, timeout=120)

    def call(self, path, body=None):
        with self.request(path, body) as answer:
            return json.load(answer)

    def log_in(self):
        """The first to ask gets the token that makes all others."""
        self.token = self.call("acl/bootstrap", {})["SecretID"]

    def wait(self, path, index=1):
        """A blocking query: returns when the thing changed after that index, and its new index."""
        with self.request(f"{path}?index={index}&wait=60s") as answer:
            return json.load(answer), int(answer.headers["X-Nomad-Index"])

    def delete(self, path):
        self.request(path, method="DELETE").close()
