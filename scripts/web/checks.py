"""What is tried on the page, in order: each check goes on where the one before it has stopped."""

import os
import socket
import subprocess
import time
import traceback

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By

from .place import PORT, Failure, Jail, eventually

HOME = f"http://clawjail.localhost:{PORT}"
MARKUP = "<img/src=x/onerror=document.title=7>"


class Page:
    """One browser that is logged in."""

    def __init__(self, driver):
        self.driver, self.seen = driver, set()

    def login(self, token):
        self.driver.get(HOME + "/login")
        self.driver.find_element(By.ID, "token").send_keys(token)
        self.driver.find_element(By.CSS_SELECTOR, "main form button").click()
        return self.driver.current_url

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def entry(self, text):
        """A new entry that says this, once it is there: the one before may still be shown for a moment."""
        def find():
            for one in self.all("#entries > li"):
                try:
                    number = one.get_attribute("data-id")
                    if number not in self.seen and text in one.text:
                        self.seen.add(number)
                        return one
                except StaleElementReferenceException:
                    pass
            return None
        return eventually(f"an entry with {text}", find)

    def text(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def run(self, script, *words):
        return self.driver.execute_async_script(script, *words)


def fill(entry, name, value):
    field = entry.find_element(By.NAME, name)
    field.clear()
    field.send_keys(value)


def press(entry, name):
    entry.find_element(By.CSS_SELECTOR, f"button.{name}").click()


def expect(found, what, *more):
    if not found:
        raise Failure(" ".join([what, *map(str, more)]))


def rights(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


class Story:
    def __init__(self, place, images):
        self.place, self.images = place, images

    def shoot(self, page, name):
        if not self.images:
            return
        time.sleep(0.3)
        path = os.path.join(self.images, name)
        page.driver.save_screenshot(path)
        expect(os.path.getsize(path) < 150_000, "the image is too large", os.path.getsize(path))

    def begin(self):
        """there is a page, and a jail that asks"""
        place = self.place
        self.tokens = {name: place.token(name, role) for name, role in
                       (("ann", "approver"), ("vic", "viewer"), ("olga", "operator"))}
        self.server = place.serve()
        expect(self.server.poll() is None, "the page has ended:", place.said())
        self.jail = Jail(place, "chat", "60s", MARKUP)
        self.jail.ask("/status", "GET")
        expect(self.jail.status() == "200", "what a rule allows is not asked about", place.said())

    def out_of_reach(self):
        """no jail reaches the page, whatever its profile allows"""
        self.jail.ask("/login", "GET", PORT)
        # Before a request was read: there is nobody who would answer one.
        expect(self.jail.status() == "000", "the page, from a jail", self.jail.answer())
        expect("kept for 'clawjail approvals serve'" in self.log(), "the reason")

    def tenants(self):
        """tokens of other owners see neither the jail nor what it asks for"""
        self.jail.ask("/v1/seen")
        eventually("the question", lambda: '"subject":"POST' in self.place.clawjail("approvals", "list", "--json"))
        own = self.place.hear(self.place.token("own", "approver", "--owner", self.place.user))
        other = self.place.hear(self.place.token("other", "admin", "--owner", "4711"))
        expect([one["path"] for one in own["queue"]["entries"]] == ["/v1/seen"], "one's own", own)
        expect([one["name"] for one in own["jails"]["jails"]] == ["chat"], "one's own", own)
        expect(other["queue"] == {"entries": [], "grants": []}, "another's", other)
        expect(not other["jails"]["jails"] and not other["jails"]["denials"], "another's", other)
        self.place.clawjail("approvals", "deny", "chat", "1", "--reason", "for the test")
        expect(self.jail.status() == "403", "the denied request")

    def refusals(self):
        """another name, another origin and no cookie are refused, and a wrong token as well"""
        ask, own = self.place.request, f"http://127.0.0.1:{PORT}"
        expect(ask("/", Host="evil.example")[0] == 421, "another Host")
        expect(ask("/", Host=f"evil.example:{PORT}")[0] == 421, "another Host with the port")
        form = f"token={self.tokens['ann']}".encode()
        expect(ask("/login", form, Origin="http://evil.example")[0] == 403, "another Origin")
        expect(ask("/login", form)[0] == 403, "no Origin")
        expect(ask("/login", form, Origin=own, Sec_Fetch_Site="cross-site")[0] == 403, "another site")
        expect(ask("/login", b"token=clawjail_" + b"0" * 64, Origin=own)[0] == 401, "a wrong token")
        expect(ask("/events")[0] == 401, "no cookie")
        expect(ask("/decide", b"jail=chat", Origin=own)[0] == 401, "no cookie, and a decision")
        status, _, headers = ask("/login", form, Origin=own)
        cookie = headers["Set-Cookie"]
        expect(status == 303 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, "the cookie", cookie)
        expect(self.tokens["ann"] not in cookie, "the token is in the cookie")
        self.cookie = cookie.split(";")[0]
        status, text, headers = ask("/", Cookie=self.cookie)
        expect(status == 200 and self.tokens["ann"] not in text, "the token is on the page")
        expect("default-src 'none'" in headers["Content-Security-Policy"], "the policy of the page")
        expect(ask("/decide", b"jail=chat&id=1&decision=approve&how=once&proof=x", Origin=own, Cookie=self.cookie)[0] == 403,
               "a decision without the proof of the page")

    def approve(self):
        """a denied POST is an entry, is approved for five minutes, and works"""
        self.page = Page(self.place.browser())
        expect(self.page.login(self.tokens["ann"]) == HOME + "/", "the login", self.page.driver.current_url)
        self.jail.ask("/v1/hook")
        entry = self.page.entry("/v1/hook")
        for part in ("chat", "127.0.0.1", "POST", "Why it asks", "A yes means", "never"):
            expect(part in entry.text, f"{part} is not in the entry:", entry.text)
        eventually("the list of jails", lambda: MARKUP in self.page.text("#jails"))
        fill(entry, "reason", "the release notes")
        self.shoot(self.page, "approvals.png")
        fill(entry, "reason", f"the release notes {MARKUP}")
        fill(entry, "time", "5m")
        press(entry, "for")
        expect(self.jail.status() == "200", "the approved request")
        grant = eventually("the grant", lambda: self.page.all("#grants > li"))[0]
        expect("for 5m" in grant.text and "'ann' by token" in grant.text, "the grant", grant.text)
        self.jail.ask("/v1/hook")
        expect(self.jail.status() == "200", "the second request of the grant")

    def text(self):
        """what jails and people write is shown as text, and runs nowhere"""
        shown = self.page.text("#grants") + self.page.text("#jails")
        expect(shown.count("<img/src=x/onerror=") == 2, "the markup is not shown as text:", shown)
        expect(not self.page.all("img"), "the markup has become an element")
        expect(self.page.driver.title.endswith("Jails – clawjail"), "the markup has run")

    def revoke(self):
        """a grant is revoked, and the next request asks again"""
        self.page.all("#grants button.revoke")[0].click()
        eventually("no grant", lambda: not self.page.all("#grants > li"))
        self.jail.ask("/v1/hook")
        self.entry = self.page.entry("/v1/hook")
        expect("approved by 'ann' by token" in self.entry.text, "what was decided before", self.entry.text)

    def end_of_time(self):
        """a grant for a time ends with it"""
        fill(self.entry, "time", "2s")
        press(self.entry, "for")
        expect(self.jail.status() == "200", "the request within the time")
        eventually("the end of the grant", lambda: '"what":"ended","grant":2' in self.log())
        self.jail.ask("/v1/hook")
        entry = self.page.entry("/v1/hook")
        fill(entry, "reason", "that was enough")
        press(entry, "deny")
        expect(self.jail.status() == "403", "the denied request")
        expect("that was enough" in self.jail.answer(), "the reason", self.jail.answer())
        def rule():
            texts = [one.get_attribute("value") for one in self.page.all("#denials textarea")]
            return next((text for text in texts if '"/v1/hook"' in text), None)
        text = eventually("the rule that allows it", rule)
        expect(text.startswith("network: { allow: [{") and '"POST"' in text, "the rule", text)

    def viewer(self):
        """a viewer sees no buttons, and a POST that is forged is refused"""
        other = Page(self.place.browser(phone=True))
        other.login(self.tokens["vic"])
        self.jail.ask("/v1/other")
        entry = other.entry("/v1/other")
        expect(not other.all("#entries button") and not other.all("#lockdown"), "a viewer has buttons")
        expect(other.driver.execute_script("return document.documentElement.scrollWidth <= 360"),
               "the page is wider than a phone")
        forged = other.run("""
            const [id, done] = arguments;
            fetch('/decide', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'},
              body: new URLSearchParams({jail: 'chat', id, decision: 'approve', how: 'once', proof: document.body.dataset.proof})})
              .then(async (answer) => done([answer.status, await answer.text()]));""", entry.get_attribute("data-id"))
        expect(forged[0] == 403 and "is viewer, which may not decide" in forged[1], "the forged decision", forged)
        self.phone = other

    def phone_image(self):
        """the same entry on a phone, for somebody who decides"""
        self.phone.driver.delete_all_cookies()
        self.phone.login(self.tokens["ann"])
        self.phone.seen.clear()
        entry = self.phone.entry("/v1/other")
        self.shoot(self.phone, "approvals-phone.png")
        press(entry, "once")
        expect(self.jail.status() == "200", "approved on a phone")
        bad = [line["message"] for page in (self.page, self.phone) for line in page.driver.get_log("browser")
               if "Content Security Policy" in line["message"] or "Uncaught" in line["message"]]
        expect(not bad, "the browser complains:", bad)

    def closed(self):
        """a closed page denies, by time-out"""
        self.page.driver.get("about:blank")
        self.phone.driver.get("about:blank")
        hasty = Jail(self.place, "hasty", "2s")
        hasty.ask("/v1/hook")
        expect(hasty.status() == "403", "what nobody has answered")
        expect("nobody answered" in hasty.answer() or "not given" in hasty.answer(), "the reason", hasty.answer())

    def log(self):
        return self.place.clawjail("audit", "show", "chat", "--json")

    def audit(self):
        """everything stands in the log, with who, how far and why"""
        log = self.log()
        for part in ('"what":"asked"', '"what":"approved"', "'ann' by token", "the release notes", '"milliseconds":300000',
                     '"what":"used"', '"what":"ended"', "has revoked it", '"what":"denied"', "that was enough", '"what":"refused"'):
            expect(part in log, f"{part} is not in the log")
        expect(self.tokens["ann"] not in log, "the token is in the log")

    def revoked_token(self):
        """a session ends with its token"""
        self.place.clawjail("token", "revoke", "ann")
        status, _, headers = self.place.request("/", Cookie=self.cookie)
        expect(status == 303 and headers["Location"] == "/login", "the session of a revoked token", status)

    def lockdown(self):
        """an operator locks a jail down, and says so twice"""
        self.page.login(self.tokens["olga"])
        eventually("the jail's name", lambda: "chat" in self.page.text("#jails"))
        expect(not self.page.all("#entries button"), "an operator decides")
        self.page.driver.find_element(By.ID, "lockdown").click()
        choice = self.page.driver.find_element(By.ID, "lockdown-jail")
        next(one for one in choice.find_elements(By.TAG_NAME, "option") if one.get_attribute("value") == "chat").click()
        self.page.driver.find_element(By.ID, "lockdown-reason").send_keys("for the test")
        self.page.driver.find_element(By.ID, "lockdown-yes").click()
        eventually("the lockdown", lambda: "locked down; 1 of 1 stand still" in self.page.text("#result"))
        expect("'olga' by token" in self.log(), "who has locked it down")
        self.place.clawjail("lockdown", "chat", "--reason", "the end of the test", "--no-evidence")

    def process(self):
        """the page's process has no file, no capability, and no way back"""
        page = subprocess.run(["pgrep", "-P", str(self.server.pid)], capture_output=True, text=True).stdout.split()[0]
        status, desk = rights(page), rights(self.server.pid)
        expect(int(desk["CapPrm"], 16) == 0 and desk["NoNewPrivs"] == "1", "the rights of the one that reaches jails")
        expect(status["Uid"].split()[0] not in ("0", str(self.place.payload[0])), "its user", status["Uid"])
        expect(int(status["CapPrm"], 16) == 0 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "its rights")
        kinds = {os.readlink(f"/proc/{page}/fd/{number}").split(":")[0] for number in os.listdir(f"/proc/{page}/fd")
                 if int(number) > 2}
        expect(kinds <= {"socket", "anon_inode"}, "its descriptors", kinds)

    def end(self):
        """the page is gone with the one that reaches jails, whoever is connected"""
        with socket.create_connection(("127.0.0.1", PORT), timeout=10):
            self.server.kill()
            self.server.wait(10)
            eventually("nobody listens", lambda: self.place.request("/login")[0] == 0)


ORDER = ("begin", "out_of_reach", "tenants", "refusals", "approve", "text", "revoke", "end_of_time", "viewer", "phone_image",
         "closed", "audit", "revoked_token", "lockdown", "process", "end")


def run(place, images):
    story = Story(place, images)
    passed = 0
    for name in ORDER:
        check = getattr(story, name)
        start = time.monotonic()
        try:
            check()
        except Exception as error:  # noqa: BLE001
            print(f"FAIL {check.__doc__}: {error}")
            if not isinstance(error, Failure):
                traceback.print_exc()
            print(place.said())
            # What follows stands upon it.
            print(f"{passed} passed, {len(ORDER) - passed} failed")
            return 1
        passed += 1
        if os.environ.get("CLAWJAIL_TEST_VERBOSE"):
            print(f"ok   {check.__doc__} ({time.monotonic() - start:.1f} s)")
    print(f"{passed} passed, 0 failed")
    return 0
