"""What the scripts in this folder share: checks, printed as one line of JSON each, and the machines under test.

A script is started with REDDRUM_URL, REDDRUM_USERNAME, REDDRUM_PASSWORD (an administrator of the service) and
REDDRUM_BMCS (a JSON list of name, address, port, username, password). It prints {"check", "error"} for each check,
and leaves with 1 where one failed.
"""

import base64
import http.server as http_server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["REDDRUM_URL"]
USERNAME = os.environ["REDDRUM_USERNAME"]
PASSWORD = os.environ["REDDRUM_PASSWORD"]
HOST = urllib.parse.urlsplit(URL).netloc
# How long a change may take to show; physics, a graceful shutdown and a round of polling are in it.
PATIENCE_S = 60
# How long one program may run.
PROGRAM_LIMIT_S = 60

_failed = False


class check:
    """One named check: passed where its block ends, failed where it raises; the script goes on either way."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        global _failed
        if kind is not None and not issubclass(kind, Exception):
            return False
        text = None
        if error is not None:
            _failed = True
            where = traceback.extract_tb(trace)[0]
            text = f"{kind.__name__}: {error} (line {where.lineno}: {where.line})"
        print(json.dumps({"check": self.name, "error": text}), flush=True)
        return True


def finish():
    """Ends the script; the last call of each."""
    sys.exit(1 if _failed else 0)


def equal(found, expected, what="value"):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def near(found, expected, tolerance, what):
    """Two readings of one sensor, taken at different moments."""
    if found is None or abs(found - expected) > tolerance:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r} +- {tolerance}")


def eventually(what, probe, limit_s=PATIENCE_S):
    """Asks until the answer is true and returns it."""
    end = time.monotonic() + limit_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {limit_s} s; the last answer was {answer!r}")
        time.sleep(0.2)


def run(*command, env=None, expect=0):
    """Runs a program to its end; what it printed. Its failure is ours, with its words."""
    finished = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=PROGRAM_LIMIT_S,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
    )
    said = finished.stdout + finished.stderr
    if expect is not None and finished.returncode != expect:
        raise AssertionError(f"exit code {finished.returncode}, expected {expect}: {said.strip()[-2000:]}")
    return said


class Machine:
    """One machine, as its BMC tells it: the other side of every comparison."""

    def __init__(self, facts):
        self.name = facts["name"]
        self.facts = facts

    def ipmitool(self, *arguments):
        facts = self.facts
        return run(
            # On a busy machine an answer may take longer than ipmitool's second.
            "ipmitool", "-I", "lanplus", "-C", "17", "-N", "3", "-R", "4", "-H", facts["address"], "-p", facts["port"],
            "-U", facts["username"], "-E", *arguments,
            env={"IPMI_PASSWORD": facts["password"]},
        )

    def power(self):
        """'on' or 'off'."""
        return self.ipmitool("chassis", "power", "status").strip().removeprefix("Chassis Power is ")

    def is_lit(self):
        """Whether the identify light is lit. ipmitool doesn't print it: bits 5:4 of the third byte of Get Chassis
        Status (IPMI 2.0 §28.2), of which bit 6 says that they mean something."""
        state = bytes.fromhex(self.ipmitool("raw", "0x00", "0x01").replace(" ", "").strip())[2]
        holds(state & 0x40, f"identify state is not supported: {state:#04x}")
        return state & 0x30 != 0

    def chassis_status(self):
        return self.ipmitool("chassis", "status")

    def boot_flags(self):
        """The boot flags in ipmitool's words."""
        return self.ipmitool("chassis", "bootparam", "get", "5")

    def sensor(self, name):
        """The reading of one sensor."""
        for line in self.ipmitool("sensor", "reading", name).splitlines():
            key, _, value = line.partition("|")
            if key.strip() == name:
                return float(value)
        raise AssertionError(f"ipmitool knows no sensor {name}")

    def sensors(self):
        """Name -> (reading, unit) of every sensor that has a number."""
        found = {}
        for line in self.ipmitool("sensor").splitlines():
            name, reading, unit, *_ = (part.strip() for part in line.split("|"))
            try:
                found[name] = (float(reading), unit)
            except ValueError:
                continue
        return found

    def log(self):
        """The entries of the System Event Log, a line each."""
        return [line for line in self.ipmitool("sel", "list").splitlines() if "|" in line]

    def parts(self):
        """Every nameplate: name of the FRU device -> its fields."""
        found = {}
        for block in self.ipmitool("fru", "print").split("FRU Device Description :")[1:]:
            name, *lines = block.splitlines()
            pairs = (line.split(":", 1) for line in lines if ":" in line)
            found[name.split("(ID")[0].strip()] = {key.strip(): value.strip() for key, value in pairs}
        return found

    def network(self):
        """The LAN parameters of channel 1, as ipmitool prints them."""
        pairs = (line.split(":", 1) for line in self.ipmitool("lan", "print", "1").splitlines() if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs if key.strip()}

    def fru(self):
        """The fields of the FRU with number 0."""
        lines = self.ipmitool("fru", "print", "0").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs}


