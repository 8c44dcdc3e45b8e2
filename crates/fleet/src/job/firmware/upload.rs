//! The upload of one component's firmware, block by block.

use hardware::ApplyError;
use ipmi::command::Bytes;
use ipmi::command::picmg::hpm::{
    FinishFirmwareUpload, IN_PROGRESS, InitiateUpgradeAction, Section, UploadFirmwareBlock,
    UploadedBlock,
};
use ipmi::number::{CompletionCode, HpmAction};
use ipmi::upgrade::{Upload, Window};

use super::{Lost, POLL_PAUSE, PREPARED, StepError, UPLOADED, Upgrade, failed, wrong};

/// Lengths of blocks, in bytes. Every controller takes the first; longer ones are tried out.
const BLOCK_LENS: [usize; 4] = [32, 64, 128, 200];
/// After so many blocks of one length a longer one is tried.
const BLOCKS_BEFORE_LONGER: u32 = 4;
/// How often an upload is begun before it is given up: a controller that restarts has forgotten what it got.
const UPLOADS_MAX: u32 = 3;
/// How often a block is asked for that stays unanswered; each time it is sent as often as every command.
const BLOCK_SENDINGS: u32 = 3;
/// How often a controller may have a block wait because it is busy.
const BUSY_MAX: u32 = 60;

/// How sending the blocks ended.
enum Sent {
    /// They are all there: so many bytes.
    All(u32),
    /// The controller has lost what it had.
    Lost,
}

/// How sending a block ended.
enum Block {
    Taken(Option<Section>),
    TooLong,
    Lost,
}

impl Upgrade<'_> {
    /// Uploads the firmware of a component, and has it checked.
    pub(super) async fn upload(&mut self, upload: &Upload<'_>) -> Result<(), ApplyError> {
        let before = self.bytes_done;
        let mut lens = BLOCK_LENS.as_slice();
        for _ in 0..UPLOADS_MAX {
            self.bytes_done = before;
            let initiate = InitiateUpgradeAction {
                components: 1 << upload.component,
                action: HpmAction::UPLOAD,
            };
            match self.step(&initiate, Lost::AskAgain).await {
                Ok(()) => {}
                // It still waits for the end of the upload before.
                Err(StepError::Refused(CompletionCode::NOT_SUPPORTED_IN_STATE)) => {
                    self.line.pause(POLL_PAUSE).await;
                    continue;
                }
                Err(error) => return Err(failed(error, "upload")),
            }
            match self.send_blocks(upload.data, lens).await? {
                Sent::All(length) => {
                    let finish = FinishFirmwareUpload {
                        component: upload.component,
                        length,
                    };
                    let done = self.step(&finish, Lost::Remembered).await;
                    return done.map_err(|error| failed(error, "end of the upload"));
                }
                // Perhaps the blocks were too long for it.
                Sent::Lost => lens = &BLOCK_LENS[..1],
            }
        }
        Err(failed(StepError::Silent, "upload"))
    }

    async fn send_blocks(&mut self, data: &[u8], lens: &[usize]) -> Result<Sent, ApplyError> {
        let mut window = Window::new(data);
        let (mut longest, mut len, mut in_a_row) = (lens.len() - 1, 0, 0);
        while let Some(piece) = window.piece(lens[len]) {
            self.check_cancelled()?;
            match self.send_block(window.number(), piece).await? {
                Block::TooLong if len > 0 => {
                    len -= 1;
                    longest = len;
                    continue;
                }
                Block::TooLong => {
                    let code = CompletionCode::REQUEST_LENGTH_INVALID;
                    return Err(failed(StepError::Refused(code), "upload"));
                }
                Block::Lost => return Ok(Sent::Lost),
                Block::Taken(section) => {
                    let taken = window.taken(piece.len(), section);
                    taken.map_err(|error| wrong(error.to_string()))?;
                    self.uploaded(piece.len());
                }
            }
            in_a_row += 1;
            if in_a_row >= BLOCKS_BEFORE_LONGER && len < longest {
                (len, in_a_row) = (len + 1, 0);
            }
        }
        Ok(Sent::All(window.sent()))
    }

    /// Sends one block. By its number the controller knows it when it comes again, so that it may.
    async fn send_block(&self, number: u8, piece: &[u8]) -> Result<Block, ApplyError> {
        let block = UploadFirmwareBlock {
            number,
            data: Bytes::new(piece).unwrap_or_default(),
        };
        let (mut silent, mut busy) = (0, 0);
        loop {
            let error = match self.line.call(&block).await {
                Ok(UploadedBlock { section }) => return Ok(Block::Taken(section)),
                Err(error) => error,
            };
            match error.completion() {
                Some(IN_PROGRESS) => {
                    let settled = self.settled().await;
                    settled.map_err(|error| failed(error, "upload"))?;
                    return Ok(Block::Taken(None));
                }
                Some(
                    CompletionCode::REQUEST_LENGTH_INVALID
                    | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
                    | CompletionCode::REQUEST_TRUNCATED,
                ) => return Ok(Block::TooLong),
                Some(CompletionCode::NODE_BUSY | CompletionCode::TIMEOUT) if busy < BUSY_MAX => {
                    busy += 1;
                    self.line.pause(POLL_PAUSE).await;
                }
                // What it says after a silence, it says because it restarted, or another session has interfered.
                Some(_) if silent > 0 => return Ok(Block::Lost),
                Some(code) => return Err(failed(StepError::Refused(code), "upload")),
                None => {
                    silent += 1;
                    if silent == BLOCK_SENDINGS {
                        return Ok(Block::Lost);
                    }
                }
            }
        }
    }

    fn uploaded(&mut self, len: usize) {
        self.bytes_done = (self.bytes_done + len as u64).min(self.bytes);
        let share = self.bytes_done * u64::from(UPLOADED - PREPARED) / self.bytes.max(1);
        self.progress(PREPARED + share as u8);
    }
}
