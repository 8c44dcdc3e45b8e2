"""A BMC by pyghmi on a loopback port: `pyghmi_bmc.py PORT USER PASSWORD`. Prints a line of JSON once it listens."""

import json
import sys

from pyghmi.ipmi.bmc import Bmc


class Machine(Bmc):
    """A machine that has a power state and a boot device."""

    def __init__(self, user, password, port):
        super().__init__({user: password}, port=port, address="127.0.0.1")
        self.power = "on"
        self.device = "default"

    def get_power_state(self):
        return self.power

    def power_on(self):
        self.power = "on"

    def power_off(self):
        self.power = "off"

    def power_reset(self):
        pass

    def power_shutdown(self):
        self.power = "off"

    def get_boot_device(self):
        return self.device

    def set_boot_device(self, bootdevice):
        self.device = bootdevice

    def cold_reset(self):
        pass

    def is_active(self):
        return self.power == "on"


def main():
    port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    machine = Machine(user, password, port)
    bmc = {"name": "pyghmi", "address": "127.0.0.1", "port": port, "username": user, "password": password}
    print(json.dumps({"bmcs": [bmc]}), flush=True)
    machine.listen()


main()
