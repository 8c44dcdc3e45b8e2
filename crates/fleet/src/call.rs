//! One command on its way to a BMC and its answer on the way back, as bytes with their numbers.

use ipmi::command::picmg::hpm::BLOCK_MAX;
use ipmi::command::{Command, Message};
use ipmi::number::{CompletionCode, NetFn};
use ipmi::walk::{self, Fault, Reason};
use ipmi::wire::{Reader, Writer};

/// The longest request that the fleet sends, in data bytes: a block of firmware with its number and group. All others are
/// far shorter.
pub(crate) const CALL_DATA_LEN_MAX: usize = 2 + BLOCK_MAX;

/// A command to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) netfn: NetFn,
    pub(crate) cmd: u8,
    pub(crate) lun: u8,
    /// Whether doing it twice equals doing it once.
    pub(crate) idempotent: bool,
    /// A conversation goes on without the answer, and doesn't ask again.
    pub(crate) once: bool,
    len: u8,
    data: [u8; CALL_DATA_LEN_MAX],
}

impl Call {
    /// The call of a typed command on LUN 0.
    pub(crate) fn of<C: Command>(command: &C) -> Self {
        let mut data = [0; CALL_DATA_LEN_MAX];
        let mut w = Writer::new(&mut data);
        command.encode(&mut w);
        let len = w
            .finish()
            .expect("no request of the fleet is longer than CALL_DATA_LEN_MAX");
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            lun: 0,
            idempotent: command.is_idempotent(),
            once: false,
            len: len as u8,
            data,
        }
    }

    /// The call of a walk's request.
    pub(crate) fn of_walk(request: &walk::Request) -> Self {
        let bytes = request.data();
        let mut data = [0; CALL_DATA_LEN_MAX];
        data[..bytes.len()].copy_from_slice(bytes);
        Self {
            netfn: request.netfn,
            cmd: request.cmd,
            lun: 0,
            idempotent: true,
            once: false,
            len: bytes.len() as u8,
            data,
        }
    }

    /// The same to another LUN of the BMC.
    #[must_use]
    pub(crate) const fn on_lun(mut self, lun: u8) -> Self {
        self.lun = lun;
        self
    }

    /// The same, to be given up where no answer comes.
    #[must_use]
    pub(crate) const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.data[..usize::from(self.len)]
    }
}

/// Why a call brought no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The BMC answered with an error.
    Refused {
        name: &'static str,
        completion: CompletionCode,
    },
    /// The BMC's answer does not parse.
    Garbled { name: &'static str },
    /// No answer came; a command that is not idempotent may have been carried out.
    Unanswered { name: &'static str },
    /// No answer came however often it was asked, while the BMC answers others.
    Mute { name: &'static str },
}

impl CallError {
    /// The completion code where the BMC gave one.
    pub(crate) const fn completion(self) -> Option<CompletionCode> {
        match self {
            Self::Refused { completion, .. } => Some(completion),
            Self::Garbled { .. } | Self::Unanswered { .. } | Self::Mute { .. } => None,
        }
    }
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        let name = fault.name;
        match fault.reason {
            Reason::Refused(completion) => Self::Refused { name, completion },
            Reason::Garbled(_) => Self::Garbled { name },
        }
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { name, completion } => {
                write!(f, "{name}: {completion} ({:02X}h)", completion.0)
            }
            Self::Garbled { name } => write!(f, "{name}: the answer can't be understood"),
            Self::Unanswered { name } => write!(f, "{name}: no answer"),
            Self::Mute { name } => write!(f, "{name}: no answer, while others are answered"),
        }
    }
}

/// Reads an answer's data as that of command `C`.
pub(crate) fn decode<C: Command>(
    completion: CompletionCode,
    data: &[u8],
) -> Result<C::Response, CallError> {
    if completion != CompletionCode::OK {
        return Err(CallError::Refused {
            name: C::NAME,
            completion,
        });
    }
    C::Response::decode(&mut Reader::new(data)).map_err(|_| CallError::Garbled { name: C::NAME })
}
