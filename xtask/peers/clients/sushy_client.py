"""sushy, OpenStack's Redfish library: what Ironic does with a machine from inspection to deployment."""

import sushy
from sushy import auth

from checks import (
    Listener, MACHINES, PASSWORD, URL, USERNAME, certificate_file, check, equal, eventually, finish, get, holds, http, near,
    settle,
)

BASIC, SESSION = "Basic", "Session"
AUTHENTICATORS = {BASIC: auth.BasicAuth, SESSION: auth.SessionAuth}
TRUST = certificate_file()


def connect(how):
    return sushy.Sushy(URL, auth=AUTHENTICATORS[how](USERNAME, PASSWORD), verify=TRUST)


def system_of(client, machine):
    return client.get_system(f"/redfish/v1/Systems/{machine.name}")


def read_everything(client, machine):
    with check("get_system_collection: every machine is a member"):
        members = client.get_system_collection().get_members()
        equal(sorted(system.identity for system in members), sorted(machine.name for machine in MACHINES))
    with check("get_system: nameplate as `ipmitool fru` prints it, power state as `ipmitool chassis power`"):
        system = system_of(client, machine)
        fru = machine.fru()
        equal(system.manufacturer, fru["Product Manufacturer"])
        equal(system.serial_number, fru["Product Serial"])
        equal(system.part_number, fru["Product Part Number"])
        equal(system.asset_tag, fru["Product Asset Tag"])
        equal(system.power_state.value.lower(), machine.power())
        holds(system.uuid, "no UUID")
        equal(system.status.state, sushy.State.ENABLED)
    with check("processors and memory as `ipmitool fru` prints them"):
        parts = machine.parts()
        processors = {name: fields for name, fields in parts.items() if name.startswith("CPU")}
        found = system.processors.get_members()
        equal(sorted(processor.identity for processor in found), sorted(processors))
        equal({processor.model for processor in found}, {fields["Product Name"] for fields in processors.values()})
        sizes = [int(fields["Memory size"].split()[0]) for fields in parts.values() if "Memory size" in fields]
        equal(system.memory_summary.size_gib, sum(sizes) / 1024)
    with check("system.managers, system.chassis, and back"):
        [manager] = system.managers
        equal([system.identity for system in manager.systems], [machine.name])
        [chassis] = system.chassis
        equal([system.identity for system in chassis.systems], [machine.name])
        equal([manager.identity for manager in chassis.managers], [machine.name])
    with check("get_manager: firmware as `ipmitool mc info` prints it"):
        manager = client.get_manager(f"/redfish/v1/Managers/{machine.name}")
        said = machine.ipmitool("mc", "info")
        [version] = [line.split(":")[1].strip() for line in said.splitlines() if line.startswith("Firmware Revision")]
        equal(manager.firmware_version, version)
        equal(manager.manager_type, sushy.ManagerType.BMC)
    with check("manager.ethernet_interfaces: address and MAC as `ipmitool lan print` prints them"):
        [interface] = manager.ethernet_interfaces.get_members()
        network = machine.network()
        equal(interface.mac_address.lower(), network["MAC Address"].lower())
        equal(interface.json["IPv4Addresses"][0]["Address"], network["IP Address"])
    with check("get_manager_collection, get_chassis_collection: every member parses"):
        holds(len(client.get_manager_collection().get_members()) >= len(MACHINES), "managers are missing")
        holds(len(client.get_chassis_collection().get_members()) >= len(MACHINES), "chassis are missing")


def read_sensors(client, machine):
    chassis = client.get_chassis(f"/redfish/v1/Chassis/{machine.name}")
    with check("chassis.thermal: temperatures and fans as `ipmitool sensor` reads them"):
        truth = machine.sensors()
        temperatures = [t for t in chassis.thermal.temperatures if t.reading_celsius is not None]
        holds(len(temperatures) >= 10, f"only {len(temperatures)} temperatures")
        for temperature in temperatures:
            near(temperature.reading_celsius, truth[temperature.name][0], 15, temperature.name)
        holds(chassis.thermal.fans, "no fans")
        for fan in chassis.thermal.fans:
            near(fan.reading, truth[fan.name][0], 1500, fan.name)
            equal(fan.reading_units, sushy.resources.chassis.thermal.constants.FanReadingUnit.RPM)
    with check("chassis.power: power supplies with their nameplates"):
        supplies = chassis.power.power_supplies
        equal(len(supplies), 2)
        equal([supply.status.health for supply in supplies], [sushy.Health.OK] * 2)


