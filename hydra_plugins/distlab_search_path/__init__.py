"""Where Hydra looks for YAML of distlab's users. Hydra finds plugins in this namespace alone."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OwnFolders(SearchPathPlugin):
    """``./conf`` and the packages that declare ``distlab.conf``, after distlab's own folder."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the folders."""
        # Imported late: Hydra loads every plugin at every start.
        from distlab.config.own_parts import own_conf_folders

        for folder in own_conf_folders():
            search_path.append("distlab-own", f"file://{folder}")
