"""redfish-utilities ("Redfish Tacklebox"), DMTF's scripts for everyday work: each one's output compared."""

import os
import socket
import ssl
import sys
import tempfile

from checks import (
    HOST, Listener, MACHINES, PASSWORD, URL, USERNAME, check, equal, eventually, finish, get, holds, near, role_of, run, settle,
)

FOLDER = os.path.dirname(sys.executable)
MACHINE, OTHER = MACHINES[0], MACHINES[1]
SYSTEM = f"/redfish/v1/Systems/{MACHINE.name}"


def call(name, *arguments, expect=0, password=PASSWORD, username=USERNAME):
    """What a script prints."""
    script = os.path.join(FOLDER, f"{name}.py")
    return run(sys.executable, script, "-u", username, "-p", password, "-r", URL, *arguments, expect=expect)


def rows(said, separator="|"):
    """The cells of every line of a table that has more than one."""
    lines = (line.split(separator) for line in said.splitlines() if separator in line)
    return [[cell.strip() for cell in line] for line in lines]


def read_inventory():
    with check("rf_sys_inventory --details: every machine with its nameplate"):
        said = call("rf_sys_inventory", "--details")
        for machine in MACHINES:
            holds(f"'{machine.name}' Inventory" in said, f"{machine.name} is missing")
            parts = machine.parts().items()
            for name, fields in [(name, fields) for name, fields in parts if not name.startswith("PSU")]:
                serial = fields.get("Chassis Serial") or fields.get("Product Serial") or fields["Serial Number"]
                holds(f"SerialNumber: {serial}" in said, f"no serial number {serial} of {machine.name}, {name}")
    with check("rf_sensor_list: every sensor of a machine, as ipmitool reads it"):
        said = call("rf_sensor_list")
        _, part = said.split(f"Chassis '{OTHER.name}' Status", 1)
        table = {row[0]: row for row in rows(part.split("\n\n", 1)[0])}
        for name, (reading, unit) in OTHER.sensors().items():
            holds(name in table, f"{name} is missing")
            found = float(table[name][1].split()[0])
            near(found, reading, max(15, reading / 2) if unit != "Volts" else 0.2, name)
    with check("rf_raw_request"):
        holds('"RedfishVersion"' in call("rf_raw_request", "-req", "/redfish/v1/"), "no RedfishVersion")


def switch():
    one = ["-s", MACHINE.name]
    with check("rf_power_reset --info"):
        said = call("rf_power_reset", *one, "-i")
        holds("ForceRestart" in said and f"Current power state: {MACHINE.power().capitalize()}" in said, said)
    for reset, state in [("GracefulShutdown", "off"), ("On", "on"), ("ForceRestart", "on"), ("ForceOff", "off"),
                         ("On", "on"), ("PowerCycle", "on")]:
        with check(f"rf_power_reset --type {reset}: ipmitool says {state}"):
            call("rf_power_reset", *one, "-t", reset)
            eventually(f"power {state}", lambda state=state: MACHINE.power() == state)
            eventually(f"PowerState {state}", lambda state=state: get(SYSTEM)["PowerState"].lower() == state)


def choose_boot():
    one = ["-s", MACHINE.name]
    for arguments, words in [
        (["-t", "Pxe", "-m", "UEFI"], ["Boot Flag Valid", "only next boot", "EFI boot", "Force PXE"]),
        (["-t", "BiosSetup", "-m", "Legacy"], ["Boot Flag Valid", "only next boot", "legacy", "BIOS Setup"]),
        (["-t", "None"], ["Boot Flag Invalid"]),
    ]:
        with check(f"rf_boot_override {' '.join(arguments)}: as ipmitool prints it"):
            call("rf_boot_override", *one, *arguments)
            flags = MACHINE.boot_flags()
            for word in words:
                holds(word in flags, f"{word!r} is not in {flags}")
    with check("rf_boot_override --target Pxe --reset: the machine boots, the override is used up"):
        call("rf_boot_override", *one, "-t", "Pxe", "-m", "UEFI", "--reset")
        eventually("used up override", lambda: "Boot Flag Invalid" in MACHINE.boot_flags())
    with check("rf_boot_override --info"):
        # Boot options are read each tenth round: what the boot used up shows some seconds later.
        said = eventually("disabled override", lambda: "Enabled: Disabled" in (
            said := call("rf_boot_override", *one, "-i")) and said)
        for word in ["Target: None", "Pxe, Hdd, Cd", "Mode: UEFI"]:
            holds(word in said, f"{word!r} is not in {said}")


