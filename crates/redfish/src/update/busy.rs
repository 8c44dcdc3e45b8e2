//! Which machines get firmware now, and by which task: a machine gets one image at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Machines by name, and the task that installs firmware on them. Clones share it. There are as many as tasks have
/// parts under way.
#[derive(Clone, Default)]
pub(super) struct Installing(Arc<Mutex<BTreeMap<String, u64>>>);

impl Installing {
    /// Takes a machine for a task until the [`Turn`] goes.
    ///
    /// # Errors
    /// The task that has it.
    pub(super) fn begin(&self, machine: String, task: u64) -> Result<Turn, u64> {
        let mut all = self.all();
        if let Some(other) = all.get(&machine) {
            return Err(*other);
        }
        all.insert(machine.clone(), task);
        Ok(Turn {
            all: self.clone(),
            machine,
        })
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A machine that is a task's.
pub(super) struct Turn {
    all: Installing,
    machine: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all.all().remove(&self.machine);
    }
}
