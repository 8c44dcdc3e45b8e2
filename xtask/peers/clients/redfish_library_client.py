"""python-redfish-library ("redfish"), DMTF's own: what a script of an operator is made of."""

import os
from datetime import datetime, timedelta, timezone

import redfish
from redfish.messages import RedfishPasswordChangeRequiredError
from redfish.rest.v1 import AuthMethod, InvalidCredentialsError

from checks import (
    MACHINES, PASSWORD, URL, USERNAME, ImageServer, certificate_file, check, equal, eventually, finish, get, holds,
    http, near, role_of, run, settle,
)

MACHINE = MACHINES[0]
SYSTEM = f"/redfish/v1/Systems/{MACHINE.name}"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
TRUST = certificate_file()


def client():
    return redfish.redfish_client(
        base_url=URL, username=USERNAME, password=PASSWORD, cafile=TRUST, max_retry=1, timeout=30
    )


def expect(answer, *statuses):
    """The answer, where its status is one of these."""
    holds(answer.status in statuses, f"{answer.request.method} {answer.request.path}: {answer.status} {answer.text}")
    return answer


def session_paths():
    return {member["@odata.id"] for member in get("/redfish/v1/SessionService/Sessions")["Members"]}


def log_in():
    with check("login with a session, logout: the session is there, then gone"):
        rest = client()
        rest.login(auth=AuthMethod.SESSION)
        path = rest.get_session_location()
        path = path if path.startswith("/") else "/" + path.split("/", 3)[3]
        holds(path in session_paths(), f"{path} is no member")
        expect(rest.get(SYSTEM), 200)
        rest.logout()
        equal(http("GET", path).status, 404)
        expect(rest.get(SYSTEM), 401)
    with check("login with Basic"):
        rest = client()
        rest.login(auth=AuthMethod.BASIC)
        equal(expect(rest.get(SYSTEM), 200).dict["Id"], MACHINE.name)
    with check("with-statement: a session for its block"):
        before = session_paths()
        with client() as rest:
            equal(len(session_paths() - before), 1)
            expect(rest.get("/redfish/v1/Systems"), 200)
        equal(session_paths(), before)
    with check("a wrong password is InvalidCredentialsError, with both ways to log in"):
        for auth in [AuthMethod.SESSION, AuthMethod.BASIC]:
            try:
                client().login(password="wrong", auth=auth)
            except InvalidCredentialsError:
                continue
            raise AssertionError(f"{auth} let it in")


def read(rest):
    systems = "/redfish/v1/Systems"
    names = sorted(machine.name for machine in MACHINES)
    with check("get with $expand"):
        members = expect(rest.get(systems, args={"$expand": ".($levels=1)"}), 200).dict["Members"]
        equal(sorted(system["Id"] for system in members), names)
    with check("get with $select"):
        slim = expect(rest.get(SYSTEM, args={"$select": "PowerState,Boot/BootSourceOverrideTarget"}), 200).dict
        holds("PowerState" in slim and "SerialNumber" not in slim, f"$select gave {list(slim)}")
        equal({key.split("@")[0] for key in slim["Boot"]}, {"BootSourceOverrideTarget"})
    with check("get with $filter"):
        found = expect(rest.get(systems, args={"$filter": f"Id eq '{MACHINE.name}'"}), 200).dict["Members"]
        equal([member["@odata.id"] for member in found], [SYSTEM])
    with check("get with $top, $skip: pages that together are the whole"):
        pages = [expect(rest.get(systems, args={"$top": "3", "$skip": skip}), 200).dict for skip in ["0", "3"]]
        equal([page["Members@odata.count"] for page in pages], [len(names)] * 2)
        equal([len(page["Members"]) for page in pages], [3, len(names) - 3])
        equal(sorted(member["@odata.id"].split("/")[-1] for page in pages for member in page["Members"]), names)
    with check("get with only: the one member itself"):
        answer = rest.get(f"/redfish/v1/Managers/{MACHINE.name}/LogServices", args={"only": None})
        equal(expect(answer, 200).dict["Id"], "SEL")
    with check("compressed answers: the same document as without"):
        plain = expect(rest.get("/redfish/v1/$metadata", headers={"Accept-Encoding": "identity"}), 200)
        equal(plain.getheader("Content-Encoding"), None)
        for coding in ["gzip", "zstd"]:
            answer = expect(rest.get("/redfish/v1/$metadata", headers={"Accept-Encoding": coding}), 200)
            equal(answer.getheader("Content-Encoding"), coding)
            equal(answer.text, plain.text, coding)
            holds(int(answer.getheader("Content-Length") or 0) < len(plain.text) / 2, f"{coding} saves nothing")
    with check("head: the headers of a get"):
        head, whole = expect(rest.head(SYSTEM), 200), expect(rest.get(SYSTEM), 200)
        equal(head.getheader("ETag"), whole.getheader("ETag"))
        equal(head.text, "")
    with check("get of what isn't there: 404 with the message of the registry"):
        answer = expect(rest.get("/redfish/v1/Systems/nobody"), 404)
        identifier = answer.dict["error"]["@Message.ExtendedInfo"][0]["MessageId"]
        registry, key = identifier.rsplit(".", 1)
        entries = [member["@odata.id"] for member in get("/redfish/v1/Registries")["Members"]]
        [file] = [path for path in entries if path.rsplit("/", 1)[-1].startswith(registry)]
        uri = get(file)["Location"][0]["Uri"]
        holds(key in get(uri)["Messages"], f"{identifier} is not in {uri}")


