"""Brings a database up to the version this program knows."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cloud.errors import StoreRefusedError


def migrate(connection: Connection, version: str = "head") -> None:
    """Runs what is missing, inside the caller's transaction."""
    _refuse_the_future(connection)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def version_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def newest_version() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _refuse_the_future(connection: Connection) -> None:
    found = version_of(connection)
    known = {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise StoreRefusedError(
            f"the database is at version {found}, this program knows {', '.join(sorted(known))}: "
            "start the program that made it, or a newer one"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "cloud.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
