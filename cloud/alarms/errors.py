"""What can go wrong with alarms.

AlarmError
└── UnknownAlarmError   there is no such alarm; trying again cannot help
"""

from cloud.errors import CloudError


class AlarmError(CloudError):
    pass


class UnknownAlarmError(AlarmError):
    def __init__(self, alarm_id: int) -> None:
        super().__init__(f"there is no alarm {alarm_id}")
        self.alarm_id = alarm_id
