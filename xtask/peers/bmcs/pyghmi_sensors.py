"""Reads all sensors of many BMCs with pyghmi, one BMC after the other, over sessions that stay open.

`pyghmi_sensors.py PORT USER PASSWORD SECONDS HOST...`: logs in everywhere and reads everything once, sensor records included.
Then it reads for that many seconds and prints what it came to as a line of JSON.
"""

import json
import resource
import sys
import time

from pyghmi.ipmi import command


def readings(bmc):
    """How many sensors of a BMC gave a reading."""
    return sum(1 for sensor in bmc.get_sensor_data() if not sensor.unavailable)


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    port, user, password, seconds, *hosts = sys.argv[1:]
    bmcs = [
        command.Command(bmc=host, userid=user, password=password, port=int(port))
        for host in hosts
    ]
    for bmc in bmcs:
        readings(bmc)
    read, begin, cpu = 0, time.monotonic(), cpu_s()
    while time.monotonic() < begin + float(seconds):
        for bmc in bmcs:
            read += readings(bmc)
            if time.monotonic() >= begin + float(seconds):
                break
    wall = time.monotonic() - begin
    print(json.dumps({"readings": read, "wall_s": wall, "cpu_s": cpu_s() - cpu}))
    for bmc in bmcs:
        bmc.ipmi_session.logout()


main()
