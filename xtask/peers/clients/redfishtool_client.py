"""redfishtool, DMTF's command line: its subcommands, each with what it prints compared."""

import json
import os
import sys

from checks import (
    HOST, MACHINES, PASSWORD, USERNAME, check, equal, eventually, finish, get, holds, http, near, role_of, run,
    settle,
)

PROGRAM = os.path.join(os.path.dirname(sys.executable), "redfishtool")
MACHINE, OTHER = MACHINES[0], MACHINES[1]
SYSTEM = f"/redfish/v1/Systems/{MACHINE.name}"


def call(*arguments, auth="Basic", credentials=None, expect=0):
    """What redfishtool prints, parsed where it is JSON."""
    if credentials is None:
        credentials = ["-u", USERNAME, "-p", PASSWORD]
    said = run(PROGRAM, "-r", HOST, "--Secure=Always", "-A", auth, *credentials, *arguments, expect=expect)
    try:
        return json.loads(said)
    except ValueError:
        return said


def read_service():
    with check("versions"):
        equal(call("versions"), {"v1": "/redfish/v1/"})
    with check("root"):
        equal(call("root"), get("/redfish/v1/"))
    with check("odata"):
        names = [entry["name"] for entry in call("odata")["value"]]
        holds({"Systems", "Chassis", "Managers", "Sessions"} <= set(names), f"only {names}")
    with check("metadata"):
        holds("ComputerSystem" in call("metadata"), "no ComputerSystem in $metadata")
    with check("raw GET"):
        equal(call("raw", "GET", SYSTEM), get(SYSTEM))
    with check("raw HEAD"):
        call("raw", "HEAD", SYSTEM)
    with check("raw GET of what isn't there fails"):
        holds("404" in call("raw", "GET", "/redfish/v1/Systems/nobody", expect=5), "no 404")


def read_systems():
    names = sorted(machine.name for machine in MACHINES)
    for auth in ["Basic", "Session"]:
        with check(f"Systems list, {auth}"):
            listed = call("Systems", "list", auth=auth)
            equal(sorted(member["Id"] for member in listed["Members"]), names)
        with check(f"Systems -I ID get, {auth}"):
            system = call("Systems", "-I", MACHINE.name, "get", auth=auth)
            equal(system["SerialNumber"], MACHINE.fru()["Product Serial"])
    with check("-A Session leaves no session behind"):
        before = get("/redfish/v1/SessionService/Sessions")["Members@odata.count"]
        call("Systems", auth="Session")
        equal(get("/redfish/v1/SessionService/Sessions")["Members@odata.count"], before)
    with check("Systems -M SerialNumber:VALUE get: found by a property"):
        found = call("Systems", "-M", f"SerialNumber:{OTHER.fru()['Product Serial']}", "get")
        equal(found["Id"], OTHER.name)
    with check("Systems -a: all of them"):
        equal(sorted(member["Id"] for member in call("Systems", "-a")["Members"]), names)
    with check("Systems -I ID -P PowerState get"):
        equal(call("Systems", "-I", MACHINE.name, "-P", "PowerState", "get")["PowerState"].lower(), MACHINE.power())


    with check("Systems Processors list, Processors -i ID"):
        one = ["Systems", "-I", MACHINE.name, "Processors"]
        listed = [member["Id"] for member in call(*one, "list")["Members"]]
        parts = MACHINE.parts()
        equal(len(listed), len([name for name in parts if name.startswith("CPU")]))
        for name in listed:
            equal(call(*one, "-i", name)["SerialNumber"], parts[name]["Product Serial"])


