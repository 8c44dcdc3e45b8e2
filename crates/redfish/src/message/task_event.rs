//! Messages of the TaskEvent registry: what becomes of long-running work. `task` is the task's `Id`.

use super::{Message, messages};

messages! {
    "TaskEvent", "1.0", "3", "Task Event Message Registry";

    /// The task has ended with errors.
    task_aborted(task): "TaskAborted", Critical,
        "The task with Id '%1' has completed with errors.",
        "None.";

    /// Somebody ended the task before it was done.
    task_cancelled(task): "TaskCancelled", Warning,
        "Work on the task with Id '%1' has been halted prior to completion due to an explicit request.",
        "None.";

    /// The task has done all of its work.
    task_completed_ok(task): "TaskCompletedOK", Ok,
        "The task with Id '%1' has completed.",
        "None.";

    /// The task has done its work, and something about it needs attention.
    task_completed_warning(task): "TaskCompletedWarning", Warning,
        "The task with Id '%1' has completed with warnings.",
        "None.";

    /// The task waits.
    task_paused(task): "TaskPaused", Warning,
        "The task with Id '%1' has been paused.",
        "None.";

    /// The task has come further.
    task_progress_changed(task, percent as number): "TaskProgressChanged", Ok,
        "The task with Id '%1' has changed to progress %2 percent complete.",
        "None.";

    /// The task isn't kept any more.
    task_removed(task): "TaskRemoved", Warning,
        "The task with Id '%1' has been removed.",
        "None.";

    /// The task waits no more.
    task_resumed(task): "TaskResumed", Ok,
        "The task with Id '%1' has been resumed.",
        "None.";

    /// The task has begun.
    task_started(task): "TaskStarted", Ok,
        "The task with Id '%1' has started.",
        "None.";
}
