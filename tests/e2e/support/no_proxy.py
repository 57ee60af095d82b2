"""
What libcurl and botocore make of the variables that name a proxy: reads {"rows": [[host, NO_PROXY]], "environments":
[variables]} as JSON, writes of each row [curl, botocore], whether the host is exempt, and of each environment the same,
which proxy an endpoint of https gets: "lower", "upper" or null. LOWER and UPPER in a value stand for host and port.

libcurl is asked by whom it talks to; where that is no proxy, it is led to a port at which nobody listens.
"""
import json
import os
import socket
import sys
import threading

import pycurl
from botocore.utils import get_environ_proxies, should_bypass_proxies

NOBODY = "::127.0.0.1:1"
NAMES = [name for lower in ("https_proxy", "http_proxy", "all_proxy", "no_proxy") for name in (lower, lower.upper())]


class Proxy:
    """Accepts, and says nothing more; seen: how often."""

    def __init__(self):
        self.seen = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.place = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self.socket.accept()
            connection.recv(4096)
            self.seen += 1
            connection.close()


def curl_asks(url, *options):
    curl = pycurl.Curl()
    for option, value in ((curl.URL, url), (curl.CONNECT_TO, [NOBODY]), (curl.TIMEOUT, 20), *options):
        curl.setopt(option, value)
    try:
        curl.perform()
    except pycurl.error:
        pass
    curl.close()


def curl_exempts(proxy, url, exempt):
    before = proxy.seen
    curl_asks(url, (pycurl.PROXY, "http://" + proxy.place), (pycurl.NOPROXY, exempt))
    return proxy.seen == before


def botocore_exempts(url, exempt):
    os.environ["NO_PROXY"] = exempt
    return should_bypass_proxies(url)


def curl_chooses(proxies, url):
    before = {name: proxy.seen for name, proxy in proxies.items()}
    curl_asks(url)
    return next((name for name, proxy in proxies.items() if proxy.seen > before[name]), None)


def botocore_chooses(proxies, url):
    place = get_environ_proxies(url).get("https", "").removeprefix("http://")
    return next((name for name, proxy in proxies.items() if proxy.place == place), None)


def clear():
    for name in NAMES:
        os.environ.pop(name, None)


def main():
    asked = json.load(sys.stdin)
    proxies = {"lower": Proxy(), "upper": Proxy()}
    rows, environments = [], []
    clear()
    for host, exempt in asked["rows"]:
        url = "https://%s/" % ("[%s]" % host if ":" in host else host)
        rows.append([curl_exempts(proxies["lower"], url, exempt), botocore_exempts(url, exempt)])
    for variables in asked["environments"]:
        clear()
        for name, value in variables.items():
            os.environ[name] = value.replace("LOWER", proxies["lower"].place).replace("UPPER", proxies["upper"].place)
        environments.append([choose(proxies, "https://a.example/") for choose in (curl_chooses, botocore_chooses)])
    json.dump({"rows": rows, "environments": environments}, sys.stdout)


main()