def change_systems():
    one = ["Systems", "-I", MACHINE.name]
    with check("Systems setBootOverride Once Pxe: as ipmitool prints it"):
        equal(call(*one, "setBootOverride", "Once", "Pxe")["Boot"]["BootSourceOverrideTarget"], "Pxe")
        for word in ["Boot Flag Valid", "only next boot", "Force PXE"]:
            holds(word in MACHINE.boot_flags(), f"{word!r} is not in {MACHINE.boot_flags()}")
    with check("Systems setBootOverride Continuous Hdd"):
        call(*one, "setBootOverride", "Continuous", "Hdd")
        for word in ["all future boots", "Force Boot from default Hard-Drive"]:
            holds(word in MACHINE.boot_flags(), f"{word!r} is not in {MACHINE.boot_flags()}")
    with check("Systems setBootOverride Disabled None"):
        call(*one, "setBootOverride", "Disabled", "None")
        holds("Boot Flag Invalid" in MACHINE.boot_flags(), MACHINE.boot_flags())
    for command in ["Systems", "Chassis"]:
        with check(f"{command} setIndicatorLed Lit, Off: as Get Chassis Status tells it"):
            for state, lit in [("Lit", True), ("Off", False)]:
                equal(call(command, "-I", MACHINE.name, "setIndicatorLed", state), {"IndicatorLED": state})
                equal(MACHINE.is_lit(), lit, "ipmitool")
    with check("Systems patch {LocationIndicatorActive: true}: with the ETag that it read"):
        call(*one, "patch", '{"LocationIndicatorActive": true}')
        equal(MACHINE.is_lit(), True, "ipmitool")
        call("raw", "PATCH", SYSTEM, "-d", '{"LocationIndicatorActive": false}')
        equal(MACHINE.is_lit(), False, "ipmitool, after raw PATCH")
    for reset, state in [("ForceOff", "off"), ("On", "on"), ("ForceRestart", "on"), ("GracefulShutdown", "off"),
                         ("On", "on"), ("PowerCycle", "on"), ("Nmi", "on")]:
        with check(f"Systems reset {reset}: ipmitool says {state}"):
            call(*one, "reset", reset)
            eventually(f"power {state}", lambda state=state: MACHINE.power() == state)
            eventually(f"PowerState {state}", lambda state=state: get(SYSTEM)["PowerState"].lower() == state)
    with check("raw POST of a reset"):
        call("raw", "POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", "-d", '{"ResetType": "ForceOff"}')
        eventually("power off", lambda: MACHINE.power() == "off")
        call(*one, "reset", "On")
        eventually("power on", lambda: MACHINE.power() == "on")


def read_chassis():
    one = ["Chassis", "-I", OTHER.name]
    with check("Chassis list"):
        listed = {member["Id"] for member in call("Chassis", "list")["Members"]}
        holds({machine.name for machine in MACHINES} <= listed, f"only {listed}")
    truth = OTHER.sensors()
    with check("Chassis Thermal: temperatures as ipmitool reads them"):
        temperatures = call(*one, "Thermal")["Temperatures"]
        holds(len(temperatures) >= 10, "too few")
        for temperature in temperatures:
            near(temperature["ReadingCelsius"], truth[temperature["Name"]][0], 10, temperature["Name"])
    with check("Chassis Power: voltages as ipmitool reads them"):
        voltages = call(*one, "Power")["Voltages"]
        holds(len(voltages) >= 5, "too few")
        for voltage in voltages:
            near(voltage["ReadingVolts"], truth[voltage["Name"]][0], 0.2, voltage["Name"])
    with check("Chassis getPowerReading"):
        consumed = call(*one, "getPowerReading", "consumed")["PowerConsumedWatts"]
        near(consumed, truth["Total Power"][0], truth["Total Power"][0] / 2, "PowerConsumedWatts")
    with check("Chassis Sensors: as many as ipmitool lists, every one with its reading"):
        _, *lines = call(*one, "Sensors").splitlines()
        rows = [line.split() for line in lines if line.strip()]
        holds(len(rows) >= len(truth), f"{len(rows)} of {len(truth)}")
        equal([row for row in rows if row[1] in ("N/A", "None")], [])


