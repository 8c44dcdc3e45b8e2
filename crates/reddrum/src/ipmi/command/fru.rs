//! `fru`: inventories (§34.1 to §34.3; FRU Information Storage Definition 1.0).

use ipmi::number::Lun;
use ipmi::record::Spd;
use ipmi::record::fru::Fru;
use ipmi::record::sdr::SdrBody;
use ipmi::walk::{Found, FruChunk, FruExtent, FruWalk};
use serde_json::{Value, json};

use super::repository;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Address of the BMC itself: the only controller whose inventories can be read without bridging.
const BMC: u8 = 0x20;

/// Width of the names in the report.
const WIDTH: usize = 22;

/// An inventory, as far as it can be read.
struct Device {
    id: u8,
    name: String,
    content: Result<Content, String>,
    /// Why not all of it was read.
    cut: Option<String>,
}

/// The bytes of an inventory, as far as they could be read.
pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    /// How many there are, as the device says.
    size: usize,
    /// What the BMC said instead of the rest.
    refusal: Option<CallError>,
}

impl Stored {
    /// None of so many could be read.
    pub(super) const fn unread(size: usize, refusal: CallError) -> Self {
        Self {
            bytes: Vec::new(),
            size,
            refusal: Some(refusal),
        }
    }

    /// Why these are not all bytes of the device; `None` where they are.
    pub(super) fn cut(&self) -> Option<String> {
        let (read, size) = (self.bytes.len(), self.size);
        (read < size).then(|| {
            let why = self.refusal.map_or_else(
                || "the BMC returns no more".to_owned(),
                |refusal| Failure::Call(refusal).cause(),
            );
            format!("only {read} of {size} bytes were read: {why}")
        })
    }
}

/// What an inventory holds.
enum Content {
    /// IPMI's own format.
    Fru(Box<Fru>),
    /// The EEPROM of a memory module.
    Spd(Spd),
}

impl Content {
    fn decode(bytes: &[u8], is_spd: bool) -> Result<Self, String> {
        if is_spd {
            return Ok(Self::Spd(Spd::decode(bytes)));
        }
        let fru = Fru::decode(bytes).map_err(|error| error.to_string())?;
        Ok(Self::Fru(Box::new(fru)))
    }

    /// All that it says in words.
    fn fields(&self) -> Vec<(String, String)> {
        match self {
            Self::Fru(fru) => fields(fru),
            Self::Spd(spd) => module_fields(spd),
        }
    }

    /// What is wrong with it.
    fn faults(&self) -> impl Iterator<Item = String> {
        let faults = match self {
            Self::Fru(fru) => fru.faults.as_slice(),
            Self::Spd(_) => &[],
        };
        faults.iter().map(ToString::to_string)
    }
}

/// Reads one inventory, or the BMC's own and all that its records name.
pub(super) async fn run(line: Line, id: Option<u8>) -> Outcome {
    let mut wanted = devices(&line).await?;
    if let Some(id) = id {
        let unnamed = || (id, format!("FRU device {id}"), false);
        let one = wanted.iter().find(|(known, ..)| *known == id).cloned();
        wanted = vec![one.unwrap_or_else(unnamed)];
    }
    let mut devices = Vec::new();
    let mut chunk = FruChunk::default();
    for (id, name, is_spd) in wanted {
        let (content, cut) = match read_by(&line, id, &mut chunk).await {
            Ok(stored) => (Content::decode(&stored.bytes, is_spd), stored.cut()),
            // A device that is described but absent says nothing about the others.
            Err(
                error @ CallError {
                    fault: CallFault::Refused(_),
                    ..
                },
            ) => (Err(Failure::Call(error).cause()), None),
            Err(error) => return Err(error.into()),
        };
        devices.push(Device {
            id,
            name,
            content,
            cut,
        });
    }
    if let (
        Some(id),
        [
            Device {
                content: Err(error),
                ..
            },
        ],
    ) = (id, devices.as_slice())
    {
        return Err(Failure::Unfit {
            kind: "no_inventory",
            cause: format!("FRU device {id} has no inventory: {error}"),
            remedy: "'fru' without a number lists all".to_owned(),
        });
    }
    Ok(Report::of(
        devices.iter().flat_map(Device::lines).collect(),
        json!({ "devices": devices.iter().map(Device::json).collect::<Vec<_>>() }),
    ))
}

