"""The settings: one TOML file, overridden by the environment, checked as a whole.

`load` is the way in. A component's section is described once, in the component's own settings
module; here they are composed. Relative paths are relative to the folder of the file.
"""

from pointsman.config.load import load
from pointsman.config.settings import Settings

__all__ = ["Settings", "load"]
