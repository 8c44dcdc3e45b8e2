"""MAAS: the requests of its Redfish power driver, one by one. The driver lives inside MAAS and can't be installed
alone, so this script sends what it sends: Basic login only, Boot by PATCH with If-Match before every start."""

from checks import MACHINES, check, equal, eventually, finish, holds, http, settle

MACHINE = MACHINES[0]
SYSTEM = f"/redfish/v1/Systems/{MACHINE.name}"
HEADERS = {"User-Agent": "MAAS", "Accept": "application/json", "Content-Type": "application/json; charset=utf-8"}


def ask(method, path, body=None, **headers):
    """Any status from 400 on is an error for MAAS; on 404 it asks once more, with a slash at the end."""
    answer = http(method, path, body, {**HEADERS, **headers})
    if answer.status == 404:
        answer = http(method, path + "/", body, {**HEADERS, **headers})
    holds(answer.status < 400, f"{method} {path}: {answer.status} {answer.body[:500]}")
    return answer


def power_query():
    """MAAS's words for the states of ComputerSystem.PowerState."""
    state = ask("GET", SYSTEM).json()["PowerState"].lower()
    return "off" if state in ("off", "poweringon") else "on"


def set_pxe_boot():
    answer = ask("GET", SYSTEM)
    tag = answer.json().get("@odata.etag") or answer.headers["ETag"]
    boot = {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}}
    ask("PATCH", SYSTEM, boot, **{"If-Match": tag})


def power(change):
    ask("POST", f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": change})


settle()
with check("node id: Systems has members, with and without a slash at the end"):
    for path in ["/redfish/v1/Systems/", "/redfish/v1/Systems"]:
        equal(len(ask("GET", path).json()["Members"]), len(MACHINES))
with check("power query: as ipmitool says"):
    equal(power_query(), MACHINE.power())
with check("power off"):
    power("ForceOff")
    eventually("power off", lambda: power_query() == "off" and MACHINE.power() == "off")
with check("power on of a machine that is off: PXE once, then On"):
    set_pxe_boot()
    holds("Force PXE" in MACHINE.boot_flags(), MACHINE.boot_flags())
    power("On")
    eventually("power on", lambda: power_query() == "on" and MACHINE.power() == "on")
    eventually("used up override", lambda: "Boot Flag Invalid" in MACHINE.boot_flags())
with check("power on of a machine that is on: ForceOff, PXE once, On, one right after the other"):
    power("ForceOff")
    set_pxe_boot()
    power("On")
    eventually("power on", lambda: power_query() == "on" and MACHINE.power() == "on")
    eventually("used up override", lambda: "Boot Flag Invalid" in MACHINE.boot_flags())
finish()