def read_logs():
    one = ["-m", OTHER.name]
    with check("rf_logs: as many entries as `ipmitool sel list`"):
        entries = rows(call("rf_logs", *one))[1:]
        equal(len(entries), len(OTHER.log()))
        holds(all(row[1].startswith("20") and row[2] for row in entries), f"no time or text in {entries}")
    with check("rf_logs --first --max: a page of them"):
        equal(len(rows(call("rf_logs", *one, "--first", "2", "--max", "2"))[1:]), 2)
    with check("rf_logs --clear: ipmitool finds it empty"):
        call("rf_logs", *one, "--clear")
        equal(len(OTHER.log()), 0, "ipmitool")
        equal(len(rows(call("rf_logs", *one))[1:]), 0)
    with check("rf_sel"):
        call("rf_sel")


def read_manager():
    with check("rf_manager_config info: firmware as `ipmitool mc info` prints it"):
        said = call("rf_manager_config", "-m", OTHER.name, "info")
        [version] = [line.split(": ")[1] for line in said.splitlines() if "FirmwareVersion" in line]
        holds(version in OTHER.ipmitool("mc", "info"), version)


    with check("rf_manager_config getnet: as `ipmitool lan print` prints it"):
        network = OTHER.network()
        said = call("rf_manager_config", "-m", OTHER.name, "getnet")
        for word in [network["MAC Address"], f"{network['IP Address']}: {network['Subnet Mask']}"]:
            holds(word.lower() in said.lower(), f"{word} is not in {said}")
    with check("rf_manager_config getprotocol"):
        port = str(OTHER.facts["port"])
        holds(["IPMI", "True", port, ""] in rows(call("rf_manager_config", "-m", OTHER.name, "getprotocol")), "no IPMI")
    with check("rf_manager_config reset: the controller comes back"):
        call("rf_manager_config", "-m", OTHER.name, "reset", "--type", "ForceRestart")
        eventually("controller that is back", lambda: get(
            f"/redfish/v1/Managers/{OTHER.name}")["Status"]["State"] == "Enabled" and OTHER.power() == "on")


def update():
    target = f"/redfish/v1/UpdateService/FirmwareInventory/{MACHINE.name}-BMC"
    with check("rf_update: the new version is the one that ipmitool prints, in the inventory too"):
        image = os.path.abspath("rf_update.hpm")
        run(os.environ["REDDRUM_BINARY"], "vbmc", "firmware", "--version", "4.20", "-o", image)
        said = call("rf_update", "--image", image, "--target", target)
        holds("Task is Done!" in said and "Base." not in said, said)
        holds(": 4.20" in MACHINE.ipmitool("mc", "info"), "another version runs")
        equal(get(target)["Version"], "4.20")
    with check("rf_firmware_inventory: versions as the machine has them"):
        holds("4.20" in call("rf_firmware_inventory"), "no 4.20")
    with check("rf_update: an image for something else is refused"):
        with open(image, "r+b") as file:
            file.seek(100)
            file.write(b"damage")
        said = call("rf_update", "--image", image, "--target", target)
        holds("PropertyValueError" in said, said)
        equal(get(target)["Version"], "4.20")


def subscribe():
    listener = Listener()
    with check("rf_event_service subscribe: what happens to a machine arrives"):
        call("rf_event_service", "subscribe", "-dest", listener.url, "-c", "clients", "-reg", "ResourceEvent")
        call("rf_power_reset", "-s", MACHINE.name, "-t", "ForceOff")
        eventually("event about the machine", lambda: listener.about(SYSTEM))
        call("rf_power_reset", "-s", MACHINE.name, "-t", "On")
    with check("rf_event_service info, unsubscribe"):
        said = call("rf_event_service", "info")
        holds(listener.url in said, said)
        subscriptions = get("/redfish/v1/EventService/Subscriptions?$expand=.")["Members"]
        [own] = [one["Id"] for one in subscriptions if one["Destination"] == listener.url]
        call("rf_event_service", "unsubscribe", "-i", own)
        holds(listener.url not in call("rf_event_service", "info"), "it is listed still")