/// The BMC's own device, then those of the FRU locator records: number, name, whether it is a memory module's EEPROM.
async fn devices(line: &Line) -> Result<Vec<(u8, String, bool)>, CallError> {
    let mut devices = vec![(0, "Builtin FRU Device".to_owned(), false)];
    let records = match repository::read(line).await {
        Err(CallError {
            fault: CallFault::Refused(_),
            ..
        }) => Vec::new(),
        records => records?,
    };
    for record in records {
        if let SdrBody::FruLocator(locator) = record.body
            && let Some(id) = locator.fru_device_id()
            && (locator.access_address, locator.lun()) == (BMC, Lun::BMC)
        {
            match devices.iter_mut().find(|(known, ..)| *known == id) {
                Some((_, name, _)) => *name = locator.id.text(),
                None => devices.push((id, locator.id.text(), locator.is_spd())),
            }
        }
    }
    Ok(devices)
}

/// Hands the bytes of an inventory to the file that the command line names.
pub(super) async fn save(line: Line, id: u8) -> Outcome {
    let stored = read(&line, id).await?;
    let count = stored.bytes.len();
    let text = format!("{count} bytes of FRU device {id} saved");
    let mut report = Report::line(text, json!({ "id": id, "bytes": count }));
    if let Some(cut) = stored.cut() {
        report.lines.push(format!("(warning: {cut})"));
        report.value["faults"] = json!([cut]);
    }
    report.file = Some(stored.bytes);
    Ok(report)
}

/// Reads a whole inventory, or as much as the BMC returns of it.
pub(super) async fn read(line: &Line, fru_device_id: u8) -> Result<Stored, CallError> {
    read_by(line, fru_device_id, &mut FruChunk::default()).await
}

/// The same, as one of several: how much the BMC returns at once is taken from one to the next. What BMCs do wrong about
/// inventories is [`ipmi::walk`]'s business.
async fn read_by(
    line: &Line,
    fru_device_id: u8,
    chunk: &mut FruChunk,
) -> Result<Stored, CallError> {
    let mut walk = FruWalk::new(fru_device_id, FruExtent::All, *chunk);
    while line.walk(&mut walk).await? != Found::End {}
    *chunk = walk.chunk();
    Ok(Stored {
        size: walk.size(),
        refusal: walk.refusal().map(CallError::from),
        bytes: walk.into_data(),
    })
}

impl Device {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "FRU Device Description : {} (ID {})",
            self.name, self.id
        )];
        match &self.content {
            Ok(content) => {
                let fields = content.fields();
                lines.extend(
                    fields
                        .iter()
                        .map(|(name, text)| format!(" {}", pair(name, WIDTH, text))),
                );
                let faults = content.faults();
                lines.extend(faults.map(|fault| format!(" (warning: {fault})")));
            }
            Err(error) => lines.push(format!(" (no inventory: {error})")),
        }
        lines.extend(self.cut.iter().map(|cut| format!(" (warning: {cut})")));
        lines
    }

    fn json(&self) -> Value {
        let mut value = json!({ "id": self.id, "name": self.name });
        match &self.content {
            Ok(content) => {
                let field = |(name, text): (String, String)| json!({ "name": name, "value": text });
                value["fields"] = content.fields().into_iter().map(field).collect();
                let faults = content.faults().chain(self.cut.clone());
                value["faults"] = faults.map(Value::from).collect();
            }
            Err(error) => value["error"] = error.as_str().into(),
        }
        value
    }
}

/// What a memory module says of itself.
fn module_fields(spd: &Spd) -> Vec<(String, String)> {
    let kind = match spd.memory_type {
        Spd::DDR3 => "DDR3 SDRAM".to_owned(),
        Spd::DDR4 => "DDR4 SDRAM".to_owned(),
        Spd::DDR5 => "DDR5 SDRAM".to_owned(),
        other => format!("unknown ({other:02X}h)"),
    };
    let size = spd.size_mib.map(|size| format!("{size} MiB"));
    let serial = spd.serial_number.map(|serial| format!("{serial:08X}"));
    [
        ("Memory Type", Some(kind)),
        ("Memory Size", size),
        ("Part Number", spd.part_number.clone()),
        ("Serial Number", serial),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some((name.to_owned(), text?)))
    .collect()
}

