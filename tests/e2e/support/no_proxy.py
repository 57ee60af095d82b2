"""
Whom NO_PROXY exempts, by libcurl and by botocore: reads a list of [host, list] as JSON, writes one of [curl, botocore].

libcurl is asked by whether it talks to the proxy; where it does not, it is led to a port at which nobody listens.
"""
import json
import os
import socket
import sys
import threading

import pycurl
from botocore.utils import should_bypass_proxies

NOBODY = "::127.0.0.1:1"


class Proxy:
    """Accepts, and says nothing more; seen: how often."""

    def __init__(self):
        self.seen = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self.socket.accept()
            connection.recv(4096)
            self.seen += 1
            connection.close()


def curl_exempts(proxy, url, exempt):
    before = proxy.seen
    curl = pycurl.Curl()
    for option, value in (
        (curl.URL, url),
        (curl.PROXY, proxy.url),
        (curl.NOPROXY, exempt),
        (curl.CONNECT_TO, [NOBODY]),
        (curl.TIMEOUT, 20),
    ):
        curl.setopt(option, value)
    try:
        curl.perform()
    except pycurl.error:
        pass
    curl.close()
    return proxy.seen == before


def botocore_exempts(url, exempt):
    os.environ["NO_PROXY"] = exempt
    return should_bypass_proxies(url)


def main():
    proxy = Proxy()
    found = []
    for host, exempt in json.load(sys.stdin):
        url = "https://%s/" % ("[%s]" % host if ":" in host else host)
        found.append([curl_exempts(proxy, url, exempt), botocore_exempts(url, exempt)])
    json.dump(found, sys.stdout)


for name in ("no_proxy", "NO_PROXY"):
    os.environ.pop(name, None)
main()