def read_accounts():
    with check("rf_accounts: the accounts with their roles"):
        holds([USERNAME, "Administrator", "False", "True"] in rows(call("rf_accounts")), "no administrator")
    with check("a wrong password fails"):
        call("rf_accounts", password="wrong", expect=1)
    name, renamed, first, second = "ulla", "ulrike", "First-Passw0rd", "Second-Passw0rd"
    with check("rf_accounts --add"):
        call("rf_accounts", "-add", name, first, "Operator")
        equal(role_of(name, first), "Operator")
    with check("rf_accounts --setrole, --setname, --setpassword"):
        call("rf_accounts", "-setrole", name, "ReadOnly")
        call("rf_accounts", "-setname", name, renamed)
        call("rf_accounts", "-setpassword", renamed, second)
        equal(role_of(renamed, second), "ReadOnly")
        equal(role_of(renamed, first), None)
    with check("rf_accounts --disable, --enable, --unlock"):
        call("rf_accounts", "-disable", renamed)
        equal(role_of(renamed, second), None)
        call("rf_accounts", "-enable", renamed)
        call("rf_accounts", "-unlock", renamed)
        equal(role_of(renamed, second), "ReadOnly")
    with check("rf_accounts --delete"):
        call("rf_accounts", "-delete", renamed)
        equal(role_of(renamed, second), None)


def trusts(authority):
    """The subject of the service's certificate, which a client that trusts this authority alone accepts."""
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = False
    host, _, port = HOST.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw, context.wrap_socket(raw) as tls:
        return dict(pair for [pair] in tls.getpeercert()["subject"])


def certify():
    own = "/redfish/v1/Managers/RedDrum/NetworkProtocol/HTTPS/Certificates"
    folder = tempfile.mkdtemp()
    path = lambda name: os.path.join(folder, name)
    with check("rf_certificates info --details: the certificate that the service shows"):
        said = call("rf_certificates", "info", "--details")
        holds(f"Certificate: {own}/1" in said and "Valid Not After: 20" in said, said)
    with check("rf_certificates csrinfo: what may be asked for"):
        said = call("rf_certificates", "csrinfo")
        holds("CommonName" in said and "CertificateCollection" in said, said)
    with check("rf_certificates csr: OpenSSL finds the request good"):
        call("rf_certificates", "csr", "-col", own, "-cn", "localhost", "-o", "Ours", "-ou", "Racks", "-l", "Ulm",
             "-st", "BW", "-c", "DE", "-out", path("csr.pem"))
        said = run("openssl", "req", "-in", path("csr.pem"), "-noout", "-verify", "-subject")
        holds("localhost" in said and "Ours" in said, said)
    with check("rf_certificates install: what a test's own authority signed is shown from now on"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test authority",
            "-keyout", path("ca.key"), "-out", path("ca.pem"))
        with open(path("extensions"), "w") as file:
            file.write("subjectAltName = DNS:localhost\nextendedKeyUsage = serverAuth\n")
        run("openssl", "x509", "-req", "-days", "1", "-extfile", path("extensions"), "-in", path("csr.pem"), "-CA", path("ca.pem"),
            "-CAkey", path("ca.key"), "-CAcreateserial", "-out", path("new.pem"))
        call("rf_certificates", "install", "-dest", f"{own}/1", "-cert", path("new.pem"))
        equal(trusts(path("ca.pem"))["commonName"], "localhost")
        holds("Issuer: CN=Test authority" in (said := call("rf_certificates", "info")), said)
    with check("rf_certificates install: a certificate of another key is refused and changes nothing"):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Other",
            "-keyout", path("other.key"), "-out", path("other.pem"))
        call("rf_certificates", "install", "-dest", f"{own}/1", "-cert", path("other.pem"), expect=1)
        equal(trusts(path("ca.pem"))["commonName"], "localhost")


settle()
read_inventory()
switch()
choose_boot()
read_logs()
read_manager()
read_accounts()
update()
subscribe()
certify()
finish()
