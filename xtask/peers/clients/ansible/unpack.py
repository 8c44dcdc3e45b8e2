"""Takes one collection out of a wheel of `ansible`. Arguments: the folder with the wheel, the folder to fill."""

import pathlib
import sys
import zipfile

WANTED = "ansible_collections/community/general/"

folder, home = sys.argv[1:]
[wheel] = pathlib.Path(folder).glob("ansible-*.whl")
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(home, [name for name in archive.namelist() if name.startswith(WANTED)])
wheel.unlink()