def change(rest):
    with check("patch with the ETag of the get; the same ETag again is 412 and changes nothing"):
        tag = expect(rest.get(SYSTEM), 200).getheader("ETag")
        wanted = {"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}}
        answer = expect(rest.patch(SYSTEM, body=wanted, headers={"If-Match": tag}), 200)
        equal(answer.dict["Boot"]["BootSourceOverrideTarget"], "Pxe")
        holds("Force PXE" in MACHINE.boot_flags(), MACHINE.boot_flags())
        wanted["Boot"]["BootSourceOverrideTarget"] = "Hdd"
        expect(rest.patch(SYSTEM, body=wanted, headers={"If-Match": tag}), 412)
        holds("Force PXE" in MACHINE.boot_flags(), MACHINE.boot_flags())
        expect(rest.patch(SYSTEM, body={"Boot": {"BootSourceOverrideEnabled": "Disabled"}}), 200)
        holds("Boot Flag Invalid" in MACHINE.boot_flags(), MACHINE.boot_flags())
    with check("get with If-None-Match: 304 until something changes"):
        tag = expect(rest.get(SYSTEM), 200).getheader("ETag")
        expect(rest.get(SYSTEM, headers={"If-None-Match": tag}), 304)
        expect(rest.patch(SYSTEM, body={"LocationIndicatorActive": True}), 200)
        expect(rest.get(SYSTEM, headers={"If-None-Match": tag}), 200)
        expect(rest.patch(SYSTEM, body={"LocationIndicatorActive": False}), 200)
    with check("patch with a wrong value: 400 that names the property"):
        answer = expect(rest.patch(SYSTEM, body={"Boot": {"BootSourceOverrideTarget": "Moon"}}), 400)
        info = answer.dict["error"]["@Message.ExtendedInfo"][0]
        equal(info["RelatedProperties"], ["#/Boot/BootSourceOverrideTarget"])
    for reset, state in [("ForceOff", "off"), ("On", "on")]:
        with check(f"post of {reset}: ipmitool says {state}"):
            expect(rest.post(RESET, body={"ResetType": reset}), 200, 202, 204)
            eventually(f"power {state}", lambda state=state: MACHINE.power() == state)
    with check("post without the parameter: 400 that names it"):
        answer = expect(rest.post(RESET, body={}), 400)
        equal(answer.dict["error"]["@Message.ExtendedInfo"][0]["MessageArgs"], ["ComputerSystem.Reset", "ResetType"])
    with check("delete and put where neither makes sense: 405 with Allow"):
        for answer in [rest.delete(SYSTEM), rest.put(SYSTEM, body={"AssetTag": "1"})]:
            allow = expect(answer, 405).getheader("Allow")
            holds("GET" in allow and "PATCH" in allow and "DELETE" not in allow, allow)


def manage_accounts(rest):
    accounts = "/redfish/v1/AccountService/Accounts"
    name, first, second = "lena", "First-Passw0rd", "Second-Passw0rd"
    with check("post of an account that must change its password: login raises RedfishPasswordChangeRequiredError"):
        body = {"UserName": name, "Password": first, "RoleId": "Operator", "PasswordChangeRequired": True}
        answer = expect(rest.post(accounts, body=body), 201)
        account = answer.getheader("Location")
        holds("Password" not in answer.dict or answer.dict["Password"] is None, "the answer tells the password")
        own = redfish.redfish_client(base_url=URL, username=name, password=first, cafile=TRUST, max_retry=1)
        try:
            own.login(auth=AuthMethod.SESSION)
        except RedfishPasswordChangeRequiredError:
            pass
        else:
            raise AssertionError("it was let in as usual")
        expect(own.get(SYSTEM), 403)
        tag = expect(own.get(account), 200).getheader("ETag")
        expect(own.patch(account, body={"Password": second}, headers={"If-Match": tag}), 200, 204)
        equal(role_of(name, second), "Operator")
        equal(role_of(name, first), None)
    with check("patch and delete of an account"):
        tag = expect(rest.get(account), 200).getheader("ETag")
        expect(rest.patch(account, body={"RoleId": "ReadOnly"}, headers={"If-Match": tag}), 200, 204)
        equal(role_of(name, second), "ReadOnly")
        expect(rest.patch(account, body={"RoleId": "Operator"}, headers={"If-Match": tag}), 412)
        expect(rest.delete(account), 200, 204)
        equal(role_of(name, second), None)
    with check("post of an account with a role that isn't there: 400 that names it"):
        body = {"UserName": name, "Password": first, "RoleId": "King"}
        answer = expect(rest.post(accounts, body=body), 400)
        holds("King" in str(answer.dict["error"]["@Message.ExtendedInfo"]), answer.text)


def work_later(rest):
    with check("post for the maintenance window: 202, a monitor, and the machine is off when it opens"):
        start = datetime.now(timezone.utc) + timedelta(seconds=2)
        window = {"MaintenanceWindowStartTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                  "MaintenanceWindowDurationInSeconds": 60}
        expect(rest.patch("/redfish/v1/TaskService", body={"@Redfish.MaintenanceWindow": window}), 200, 204)
        asked = {"ResetType": "ForceOff", "@Redfish.OperationApplyTime": "AtMaintenanceWindowStart"}
        answer = expect(rest.post(RESET, body=asked), 202)
        holds(answer.retry_after, "no Retry-After")
        task = answer.dict["@odata.id"]
        holds(expect(answer.monitor(rest), 202).is_processing, "it was done at once")
        equal(MACHINE.power(), "on")
        eventually("end of the task", lambda: not answer.monitor(rest).is_processing)
        equal(MACHINE.power(), "off")
        equal(expect(rest.get(task), 200).dict["TaskState"], "Completed")
        expect(rest.post(RESET, body={"ResetType": "On"}), 200, 202, 204)
        eventually("power on", lambda: MACHINE.power() == "on")
    with check("delete of a task that waits: it is cancelled, the machine stays on"):
        start = datetime.now(timezone.utc) + timedelta(hours=1)
        window["MaintenanceWindowStartTime"] = start.strftime("%Y-%m-%dT%H:%M:%SZ")
        expect(rest.patch("/redfish/v1/TaskService", body={"@Redfish.MaintenanceWindow": window}), 200, 204)
        answer = expect(rest.post(RESET, body=asked), 202)
        expect(rest.delete(answer.task_location), 200, 202, 204)
        holds(not answer.monitor(rest).is_processing, "the monitor says it goes on")
        equal(MACHINE.power(), "on")


def report_metrics(rest):
    definitions = "/redfish/v1/TelemetryService/MetricReportDefinitions"
    sensors = get(f"/redfish/v1/Chassis/{MACHINE.name}/Sensors?$expand=.")["Members"]
    [sensor, *_] = [sensor for sensor in sensors if sensor["ReadingType"] == "Temperature"]
    inlet = f"/redfish/v1/Chassis/{{Chassis}}/Sensors/{sensor['Id']}#/Reading"
    with check("post of a periodic MetricReportDefinition: its report has a value of each machine, as the sensors have"):
        names = sorted(machine.name for machine in MACHINES)
        body = {
            "Id": "Temperatures", "Name": "Temperatures", "MetricReportDefinitionType": "Periodic",
            "Schedule": {"RecurrenceInterval": "PT1S"}, "ReportActions": ["LogToMetricReportsCollection"],
            "Wildcards": [{"Name": "Chassis", "Values": names}], "MetricProperties": [inlet],
        }
        answer = expect(rest.post(definitions, body=body), 201)
        definition, report = answer.getheader("Location"), answer.dict["MetricReport"]["@odata.id"]
        values = eventually("report", lambda: rest.get(report).dict.get("MetricValues"))
        expected = sorted(inlet.replace("{Chassis}", name) for name in names)
        equal(sorted(value["MetricProperty"] for value in values), expected)
        for value in values:
            now = get(value["MetricProperty"].split("#")[0])["Reading"]
            near(float(value["MetricValue"]), now, 5, value["MetricProperty"])
    with check("a report is made anew each second"):
        first = expect(rest.get(report), 200).dict["Timestamp"]
        eventually("newer report", lambda: rest.get(report).dict["Timestamp"] > first)
    with check("post of a definition with an action that is there twice: 400 that names it"):
        twice = {**body, "Id": "Twice", "ReportActions": ["RedfishEvent", "RedfishEvent"]}
        answer = expect(rest.post(definitions, body=twice), 400)
        equal(answer.dict["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"], ["#/ReportActions/1"])
    with check("delete of a definition: its report goes with it"):
        expect(rest.delete(definition), 200, 204)
        expect(rest.get(definition), 404)
        expect(rest.get(report), 404)


def fetch_firmware(rest):
    update = "/redfish/v1/UpdateService"
    target = f"{update}/FirmwareInventory/{MACHINE.name}-BMC"
    action = get(update)["Actions"]["#UpdateService.SimpleUpdate"]["target"]
    image = os.path.abspath("simple_update.hpm")
    run(os.environ["REDDRUM_BINARY"], "vbmc", "firmware", "--version", "4.30", "-o", image)
    server = ImageServer(image)

    def ended(body):
        answer = expect(rest.post(action, body=body), 202)
        task = answer.dict["@odata.id"]
        eventually("end of the task", lambda: not answer.monitor(rest).is_processing)
        return expect(rest.get(task), 200).dict

    with check("SimpleUpdate from a server with HTTPS and Basic: ipmitool says that the new version runs"):
        body = {"ImageURI": server.url, "Targets": [target], "Username": "images", "Password": server.password}
        task = ended(body)
        equal(task["TaskState"], "Completed", task["Messages"])
        holds(": 4.30" in MACHINE.ipmitool("mc", "info"), "another version runs")
        equal(get(target)["Version"], "4.30")
        holds(server.password not in str(task), "the task tells the password")
    with check("SimpleUpdate of the version that runs: the task says that nothing was done"):
        task = ended(body)
        equal(task["TaskState"], "Completed")
        keys = [message["MessageId"].rsplit(".", 1)[1] for message in task["Messages"]]
        holds("NoTargetsDetermined" in keys and "UpdateSuccessful" not in keys, keys)
    with check("SimpleUpdate with a wrong password: the task fails and says why"):
        task = ended({**body, "Password": "wrong"})
        equal(task["TaskState"], "Exception")
        holds("Correct Username and Password" in str(task["Messages"]), task["Messages"])


settle()
log_in()
with client() as rest:
    read(rest)
    change(rest)
    work_later(rest)
    manage_accounts(rest)
    report_metrics(rest)
    fetch_firmware(rest)
finish()