def switch(client, machine):
    system = system_of(client, machine)
    with check("get_allowed_reset_system_values: what Ironic's power interface needs"):
        allowed = system.get_allowed_reset_system_values()
        needed = {sushy.ResetType.ON, sushy.ResetType.FORCE_OFF, sushy.ResetType.FORCE_RESTART,
                  sushy.ResetType.GRACEFUL_SHUTDOWN, sushy.ResetType.NMI}
        holds(needed <= allowed, f"{needed - allowed} are missing")

    def becomes(state):
        def reached():
            system.refresh(force=True)
            return system.power_state == state

        eventually(f"power state {state.value}", reached)
        equal(machine.power(), state.value.lower(), "ipmitool")

    for reset, state in [
        (sushy.ResetType.GRACEFUL_SHUTDOWN, sushy.PowerState.OFF),
        (sushy.ResetType.ON, sushy.PowerState.ON),
        (sushy.ResetType.FORCE_RESTART, sushy.PowerState.ON),
        (sushy.ResetType.FORCE_OFF, sushy.PowerState.OFF),
        (sushy.ResetType.ON, sushy.PowerState.ON),
        (sushy.ResetType.NMI, sushy.PowerState.ON),
    ]:
        with check(f"reset_system({reset.value}): power state {state.value} in Redfish and in ipmitool"):
            system.reset_system(reset)
            becomes(state)


def reset_manager(client, machine):
    manager = client.get_manager(f"/redfish/v1/Managers/{machine.name}")
    with check("reset_manager(FORCE_RESTART): the controller comes back, the machine stays on"):
        holds(sushy.ResetType.FORCE_RESTART in manager.get_allowed_reset_manager_values(), "not allowed")
        manager.reset_manager(sushy.ResetType.FORCE_RESTART)

        def is_back():
            manager.refresh(force=True)
            return manager.json["Status"]["State"] == "Enabled"

        eventually("controller that is back", is_back)
        equal(machine.power(), "on")


def choose_boot(client, machine):
    system = system_of(client, machine)
    once, continuous = sushy.BootSourceOverrideEnabled.ONCE, sushy.BootSourceOverrideEnabled.CONTINUOUS
    legacy, uefi = sushy.BootSourceOverrideMode.LEGACY, sushy.BootSourceOverrideMode.UEFI
    for target, enabled, mode, words in [
        (sushy.BootSource.PXE, once, uefi, ["only next boot", "EFI boot", "Force PXE"]),
        (sushy.BootSource.PXE, continuous, uefi, ["all future boots", "EFI boot", "Force PXE"]),
        (sushy.BootSource.HDD, once, legacy, ["only next boot", "legacy", "Force Boot from default Hard-Drive"]),
        (sushy.BootSource.CD, once, None, ["only next boot", "Force Boot from CD/DVD"]),
        (sushy.BootSource.BIOS_SETUP, once, uefi, ["EFI boot", "Force Boot into BIOS Setup"]),
    ]:
        shown = f"{target.value}, {enabled.value}, {mode.value if mode else 'mode unchanged'}"
        with check(f"set_system_boot_options({shown}): as `ipmitool chassis bootparam get 5` prints it"):
            system.set_system_boot_options(target, enabled=enabled, mode=mode)
            system.refresh(force=True)
            equal(system.boot.target, target)
            equal(system.boot.enabled, enabled)
            if mode:
                equal(system.boot.mode, mode)
            flags = machine.boot_flags()
            for word in ["Boot Flag Valid", *words]:
                holds(word in flags, f"{word!r} is not in {flags}")
    with check("set_system_boot_options(PXE, Once) and ForceRestart: the override is used up"):
        system.set_system_boot_options(sushy.BootSource.PXE, enabled=once, mode=uefi)
        system.reset_system(sushy.ResetType.FORCE_RESTART)

        def used_up():
            system.refresh(force=True)
            return system.boot.enabled == sushy.BootSourceOverrideEnabled.DISABLED

        eventually("override that is disabled again", used_up)
        holds("Boot Flag Invalid" in machine.boot_flags(), "ipmitool has it still")
    with check("set_system_boot_options(enabled=Disabled)"):
        system.set_system_boot_options(sushy.BootSource.PXE, enabled=continuous)
        system.set_system_boot_options(enabled=sushy.BootSourceOverrideEnabled.DISABLED)
        system.refresh(force=True)
        equal(system.boot.enabled, sushy.BootSourceOverrideEnabled.DISABLED)
        holds("Boot Flag Invalid" in machine.boot_flags(), "ipmitool has it still")
    with check("set_system_boot_options with a target that isn't allowed is refused before it is sent"):
        try:
            system.set_system_boot_options(sushy.BootSource.SD_CARD)
        except sushy.exceptions.InvalidParameterValueError:
            pass
        else:
            raise AssertionError("it was sent")


