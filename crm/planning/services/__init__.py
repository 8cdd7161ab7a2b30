"""What can be done to tasks and appointments: one transaction each, with history and a line on the timeline."""

from crm.planning.services.appointments import (
    NewAppointment,
    arrange,
    cancel,
    edit_appointment,
    keep,
    miss,
    move,
    set_hands,
)
from crm.planning.services.due import due_in
from crm.planning.services.refusals import Finished, NobodyResponsible, NotPossible
from crm.planning.services.tasks import (
    NewTask,
    complete,
    drop,
    edit_task,
    hand_over,
    open_task,
    open_tasks,
    put_off,
    reopen,
)

__all__ = [
    "Finished",
    "NewAppointment",
    "NewTask",
    "NobodyResponsible",
    "NotPossible",
    "arrange",
    "cancel",
    "complete",
    "drop",
    "due_in",
    "edit_appointment",
    "edit_task",
    "hand_over",
    "keep",
    "miss",
    "move",
    "open_task",
    "open_tasks",
    "put_off",
    "reopen",
    "set_hands",
]