def read_managers():
    one = ["Managers", "-I", OTHER.name]
    with check("Managers list"):
        listed = {member["Id"] for member in call("Managers", "list")["Members"]}
        holds({machine.name for machine in MACHINES} <= listed, f"only {listed}")
    with check("Managers get"):
        holds(call(*one, "get")["FirmwareVersion"] in OTHER.ipmitool("mc", "info"), "another firmware than ipmitool's")
    with check("Managers NetworkProtocol"):
        equal(call(*one, "NetworkProtocol")["IPMI"], {"ProtocolEnabled": True, "Port": OTHER.facts["port"]})
    with check("Managers EthernetInterfaces list, -i ID: address as `ipmitool lan print` prints it"):
        [interface] = call(*one, "EthernetInterfaces", "list")["Members"]
        found = call(*one, "EthernetInterfaces", "-i", interface["Id"])
        network = OTHER.network()
        equal(found["MACAddress"].lower(), network["MAC Address"].lower())
        equal(found["IPv4Addresses"][0]["Address"], network["IP Address"])
    with check("Managers reset ForceRestart: the controller comes back"):
        call(*one, "reset", "ForceRestart")
        eventually("controller that is back", lambda: get(
            f"/redfish/v1/Managers/{OTHER.name}")["Status"]["State"] == "Enabled" and OTHER.power() == "on")
    with check("Managers Logs list"):
        equal([log["Id"] for log in call(*one, "Logs", "list")["Members"]], ["SEL"])
    with check("Managers Logs -i SEL -E: as many entries as `ipmitool sel list` has"):
        entries = call(*one, "Logs", "-i", "SEL", "-E")["Members"]
        equal(len(entries), len(OTHER.log()))


def log_in():
    with check("SessionService login, -t TOKEN, logout"):
        session = call("SessionService", "login")
        token = session["X-Auth-Token"]
        uri = session["SessionLocation"]
        path = uri if uri.startswith("/") else "/" + uri.split("/", 3)[3]
        equal(get(path)["UserName"], USERNAME)
        equal(call("Systems", "-I", MACHINE.name, "get", auth="Session", credentials=["-t", token])["Id"], MACHINE.name)
        call("SessionService", "logout", "-i", session["SessionId"])
        equal(http("GET", path).status, 404)
    with check("a wrong password fails"):
        holds("401" in call("Systems", credentials=["-u", USERNAME, "-p", "wrong"], expect=5), "no 401")
    with check("SessionService get, Sessions list"):
        call("SessionService", "get")
        call("SessionService", "Sessions", "list")
    with check("AccountService get, Accounts list, Roles list"):
        call("AccountService", "get")
        users = [account["UserName"] for account in call("AccountService", "Accounts", "list")["Members"]]
        holds(USERNAME in users, f"only {users}")
        roles = {role["Id"] for role in call("AccountService", "Roles", "list")["Members"]}
        holds({"Administrator", "Operator", "ReadOnly"} <= roles, f"only {roles}")


def manage_accounts():
    name, first, second = "clara", "First-Passw0rd", "Second-Passw0rd"
    service = ["AccountService"]
    with check("AccountService adduser, with its role"):
        call(*service, "adduser", name, first, "ReadOnly")
        equal(role_of(name, first), "ReadOnly")
    with check("Systems list as the new account; reset as it is refused"):
        own = ["-u", name, "-p", first]
        equal(len(call("Systems", "list", credentials=own)["Members"]), len(MACHINES))
        holds("403" in call("Systems", "-I", MACHINE.name, "reset", "ForceOff", credentials=own, expect=5), "no 403")
        equal(MACHINE.power(), "on")
    with check("AccountService useradmin setRoleId"):
        call(*service, "useradmin", name, "setRoleId", "Operator")
        equal(role_of(name, first), "Operator")
    with check("AccountService setpassword: the new one works, the old one doesn't"):
        call(*service, "setpassword", name, second)
        equal(role_of(name, second), "Operator")
        equal(role_of(name, first), None)
    with check("AccountService useradmin disable, enable"):
        call(*service, "useradmin", name, "disable")
        equal(role_of(name, second), None)
        call(*service, "useradmin", name, "enable")
        equal(role_of(name, second), "Operator")
    with check("AccountService useradmin unlock"):
        call(*service, "useradmin", name, "unlock")
    with check("AccountService deleteuser"):
        call(*service, "deleteuser", name)
        equal(role_of(name, second), None)
        holds(name not in str(call(*service, "Accounts", "list")), "it is listed still")
    with check("SessionService setSessionTimeout"):
        before = get("/redfish/v1/SessionService")["SessionTimeout"]
        call("SessionService", "setSessionTimeout", "900")
        equal(get("/redfish/v1/SessionService")["SessionTimeout"], 900)
        call("SessionService", "setSessionTimeout", before)


settle()
read_service()
read_systems()
change_systems()
read_chassis()
read_managers()
log_in()
manage_accounts()
finish()
