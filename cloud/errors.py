"""What can go wrong in the cloud.

CloudError
├── QueryFileError             a .sql file breaks the house form: a programmer must change it
└── StoreError
    ├── StoreUnavailableError  the database did not take it: try again later
    └── StoreRefusedError      the database will never take it as it is
"""


class CloudError(Exception):
    pass


class QueryFileError(CloudError):
    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source


class StoreError(CloudError):
    pass


class StoreUnavailableError(StoreError):
    """Nothing of the transaction was kept; trying again may help."""


class StoreRefusedError(StoreError):
    """Trying again cannot help."""