def light(client, machine):
    for what, resource in [
        ("system", system_of(client, machine)),
        ("chassis", client.get_chassis(f"/redfish/v1/Chassis/{machine.name}")),
    ]:
        with check(f"{what}.set_indicator_led(LIT), then OFF: the identify light as Get Chassis Status tells it"):
            for led, lit in [(sushy.IndicatorLED.LIT, True), (sushy.IndicatorLED.OFF, False)]:
                resource.set_indicator_led(led)
                resource.refresh(force=True)
                equal(resource.indicator_led, led)
                equal(machine.is_lit(), lit, "ipmitool")


def keep_session():
    with check("SessionAuth: a session is made and deleted"):
        client = connect(SESSION)
        uri = client._auth.get_session_resource_id()
        path = uri if uri.startswith("/") else "/" + uri.split("/", 3)[3]
        equal(get(path)["UserName"], USERNAME)
        service = client.get_session_service()
        holds(service.service_enabled, "the session service is not enabled")
        holds(any(session.path == path for session in service.sessions.get_members()), "not a member")
        client._auth.close()
        equal(http("GET", path).status, 404)
    with check("SessionAuth: a session that ended meanwhile is made anew without the caller's noticing"):
        client = connect(SESSION)
        first = client._auth.get_session_key()
        uri = client._auth.get_session_resource_id()
        path = uri if uri.startswith("/") else "/" + uri.split("/", 3)[3]
        equal(http("DELETE", path).status, 204)
        equal(len(client.get_system_collection().members_identities), len(MACHINES))
        holds(client._auth.get_session_key() != first, "the session is the same")
        client._auth.close()
    with check("SessionAuth with a wrong password is an AccessError"):
        try:
            sushy.Sushy(URL, auth=auth.SessionAuth(USERNAME, "wrong"), verify=TRUST)
        except sushy.exceptions.AccessError:
            pass
        else:
            raise AssertionError("it was let in")


def read_services(client):
    with check("registries: every message registry is read and parses"):
        names = client.registries.keys()
        holds(any(name.startswith("Base.") for name in names), f"no Base in {list(names)}")
    with check("get_task_service: its tasks parse"):
        client.get_task_service().tasks.get_members()
    listener = Listener()
    with check("get_event_service: a subscription is made, listed and deleted"):
        service = client.get_event_service()
        holds(service.service_enabled, "the event service is not enabled")
        made = service.subscriptions.create({"Destination": listener.url, "Protocol": "Redfish", "Context": "Ironic"})
        equal((made.context, made.destination), ("Ironic", listener.url))
        service.refresh(force=True)
        holds(any(one.identity == made.identity for one in service.subscriptions.get_members()), "not a member")
        made.delete()
        equal(http("GET", made.path).status, 404)


settle()
for how, machine in [(BASIC, MACHINES[0]), (SESSION, MACHINES[1])]:
    with check(f"Sushy with {how}Auth, the service's certificate verified"):
        client = connect(how)
    read_everything(client, machine)
    read_sensors(client, machine)
    if how == SESSION:
        switch(client, machine)
        light(client, machine)
        reset_manager(client, machine)
        read_services(client)
    else:
        choose_boot(client, machine)
    client._auth.close()
keep_session()
finish()
