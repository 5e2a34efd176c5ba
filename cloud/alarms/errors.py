"""What can go wrong with alarms.

AlarmError
├── UnknownAlarmError   there is no such alarm; trying again cannot help
└── ReplayFileError     a line of a file to replay cannot be read; the file has to be mended
"""

from pathlib import Path

from cloud.errors import CloudError


class AlarmError(CloudError):
    pass


class UnknownAlarmError(AlarmError):
    def __init__(self, alarm_id: int) -> None:
        super().__init__(f"there is no alarm {alarm_id}")
        self.alarm_id = alarm_id


class ReplayFileError(AlarmError):
    """Says where, what, and what would be right."""

    def __init__(self, path: Path, line: int, problem: str, hint: str) -> None:
        super().__init__(f"{path}, line {line}: {problem}; right would be: {hint}")
        self.path = path
        self.line = line