MACHINES = [Machine(facts) for facts in json.loads(os.environ["REDDRUM_BMCS"])]


def certificate_file():
    """The service's own certificate: a client that trusts it and nothing else verifies the connection for real."""
    host, _, port = HOST.partition(":")
    file = tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False)
    file.write(ssl.get_server_certificate((host, int(port))))
    file.close()
    return file.name


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body) if self.body else None


def http(method, path, body=None, headers=None, login=(USERNAME, PASSWORD)):
    """One request with Python's own client: to look at what another client did. Any status is an answer."""
    request = urllib.request.Request(URL + path, method=method, headers=headers or {})
    basic = base64.b64encode(":".join(login).encode()).decode()
    request.add_header("Authorization", f"Basic {basic}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    context = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def role_of(username, password):
    """The role that this login has, by what it may do; `None` where it may not log in."""
    session = {"UserName": username, "Password": password}
    answer = http("POST", "/redfish/v1/SessionService/Sessions", session)
    if answer.status == 401:
        return None
    equal(answer.status, 201, "login")
    path = answer.headers["Location"]
    path = path if path.startswith("/") else "/" + path.split("/", 3)[3]
    equal(http("DELETE", path).status, 204, "logout")
    accounts = get("/redfish/v1/AccountService/Accounts?$expand=.")["Members"]
    [own] = [account for account in accounts if account["UserName"] == username]
    # The word of the account must be what it may really do: change a machine (400 = may, and asked for nothing).
    login = (username, password)
    may_change = http("PATCH", f"/redfish/v1/Systems/{MACHINES[0].name}", {"Moon": 1}, login=login).status != 403
    may_configure = http("GET", "/redfish/v1/AccountService/Accounts", login=login).status == 200
    expected = {"Administrator": True, "Operator": True, "ReadOnly": False}
    equal(may_change, expected[own["RoleId"]], f"may change, as {own['RoleId']}")
    holds(may_configure or own["RoleId"] != "Administrator", "an administrator may not see accounts")
    return own["RoleId"]


def get(path):
    """A resource that must be there."""
    answer = http("GET", path)
    equal(answer.status, 200, f"GET {path}")
    return answer.json()


class Listener:
    """A receiver of events on this machine: what was posted to it, as it came."""

    def __init__(self):
        listener = self
        self.events = []

        class Handler(http_server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.events += json.loads(body)["Events"]
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/events"

    def about(self, path):
        """The identifiers of the messages whose origin is this resource."""
        return [event["MessageId"] for event in self.events
                if event.get("OriginOfCondition", {}).get("@odata.id") == path]


class ImageServer:
    """A server of one image on this machine, with HTTPS, Basic authentication and a certificate of its own."""

    def __init__(self, image):
        self.password = "Image-Passw0rd"
        expected = "Basic " + base64.b64encode(f"images:{self.password}".encode()).decode()
        with open(image, "rb") as file:
            content = file.read()

        class Handler(http_server.BaseHTTPRequestHandler):
            def do_GET(self):
                is_known = self.headers.get("Authorization") == expected
                self.send_response(200 if is_known else 401)
                self.send_header("Content-Length", str(len(content) if is_known else 0))
                self.end_headers()
                if is_known:
                    self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = os.environ["REDDRUM_IMAGE_SERVER"]
        context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{self.server.server_port}/{os.path.basename(image)}"


def settle():
    """Waits until every sensor of every machine has been read."""
    def read(machine):
        sensors = get(f"/redfish/v1/Chassis/{machine.name}/Sensors?$expand=.")["Members"]
        return sensors and all(isinstance(sensor.get("Reading"), (int, float)) for sensor in sensors)

    eventually("reading of every sensor", lambda: all(read(machine) for machine in MACHINES))