/// All that an inventory says in words, in the order of its areas.
fn fields(fru: &Fru) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let own = |(name, text): (&str, String)| (name.to_owned(), text);
    if let Some(chassis) = &fru.chassis {
        fields.push(("Chassis Type".to_owned(), chassis.chassis_type.to_string()));
        fields.extend(chassis.fields().map(own));
    }
    if let Some(board) = &fru.board {
        let made = board.manufactured().map(|time| time.to_string());
        fields.extend(made.map(|made| ("Board Mfg Date".to_owned(), made)));
        fields.extend(board.fields().map(own));
    }
    if let Some(product) = &fru.product {
        fields.extend(product.fields().map(own));
    }
    fields
}

#[cfg(test)]
mod tests {
    use ipmi::number::{CompletionCode, RecordCompletion};
    use ipmi::record::fru::{FruField, Language, ProductArea};

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    const FRU_BUSY: CompletionCode = CompletionCode(RecordCompletion::BUSY.0);

    fn inventory() -> Vec<u8> {
        let text = |text| FruField::from_text(text, Language::ENGLISH).unwrap();
        let product = ProductArea {
            language: Language::ENGLISH,
            name: text("Node"),
            serial_number: text("S123"),
            ..ProductArea::default()
        };
        Fru {
            product: Some(product),
            ..Fru::default()
        }
        .encode()
        .unwrap()
    }

    #[test]
    fn an_inventory_is_read_in_chunks_that_the_device_can_return() {
        for (chunk_max, by_words, mut busy) in [(64, false, 0), (20, true, 2), (8, false, 5)] {
            let bytes = inventory();
            let talk = Talk::new(|line| async move {
                Ok(Report::line("", read(&line, 3).await?.bytes.into()))
            });
            let report = play::run(talk, |call| {
                let scale = 1 + usize::from(by_words);
                if call.data.len() == 1 {
                    let size = (bytes.len() as u16).to_le_bytes();
                    return Some((CompletionCode::OK, vec![size[0], size[1], by_words.into()]));
                }
                if busy > 0 {
                    busy -= 1;
                    return Some((FRU_BUSY, vec![]));
                }
                let start = usize::from(u16::from_le_bytes([call.data[1], call.data[2]])) * scale;
                let count = usize::from(call.data[3]) * scale;
                if count > chunk_max {
                    return Some((CompletionCode::CANNOT_RETURN_BYTES, vec![]));
                }
                let part = &bytes[start..(start + count).min(bytes.len())];
                let mut answer = vec![(part.len() / scale) as u8];
                answer.extend(part);
                Some((CompletionCode::OK, answer))
            });
            assert_eq!(
                report.unwrap().value,
                Value::from(bytes.clone()),
                "{chunk_max}"
            );
        }
    }

    #[test]
    fn fields_and_faults_are_told() {
        let mut bytes = inventory();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let device = Device {
            id: 3,
            name: "PSU".to_owned(),
            content: Content::decode(&bytes, false),
            cut: Some("only 8 of 16 bytes were read".to_owned()),
        };
        assert_eq!(
            device.lines(),
            [
                "FRU Device Description : PSU (ID 3)",
                " Product Name          : Node",
                " Product Serial Number : S123",
                " (warning: the product area has a wrong checksum)",
                " (warning: only 8 of 16 bytes were read)",
            ]
        );
        assert_eq!(device.json()["faults"].as_array().unwrap().len(), 2);
        assert_eq!(
            device.json()["fields"][1],
            json!({
                "name": "Product Serial Number", "value": "S123"
            })
        );
    }

    #[test]
    fn an_inventory_that_the_bmc_returns_in_part_is_saved_with_a_warning() {
        let talk = Talk::new(|line| save(line, 3));
        let report = play::run(talk, |call| {
            if call.data.len() == 1 {
                return Some((CompletionCode::OK, vec![128, 0, 0]));
            }
            if call.data[1] >= 64 {
                return Some((CompletionCode::NOT_PRESENT, vec![]));
            }
            let mut answer = vec![call.data[3]];
            answer.resize(1 + usize::from(call.data[3]), 7);
            Some((CompletionCode::OK, answer))
        })
        .unwrap();
        assert_eq!(report.file, Some(vec![7; 64]));
        assert!(
            report.lines[1].starts_with("(warning: only 64 of 128 bytes were read: Read FRU Data"),
            "{:?}",
            report.lines
        );
        assert_eq!(report.value["faults"].as_array().unwrap().len(), 1);
    }
}
