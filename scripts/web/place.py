"""Where the page is tried: directories that no other jail has, an origin, jails that ask, the page, and browsers."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

PORT = 18777
PATIENCE = 25
# Reads a method and an address a line, asks for it, and says the status; its own words are for the list of jails.
CLIENT = """while read -r method address; do
  curl -s -m 60 -o /workspace/answer -w '%{http_code}\\n' --noproxy '*' --path-as-is -X "$method" "$address"
done"""


class Failure(Exception):
    pass


def eventually(what, test, patience=PATIENCE):
    """What the test says once it says something; nothing waits for what is there."""
    end = time.monotonic() + patience
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"{what}: it never was")
        time.sleep(0.05)


class Origin(BaseHTTPRequestHandler):
    def answer(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Jail:
    """One that asks the origin for what it is told to."""

    def __init__(self, place, name, timeout, argument="-"):
        self.place, self.name = place, name
        workspace = place.directory(f"workspace-{name}")
        os.chown(workspace, *place.payload)
        profile = place.write(f"{name}.json5", """{
          extends: "session",
          network: {
            allow: [{ hosts: ["127.0.0.1"], ports: [%d, %d], schemes: ["http"], methods: ["GET"] }],
            allowPrivate: ["127.0.0.1/32"],
          },
          approvals: { ask: ["network"], timeout: "%s" },
        }""" % (place.origin.server_port, PORT, timeout))
        self.process = subprocess.Popen(
            [place.binary, "run", "--profile", profile, "--name", name, "--user", place.user, "--workspace", workspace, "--",
             "/bin/sh", "-c", CLIENT, "client", argument],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=place.log, text=True, bufsize=1)
        place.running.append(self.process)

    def ask(self, path, method="POST", port=None):
        self.process.stdin.write(f"{method} http://127.0.0.1:{port or self.place.origin.server_port}{path}\n")

    def status(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise Failure(f"jail {self.name} has ended; {self.place.said()}")
        return line

    def answer(self):
        """What the last one was answered with."""
        with open(os.path.join(self.place.root, f"workspace-{self.name}", "answer"), encoding="utf-8") as file:
            return file.read()


class Place:
    def __init__(self, binary):
        self.binary, self.user, self.running, self.browsers = binary, "nobody", [], []
        account = pwd.getpwnam(self.user)
        self.payload = account.pw_uid, account.pw_gid
        # This process has a mount namespace of its own.
        for directory in ("/run/clawjail", "/var/lib/clawjail"):
            os.makedirs(directory, mode=0o700, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", directory], check=True)
        # Not below /tmp: a jail has its own.
        self.root = tempfile.mkdtemp(prefix="clawjail-web-", dir="/var/lib")
        os.chmod(self.root, 0o755)
        self.log = open(os.path.join(self.root, "log"), "w+", encoding="utf-8")
        self.origin = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
        threading.Thread(target=self.origin.serve_forever, daemon=True).start()

    def directory(self, name):
        path = os.path.join(self.root, name)
        os.mkdir(path, 0o700)
        return path

    def write(self, name, text):
        os.makedirs(os.path.join(self.root, "profiles"), exist_ok=True)
        path = os.path.join(self.root, "profiles", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()[-3000:]

    def clawjail(self, *words):
        done = subprocess.run([self.binary, *words], capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Failure(f"clawjail {' '.join(words)}: status {done.returncode} {done.stderr}")
        return done.stdout

    def token(self, name, role, *more):
        return self.clawjail("token", "create", name, "--role", role, "--expires", "1h", *more).strip()

    def serve(self):
        process = subprocess.Popen([self.binary, "approvals", "serve", "--port", str(PORT)], stdout=self.log, stderr=self.log)
        self.running.append(process)
        eventually("the page", lambda: process.poll() is not None or self.request("/login")[0] == 200)
        return process

    def request(self, path, data=None, **headers):
        """(status, text, headers), without a browser, and without following."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=data, headers=headers)

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None
        try:
            with urllib.request.build_opener(Stay).open(asked, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), answer.headers
        except OSError as error:
            return 0, str(error), {}

    def hear(self, token):
        """What an open page is told first, by name of the event; without a browser."""
        own = f"http://127.0.0.1:{PORT}"
        cookie = self.request("/login", f"token={token}".encode(), Origin=own)[2]["Set-Cookie"].split(";")[0]
        told = {}
        with urllib.request.urlopen(urllib.request.Request(own + "/events", headers={"Cookie": cookie}), timeout=10) as answer:
            while len(told) < 2:
                line = answer.readline().decode()
                if line.startswith("event: "):
                    told[line.split()[1]] = json.loads(answer.readline().decode().removeprefix("data: "))
        return told

    def browser(self, phone=False):
        options = Options()
        options.binary_location = shutil.which("chromium")
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--disable-component-update",
                     "--window-size=900,1100", f"--user-data-dir={self.directory(f'browser-{len(self.browsers)}')}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.browsers.append(driver)
        if phone:
            # No window is as narrow.
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                   {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": True})
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                   {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        return driver

    def close(self):
        for driver in self.browsers:
            driver.quit()
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.origin.shutdown()
        self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)
